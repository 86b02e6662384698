"""Tables into files (CSV, Parquet, .npz for vectors), and pages: whole or not at all, never over another unasked."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quartzlens.errors import QuartzlensError, UsageError
from quartzlens.spreadsheet import harmless_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Block = tuple[pd.DataFrame, NDArray[np.float32] | None]
PLAIN = (".csv", ".parquet")
WITH_VECTORS = (*PLAIN, ".npz")


def checked_target(path: Path, suffixes: tuple[str, ...], *, yes: bool) -> Path:
    """A path that a table can be written to, checked before any work.

    Raises
    ------
    UsageError
        Its suffix is none of ``suffixes``; there is a file already and nobody said yes; its folder is not there.
    """
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"What is written is {' or '.join(suffixes)}: end the name {str(path)!r} so.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}: make it, or choose another place.")
    if path.exists() and not yes:
        raise UsageError(f"{path} is there already: add --yes to write over it, or choose another name.")
    return path


def write_table(path: Path, table: "pd.DataFrame") -> int:
    """Write a table by the suffix of ``path``; the number of rows. Raises as ``write_blocks``."""
    return write_blocks(path, [(table, None)])


def write_blocks(path: Path, blocks: "Iterable[Block]") -> int:
    """Write tables under one another, each with its vectors (n, d) float32 or none; the number of rows.

    In CSV a vector has one column a dimension, and text that a spreadsheet would take for a formula begins with an
    apostrophe; in Parquet it is one column ``embedding``, a list; in .npz the columns and ``embedding`` are arrays.

    Raises
    ------
    QuartzlensError
        The disk is full or the folder cannot be written; what was at ``path`` is as it was.
    """
    writers: dict[str, Callable[[Path, Iterable[Block]], int]] = {
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".npz": _write_npz,
    }
    with _written(path) as partial:
        return writers[path.suffix.lower()](partial, blocks)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8; what is no text in it, such as half a surrogate pair, becomes ``?``.

    Raises as ``write_blocks``.
    """
    with _written(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace", newline="\n")


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """A path aside that becomes ``path`` at the end."""
    from pipeline.whole import whole_file

    try:
        with whole_file(path.parent, path.name) as partial:
            yield partial
    except OSError as error:
        raise QuartzlensError(f"{path} cannot be written ({error}): make room, or choose another place.") from error


def _write_csv(path: Path, blocks: "Iterable[Block]") -> int:
    import numpy as np
    import pandas as pd

    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for table, vectors in blocks:
            whole = harmless_table(table)
            if vectors is not None:
                names = [f"e{at}" for at in range(vectors.shape[1])]
                whole = pd.concat([whole, pd.DataFrame(np.asarray(vectors), columns=names)], axis=1)
            whole.to_csv(file, index=False, header=not rows and file.tell() == 0)
            rows += len(whole)
    return rows


def _write_parquet(path: Path, blocks: "Iterable[Block]") -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer, rows = None, 0
    try:
        for table, vectors in blocks:
            columns = pa.Table.from_pandas(table, preserve_index=False)
            if vectors is not None:
                lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
                columns = columns.append_column("embedding", lists)
            writer = writer or pq.ParquetWriter(path, _typed(columns.schema))
            writer.write_table(columns.cast(writer.schema))
            rows += len(table)
    finally:
        if writer is not None:
            writer.close()
    return rows


def _typed(schema: "object") -> "object":
    """A schema in which a column of nothing but None is one of text: the next block may hold some."""
    import pyarrow as pa

    fields: list[pa.Field] = [one.with_type(pa.string()) if pa.types.is_null(one.type) else one for one in schema]  # type: ignore[attr-defined]
    return pa.schema(fields)


def _write_npz(path: Path, blocks: "Iterable[Block]") -> int:
    import numpy as np
    import pandas as pd

    tables, vectors = zip(*blocks, strict=True)
    table = pd.concat(tables, ignore_index=True)
    arrays: dict[str, Any] = {str(name): _array(table[name]) for name in table.columns}
    with path.open("wb") as file:
        np.savez(file, embedding=np.concatenate(vectors), **arrays)
    return len(table)


def _array(column: "pd.Series[Any]") -> "NDArray[np.generic]":
    """A column as an array that loads without pickle: text as fixed-width text, None as nothing."""
    import numpy as np

    if column.dtype.kind in "biuf":
        return column.to_numpy()
    return np.array(["" if one is None or one != one else str(one) for one in column], dtype=np.str_)  # noqa: PLR0124
