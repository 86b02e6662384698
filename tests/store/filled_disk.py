"""Open a catalog, at first on a disk without a byte of room: ``python -m tests.store.filled_disk FOLDER``."""

import sys
from pathlib import Path

from quartzlens.errors import CollectionError
from store.local import LocalStore


def main(folder: Path) -> int:
    """Read the catalog, which is made, and then the disk filled, where there is none yet."""
    if not (folder / "filled").exists():
        LocalStore(folder).close()
        fill(folder / "filled")
    try:
        LocalStore(folder).videos()
    except CollectionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def fill(path: Path) -> None:
    """Write a file until there is no room for more."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


sys.exit(main(Path(sys.argv[1])))
