"""Files that appear whole under their names, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(folder: Path, name: str) -> Iterator[Path]:
    """A path to write to; at the end it becomes ``folder/name``, durable and whole, or vanishes with an exception."""
    partial = folder / f".{name}.partial"  # the next try takes over what a killed one left
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)
