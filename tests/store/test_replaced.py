"""What is acknowledged while another catalog takes the place of the one that is open is in the new one, or nowhere."""

import fcntl
import os
from contextlib import closing
from pathlib import Path

import pytest

from quartzlens.errors import CollectionError
from store import salvage as salvaging
from store.backup import back_up, restore
from store.connections import connected
from store.local import CATALOG, LocalStore
from store.mending import mend
from store.salvage import salvage
from tests.store.sound import harm_table, sound
from tests.store.things import person

REPLACED = "is not the file that was opened any more: .* open the collection again"


def refuse_all(store: LocalStore) -> None:
    """Neither a write nor a read goes to the file that was there before."""
    for ask in (lambda: store.add_labels([person("v02", "sport")]), store.labels, store.info):
        with pytest.raises(CollectionError, match=REPLACED):
            ask()


def labelled(folder: Path) -> list[str]:
    """Videos with a label, in the order in which they got them."""
    with LocalStore(folder) as store:
        return [label.video_id for label in store.labels()]


def test_no_label_is_lost_in_a_repair(tmp_path: Path) -> None:
    """A label that is given before is in the new catalog, one amid the repair waits and is refused, one after too."""
    sound(tmp_path)
    harm_table(tmp_path, "run_files")
    refused: list[str] = []
    with LocalStore(tmp_path, busy_seconds=0.05) as store:
        store.add_labels([person("v01", "travel")])

        def give(said: str) -> None:
            if said.startswith("reading"):
                with pytest.raises(CollectionError, match="another process was writing"):
                    store.add_labels([person("v02", "sport")])
                assert len(store.labels()) == 2
                refused.append(said)

        assert mend(tmp_path, give).left == []
        assert len(refused) == 12
        refuse_all(store)
    assert labelled(tmp_path) == ["v00", "v01"]


def test_who_is_open_does_not_write_beside_a_restored_collection(tmp_path: Path) -> None:
    """After a backup took the place of the collection, an open store neither writes nor reads what was moved aside."""
    folder = sound(tmp_path / "c")
    back_up(folder, tmp_path / "b")
    with LocalStore(folder) as store, LocalStore(folder, read_only=True) as reader:
        store.add_labels([person("v01", "travel")])
        assert len(reader.labels()) == 2
        before = restore(tmp_path / "b", folder, replace=True)
        refuse_all(store)
        with pytest.raises(CollectionError, match=REPLACED):
            reader.labels()
    assert before
    assert (labelled(folder), labelled(before)) == (["v00"], ["v00", "v01"])


def test_a_repair_waits_for_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process writes for too long nothing is salvaged, and that is said; without it, it is."""
    sound(tmp_path)
    harm_table(tmp_path, "profiles")
    monkeypatch.setattr(salvaging, "connected", lambda path, mode: connected(path, mode, 0.05))
    with closing(connected(tmp_path / CATALOG, "rw")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CollectionError, match="another process was writing for too long"):
            salvage(tmp_path / CATALOG)
        assert list(tmp_path.glob(f"{CATALOG}.damaged*")) == list(tmp_path.glob(".*.tmp*")) == []
    assert salvage(tmp_path / CATALOG).damaged.exists()


def test_nobody_opens_a_catalog_while_it_changes_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock under which stores are opened is held then; no empty log is kept, and the new one needs no change."""
    sound(tmp_path)
    harm_table(tmp_path, "profiles")
    replace, refused = os.replace, []

    def replacing(fresh: Path, path: Path) -> None:
        handle = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        refused.append(path)
        replace(fresh, path)

    monkeypatch.setattr(os, "replace", replacing)
    damaged = salvage(tmp_path / CATALOG).damaged
    assert refused == [tmp_path / CATALOG]
    assert sorted(path.name for path in tmp_path.glob(f"{CATALOG}*")) == [CATALOG, damaged.name]
    assert (tmp_path / CATALOG).read_bytes()[18:20] == b"\2\2"  # WAL, in the file's header
