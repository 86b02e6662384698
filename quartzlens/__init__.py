"""quartzlens: what a collection of videos sounds like, and why a classifier is wrong about it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quartzlens.notebook import Opened

__version__ = "0.1.0"


def open(folder: str) -> "Opened":  # noqa: A001 -- read as quartzlens.open(...)
    """Open a collection in a notebook; its tables come as pandas DataFrames.

    Raises CollectionError where ``folder`` is no collection.
    """
    from quartzlens.notebook import Opened

    return Opened(folder)
