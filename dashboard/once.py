"""What a page asks for a hundred times and is looked up once for each time that it is drawn."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

Found = TypeVar("Found")
_drawn_in = threading.local()


@contextmanager
def page() -> Iterator[None]:
    """While a page is drawn in this thread."""
    _drawn_in.found = {}
    try:
        yield
    finally:
        del _drawn_in.found


def each_page(look: Callable[[], Found]) -> Callable[[], Found]:
    """The same function, called once for a page; outside of one, as in a callback, each time."""

    @wraps(look)
    def looked() -> Found:
        found: dict[object, Any] | None = getattr(_drawn_in, "found", None)
        if found is None:
            return look()
        if look not in found:
            found[look] = look()
        result: Found = found[look]
        return result

    return looked
