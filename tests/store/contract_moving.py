"""The behaviour of every store, fourth part: what it takes to be moved."""

from dataclasses import replace

import pytest

from quartzlens.errors import CollectionError
from quartzlens.records import BadRow
from store.base import Ledger, Movable
from tests.store.things import FINGERPRINT, OTHER, axis, embedded, ids_of, ok, person, profile, row, rows, run


class MovingContract:
    """A store's ledger, and another store that takes it over."""

    @pytest.fixture
    def filled(self, store: Movable) -> Movable:
        """Two lists, one of bad rows alone, labels, two encoders, and a video that only its embedding holds."""
        store.add_rows("gone", rows("held", source_list="gone"), [])
        given = row(2, "a", "food", title="A", description="d\n\"'🎵", channel="c")
        store.add_rows("list", [replace(given, extra={"fold": "1"}), row(7, "b")], [BadRow("list", 3, "no link")])
        store.add_rows("bad", [], [BadRow("bad", 1, "?"), BadRow("bad", 1, "!")])
        store.add_labels([person("b", "travel"), person("b", None)])
        whole = replace(embedded(axis(1)), profile=profile("C1", "B2"))
        store.commit([ok("held", axis(0), OTHER), replace(ok("b", axis(1)), embedded=whole, title="told", channel="t")])
        store.add_rows("gone", [], [])
        return store

    def test_a_ledger_tells_all_that_the_contract_does_not(self, filled: Movable) -> None:
        """Rows, bad rows, labels, encoders, blocks and what a site told are in it word for word and in order."""
        ledger = filled.ledger()
        assert [(one.id, one.title) for one in ledger.videos] == [("held", ""), ("a", "A"), ("b", "")]
        assert ledger.told == (("", None), ("", None), ("told", "t"))
        assert [(name, [one.number for one in found], len(bad)) for name, found, bad in ledger.lists] == [
            ("gone", [], 0),
            ("list", [2, 7], 1),
            ("bad", [], 2),
        ]
        assert ledger.lists[1][1][0].extra == {"fold": "1"}
        assert (ledger.labels, ledger.encoders) == (filled.labels(), (OTHER, FINGERPRINT))
        assert {key: set(blocks) for key, blocks in ledger.blocks.items() if blocks} == {FINGERPRINT.key: {"C1", "B2"}}

    def test_an_empty_store_has_an_empty_ledger(self, store: Movable) -> None:
        """Nothing is kept, nothing is told; and taking over nothing changes nothing."""
        assert store.ledger() == Ledger()
        store.take_over(Ledger())
        assert (store.ledger(), store.videos()) == (Ledger(), ())

    def test_a_store_takes_over_and_goes_on(self, store: Movable) -> None:
        """What was taken over is told again alike, and the next rows, labels and results find it as their own."""
        given = row(2, "a", "food", title="A", channel="c")
        store.add_rows("list", [given, row(7, "b")], [BadRow("list", 3, "no link")])
        store.add_labels([person("b", "travel")])
        ledger = replace(store.ledger(), told=(("", None), ("told", "t")), encoders=(OTHER, FINGERPRINT))
        store.remove(["a", "b"])
        emptied = store.ledger()
        assert (emptied.videos, emptied.labels, emptied.lists[0][1]) == ((), (), ())
        with pytest.raises(CollectionError, match="Another collection is kept here"):
            store.take_over(ledger)
        assert store.ledger() == emptied

    def test_ids_of_all_kinds_are_taken_over(self, filled: Movable, other: Movable) -> None:
        """A second store of the backend tells the same ledger, the same rows again change nothing, and it is full."""
        ledger = filled.ledger()
        other.take_over(ledger)
        assert other.ledger() == ledger
        assert (ids_of(other), other.labels(), other.info().rows) == (["held", "a", "b"], filled.labels(), 2)
        assert other.info().revisions == {FINGERPRINT.key: 0, OTHER.key: 0}
        name, found, bad_rows = ledger.lists[1]
        other.commit([ok("held", axis(0), OTHER)])
        other.add_rows(name, found, bad_rows)
        assert replace(other.ledger(), blocks={}) == replace(ledger, blocks={})
        assert [(one.title, one.channel) for one in other.videos(["b"])] == [("told", "t")]
        other.add_run(run())
        with pytest.raises(CollectionError, match="Another collection is kept here"):
            other.take_over(ledger)
