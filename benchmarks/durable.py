"""What the disk alone allows."""

import os
import time
from pathlib import Path


def bytes_a_second(folder: Path, size: int, times: int) -> float:
    """Rate of writing so many bytes to a file so many times, each waited for (fsync)."""
    path = folder / "durable"
    content = os.urandom(size)
    began = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(times):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    path.unlink()
    return size * times / seconds
