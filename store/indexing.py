"""What a person sees and asks of a collection's search indexes, whatever its backend."""

import logging
from dataclasses import dataclass

from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Fingerprint
from store import kinds
from store.collection import Collection
from store.local import LocalStore
from store.places import What

AUTO = "auto"
CHOICES = (AUTO, *kinds.KINDS)
_log = logging.getLogger("quartzlens.store")


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """One search index on disk.

    ``recall`` is the share of the ten nearest that it found of held-out queries when it was made; ``behind`` how many
    vectors came since, which a search reads from the catalog.
    """

    what: What
    kind: str
    count: int
    bytes: int
    recall: float
    chosen: bool
    behind: int


def index_facts(collection: Collection, fingerprint: Fingerprint) -> tuple[IndexFacts, ...]:
    """The indexes of an encoder's videos and fragments that are on disk; none of another backend than this folder."""
    store = collection.store
    if not isinstance(store, LocalStore):
        return ()
    return tuple(fact for what in What if (fact := _facts(store, fingerprint, what)) is not None)


def _facts(store: LocalStore, fingerprint: Fingerprint, what: What) -> IndexFacts | None:
    stamp, behind = store.index_stamp(fingerprint, what)
    if stamp is None:
        return None
    return IndexFacts(what, stamp.kind, stamp.count, stamp.bytes, stamp.recall, stamp.chosen, behind)


def make_indexes(collection: Collection, fingerprint: Fingerprint, kind: str | None = None) -> None:
    """Make the indexes of an encoder anew, of the kind that a person chose (``CHOICES``; None: as before).

    Raises
    ------
    UsageError
        The kind is unknown, or the collection's backend has indexes of its own.
    LockedError, CollectionError
        As ``LocalStore.make_index``.
    """
    store = collection.store
    if kind is not None and kind not in CHOICES:
        raise UsageError(f"{kind!r} is no kind of index: {', '.join(CHOICES)}.")
    if not isinstance(store, LocalStore):
        raise UsageError(f"The store of {collection.folder} makes its indexes itself.")
    for what in What:
        store.make_index(fingerprint, what, kind)


def keep_up(collection: Collection, fingerprint: Fingerprint) -> None:
    """Make the indexes anew that are far behind, where that is long work: the next search need not wait for it.

    Where another process makes one, or none can be kept, that is left to the next search, and said.
    """
    store = collection.store
    if not isinstance(store, LocalStore):
        return
    for what in What:
        stamp, behind = store.index_stamp(fingerprint, what)
        if stamp is None and what is What.VIDEOS:
            behind = len(store.embedded_ids(fingerprint))
        if behind > max(kinds.MOST_FLAT, stamp.count // 8 if stamp else 0):
            try:
                store.make_index(fingerprint, what)
            except CollectionError as error:
                _log.warning("The search index of the %s stays behind for now: %s", what.value, error)
