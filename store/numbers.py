"""The catalog's numbers of many videos at once, found by their ids in memory."""

import sqlite3
import threading
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from store import catalog


class Numbers:
    """Numbers of videos by the hashes of their ids: 16 bytes a video, read from the catalog when first asked for.

    Python's hash of a text is SipHash of 64 bits with a key of the process: that two of a million ids share one has a
    chance of one in ten million, and nobody can make ids that do. A number is never given twice and its id never
    changes, so what is known stays right; videos that went are in no index.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._hashes = np.empty(0, np.int64)
        self._numbers = np.empty(0, np.int64)
        self._asked: tuple[frozenset[str], int, NDArray[np.int64]] | None = None

    def of(self, connection: sqlite3.Connection, ids: Collection[str]) -> NDArray[np.int64]:
        """Numbers of the videos of ``ids`` that are there, in no order."""
        if len(ids) <= catalog.FEW:
            return np.array(sorted(catalog.sequence_of(connection, ids).values()), dtype=np.int64)
        with self._lock:
            self._read(connection)
            if self._asked is not None and self._asked[0] is ids and self._asked[1] == self._last:
                return self._asked[2]
            found = self._found(ids)
            if isinstance(ids, frozenset):  # which cannot change, so that the next page need not look again
                self._asked = (ids, self._last, found)
            return found

    def _read(self, connection: sqlite3.Connection) -> None:
        """Learn of the videos that came since."""
        (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM videos").fetchone()
        if newest <= self._last:
            return
        rows = connection.execute("SELECT seq, id FROM videos WHERE seq > ?", (self._last,)).fetchall()
        hashes = np.fromiter((hash(video_id) for _, video_id in rows), np.int64, len(rows))
        numbers = np.fromiter((seq for seq, _ in rows), np.int64, len(rows))
        hashes, numbers = np.concatenate([self._hashes, hashes]), np.concatenate([self._numbers, numbers])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._numbers, self._last = hashes[order], numbers[order], newest

    def _found(self, ids: Collection[str]) -> NDArray[np.int64]:
        wanted = np.sort(np.fromiter(map(hash, ids), np.int64, len(ids)))
        first = np.searchsorted(self._hashes, wanted, "left")
        last = np.searchsorted(self._hashes, wanted, "right")
        found = [self._numbers[first[last > first]]]
        # An id that went and came again has two numbers.
        several = np.flatnonzero(last - first > 1)
        found += [self._numbers[first[at] + 1 : last[at]] for at in several]
        return np.concatenate(found)
