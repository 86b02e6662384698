"""A copy has everything, whatever the backends; it goes on where it was cut off, and mixes nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from quartzlens.cli import app
from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import BadRow
from store import copying
from store.base import Movable
from store.collection import FILE, Collection, EncoderChoice, change_encoder, keep_audio, open_collection
from store.copying import copy_store, verify
from store.local import LocalStore
from store.memory import MemoryStore
from store.mending import mend
from store.moving import copy_collection, made
from tests.conftest import quartzlens
from tests.store.crashing import HAS_MILVUS, NO_MILVUS, killed_at, open_local, open_milvus
from tests.store.sound import change as change_row
from tests.store.sound import sound
from tests.store.test_machine import state_of
from tests.store.things import (
    DIMENSION,
    FINGERPRINT,
    OTHER,
    axis,
    failed,
    heard,
    heard_in,
    media,
    ok,
    person,
    row,
    rows,
    run,
)

MILVUS = pytest.param("milvus:db", marks=pytest.mark.skipif(not HAS_MILVUS, reason=NO_MILVUS))


def fill(store: Movable) -> None:
    """Everything that a store can keep: two lists, a history, two encoders, words, profiles, failures, runs."""
    generator = np.random.default_rng(5)
    names = [f"v{n}\n'🎵" if n % 7 == 0 else f"v{n}" for n in range(250)]
    first = [replace(row(n, one, "food", "one", title=f"T{n}"), extra={"x": one}) for n, one in enumerate(names, 1)]
    store.add_rows("one", first, [BadRow("one", 900, "?")])
    store.add_rows("two", rows("held", *names[:3], source_list="two"), [])
    store.add_labels([person(names[1], "travel"), person(names[1], None), person(names[2], "a")])
    store.add_labels([replace(person(names[3], "a"), person="Ana", note="a pan\n🎵", bulk="7f", undo=True)])
    store.commit([ok(one, generator.normal(size=DIMENSION), OTHER) for one in names[100:140]])
    store.commit([heard(one, "cook", f"so {one}") for one in names[:60]])
    store.commit(
        [heard_in(ok(one, generator.normal(size=DIMENSION), media=media(one)), "w", "") for one in names[60:240]]
    )
    store.commit([replace(ok("held", axis(3)), title="told", channel="them", detail="d"), failed(names[5])])
    store.commit([replace(failed(names[245]), title="told", channel="c")])
    store.add_rows("two", [], [BadRow("two", 1, "none")])
    store.add_run(run("r1", 40, {"model.safetensors": bytes(range(256)) * 300, "empty": b""}))
    store.add_run(run("r2"))


def unrevised(store: Movable) -> list[object]:
    """All that a store tells but the revisions, which begin anew in a copy."""
    state = state_of(store)
    return [*state[:2], replace(store.info(), revisions={}), *state[3:], store.ledger(), store.runs("r1")[0].files]


def test_what_a_repair_dropped_is_to_be_embedded_before_a_copy(tmp_path: Path) -> None:
    """Nothing is copied while a video is ok without an embedding; embedded anew, or failed, all of it is."""
    source = sound(tmp_path / "c")
    change_row(source, "UPDATE embeddings SET vector = x'00' WHERE video IN (7, 9)")
    mend(source)
    target = MemoryStore()
    with LocalStore(source) as store:
        with pytest.raises(CollectionError, match="2 videos .* first\\) lost the embedding to `check --repair`"):
            copy_store(store, target)
        assert target.videos() == ()
        bare = [video.id for video in store.videos() if video.id not in store.embedded_ids(FINGERPRINT)]
        store.commit([ok(bare[0], axis(1)), failed(bare[1])])
        assert copy_store(store, target).videos == len(store.videos())


@pytest.mark.parametrize("opened", [open_local, pytest.param(open_milvus, marks=MILVUS.marks)])
def test_a_copy_there_and_back_is_the_same(tmp_path: Path, opened: Callable[[Path], Movable]) -> None:
    """From memory to a backend, and from there to memory, everything is kept, and how much it is is told."""
    source, back, said = MemoryStore(), MemoryStore(), []
    fill(source)
    with opened(tmp_path) as there:
        copied = copy_store(source, there, lambda *told: said.append(told))
        assert unrevised(there) == unrevised(source)
        assert (copied.videos, copied.new_videos, copied.embeddings, copied.fragments) == (251, 242, 281, 562)
        assert (copied.labels, copied.runs) == (len(source.labels()), 2)
        assert said[0] == ("videos", 109, 251)
        assert said[-1] == ("encoders verified", 2, 2)
        assert copy_store(source, there).new_videos == 0
        copy_store(there, back)
    assert unrevised(back) == unrevised(source)
    assert verify(back, source).videos == 251


def test_an_empty_store_is_copied() -> None:
    """Nothing copied is nothing, verified; and an encoder without an embedding goes along."""
    assert copy_store(MemoryStore(), MemoryStore()).videos == 0
    source, target = MemoryStore(), MemoryStore()
    source.add_rows("list", rows("a"), [])
    source.commit([ok("a", axis(0))])
    source.remove(["a"])
    assert (copy_store(source, target).embeddings, target.info().encoders) == (0, (FINGERPRINT,))


def test_collections_are_not_mixed() -> None:
    """A store that has other rows, or a run alone, is refused and stays as it is."""
    source = MemoryStore()
    fill(source)
    for change in (
        lambda store: store.add_rows("list", rows("a"), []),
        lambda store: store.add_run(run()),
    ):
        target = MemoryStore()
        change(target)
        before = state_of(target)
        with pytest.raises(CollectionError, match="are not mixed"):
            copy_store(source, target)
        assert state_of(target) == before


@pytest.mark.parametrize("opened", [open_local, pytest.param(open_milvus, marks=MILVUS.marks)])
def test_a_killed_copy_goes_on(tmp_path: Path, opened: Callable[[Path], Movable]) -> None:
    """Killed in the middle of a batch, the copy has whole videos, and the next one brings the rest and no more."""
    source = MemoryStore()
    fill(source)
    with opened(tmp_path) as target:
        target.take_over(source.ledger())
    some = list(source.videos())[:30]
    results = copying._results(source, source.ledger(), some)
    assert killed_at(60 if opened is open_local else 20_000, opened, tmp_path, "commit", results)
    with opened(tmp_path) as target:
        target.commit(copying._results(source, source.ledger(), some[:10]))
        assert copy_store(source, target).new_videos == 242 - 10
        assert unrevised(target) == unrevised(source)


def test_what_is_not_the_same_is_told(tmp_path: Path) -> None:
    """A target that differs in a run, a vector or an outcome is named as such."""
    source = MemoryStore()
    source.add_rows("list", rows("a", "b"), [])
    source.commit([ok("a", axis(0), media=media("a"))])
    source.add_run(run("r", files={"table": b"x"}))
    for change, told in (
        (lambda store: store.commit([failed("a")]), "outcome"),
        (lambda store: store.commit([ok("a", axis(1), media=media("a"))]), "embedding of demo"),
        (lambda store: store.add_rows("list", rows("b"), []), "list, row or label"),
        (lambda store: store.add_run(run("more")), "run"),
    ):
        with LocalStore(tmp_path) as target:
            copy_store(source, target)
            change(target)
            with pytest.raises(CollectionError, match=f"some {told}"):
                verify(source, target)
        for path in tmp_path.rglob("*"):
            path.unlink(missing_ok=True) if path.is_file() else None


def collection(folder: Path) -> Collection:
    """A collection of two videos with media, calibration and an encoder of its own."""
    opened = made(folder, EncoderChoice("mine", block="B2"), None)
    opened.store.add_rows("list", rows("a", "b"), [])
    opened.store.commit([ok("a", axis(0), media=media("a"))])
    for name in ("media/a.m4a", "media/a.jpg", "media/.b.m4a.partial", "calibration/x.npz"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"bytes of {name}".encode())
    keep_audio(folder, keep=False)
    opened.__exit__()
    return open_collection(folder)


def test_choices_that_are_the_same_are_not_written_again(tmp_path: Path) -> None:
    """Where the copy has the source's choices its collection.toml is not touched."""
    with made(tmp_path / "a", EncoderChoice(), None) as source, made(tmp_path / "b", EncoderChoice(), None) as target:
        before = (tmp_path / "b" / FILE).stat().st_mtime_ns
        copy_collection(source, target)
        assert (tmp_path / "b" / FILE).stat().st_mtime_ns == before


@pytest.mark.parametrize("store", ["local", MILVUS])
def test_a_collection_is_copied_with_its_files_and_choices(tmp_path: Path, store: str) -> None:
    """Media, calibration, the encoder's choice and that of keeping sound go along; what is being written does not."""
    with collection(tmp_path / "from") as source, made(tmp_path / "to", EncoderChoice(), store) as target:
        for _ in range(2):
            copy_collection(source, target)
    with open_collection(tmp_path / "to") as target:
        assert (target.encoder, target.keeps_audio) == (EncoderChoice("mine", block="B2"), False)
        assert {path.name for path in target.media_folder.iterdir()} == {"a.m4a", "a.jpg"}
        assert (tmp_path / "to" / "calibration" / "x.npz").read_bytes() == b"bytes of calibration/x.npz"
        assert (target.media_folder / "a.m4a").read_bytes() == b"bytes of media/a.m4a"
        assert [video.id for video in target.store.videos()] == ["a", "b"]


def test_a_file_in_the_way_and_a_target_without_rights_are_named(tmp_path: Path) -> None:
    """Another file of the same name is not overwritten, a folder in its way is an error, a reader is refused."""
    with collection(tmp_path / "from") as source, made(tmp_path / "to", source.encoder, None) as target:
        target.media_folder.mkdir()
        (target.media_folder / "a.jpg").write_bytes(b"mine")
        with pytest.raises(CollectionError, match=r"a\.jpg is there and is not"):
            copy_collection(source, target)
        assert (target.media_folder / "a.jpg").read_bytes() == b"mine"
        (target.media_folder / "a.jpg").unlink()
        (target.folder / "calibration").write_bytes(b"")
        with pytest.raises(CollectionError, match="A file could not be copied"):
            copy_collection(source, target)
        with pytest.raises(CollectionError, match="is read-only"):
            copy_collection(source, replace(target, read_only=True))


def test_a_collection_whose_store_cannot_be_opened_is_not_made(tmp_path: Path) -> None:
    """Where the store fails no collection.toml is left of a new one, and that of an old one stays."""
    (tmp_path / "db").write_bytes(b"")
    with pytest.raises(CollectionError):
        made(tmp_path, EncoderChoice(), "milvus:db")
    assert not (tmp_path / FILE).exists()
    (tmp_path / "db").unlink()
    made(tmp_path, EncoderChoice(), "local").__exit__()
    with pytest.raises(CollectionError, match="with the store local, not milvus:db"):
        made(tmp_path, EncoderChoice(), "milvus:db")
    text = (tmp_path / FILE).read_text().replace("local", "milvus:catalog.sqlite")
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CollectionError):
        made(tmp_path, EncoderChoice(), None)
    assert (tmp_path / FILE).read_text() == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["copy", "here", "./here"],
        ["copy", "here", "there", "--store", "cloud"],
        ["init", "-c", "new", "--store", "milvus:"],
        ["init", "-c", "new", "--precision", "int8"],
    ],
)
def test_wrong_usage_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """A folder onto itself, an unknown store and what needs videos are refused before anything is made."""
    monkeypatch.chdir(tmp_path)
    made(Path("here"), EncoderChoice(), None).__exit__()
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@pytest.mark.skipif(not HAS_MILVUS, reason=NO_MILVUS)
def test_the_commands_make_and_copy(tmp_path: Path) -> None:
    """`init` makes a collection in Milvus Lite, `copy` fills it, goes on as often as it is asked, and mixes nothing."""
    collection(tmp_path / "from").__exit__()
    change_encoder(tmp_path / "from", EncoderChoice("demo"))
    done = quartzlens("init", "-c", tmp_path / "to", "--store", "milvus:db")
    assert (done.returncode, done.stderr) == (0, "")
    assert 'backend = "milvus:db"' in (tmp_path / "to" / FILE).read_text()
    done = quartzlens("copy", tmp_path / "from", tmp_path / "to")
    assert done.returncode == 0, done.stderr
    assert "verified: 2 videos (1 copied now), 1 embeddings, 2 fragments" in done.stdout
    done = quartzlens("copy", tmp_path / "to", tmp_path / "back", "--store", "local", "--json")
    assert json.loads(done.stdout)["new_videos"] == 1
    done = quartzlens("remove", "-c", tmp_path / "to", "--yes", "a")
    assert (done.returncode, list((tmp_path / "to" / "media").iterdir())) == (0, [])
    assert "keeps its bytes until it tidies up its files" in done.stdout
