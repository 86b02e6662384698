"""Batches of what was given to the browser: safe names, links that are links, and nothing lost."""

import doctest
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import ingest_panel, ingest_uploads
from dashboard.ingest_child import IngestChild
from dashboard.ingest_uploads import Batch, State, batches, begin, keep, leave, links_in, noted, safe_name, unnamed
from quartzlens.errors import UsageError


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_every_name_becomes_a_harmless_one(name: str, taken: list[str]) -> None:
    """Whatever a stranger calls a file, it gets a free name that is visible, printable, short and in no folder."""
    found = safe_name(name, taken)
    assert found.isprintable()
    assert not re.search(r"^\.|[/\\]", found)
    assert 0 < len(found.encode()) <= 250
    assert found not in taken


@pytest.mark.parametrize("name", ["my song.mp3", "étude n°1 (live).MP4", "-wtIMTCHWuI.opus", "what? really!.wav"])
def test_a_harmless_name_is_kept(tmp_path: Path, name: str) -> None:
    """A list finds the file that was given with it, whatever blanks, accents and signs its name has."""
    batch = keep(
        tmp_path, (), [("list.CSV", f'path\n"{name}"\nother.wav\n'.encode()), (f"a/{name}", b""), ("b.wav", b"")]
    )
    assert (batch.folder / name).is_file()
    assert batch.sources == ("list.CSV",)
    assert unnamed(batch) == ["b.wav"]
    found = IngestChild(tmp_path).survey(batch.paths, batch.folder)
    assert found["ingest"]["files"] == 1
    assert [(one["row"], one["problem"]) for one in found["unusable"]] == [
        (2, "a file that was not given with the list")
    ]


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "file:///etc/passwd", "javascript:alert(1)", "https://", "a.mp4", "-c"]
)
def test_only_links_are_links(text: str) -> None:
    """A path or another scheme among pasted links is refused by name, and nothing is kept."""
    with pytest.raises(UsageError, match=re.escape(text)):
        links_in(f"https://example.org/a\n{text}")


def test_too_many_links_are_refused() -> None:
    """Above ten thousand links a CSV is asked for."""
    with pytest.raises(UsageError, match="These are 10,001 links: give 10,000 at most"):
        links_in("\n".join(f"https://example.org/{n}" for n in range(ingest_uploads.MOST_LINKS + 1)))


def test_a_batch_is_found_again(tmp_path: Path) -> None:
    """What was given and how far it is stands on the disk; two files of one name are both kept."""
    made = keep(tmp_path, ("https://example.org/a",), [("a/b.wav", b"1"), ("c/b.wav", b"2")])
    assert [Path(path).read_bytes() for path in made.paths[:2]] == [b"1", b"2"]
    assert Path(made.paths[2]).read_text() == "https://example.org/a\n"
    assert batches(tmp_path) == []
    begun = noted(replace(made, survey={"rows": 3}, state=State.BEGUN))
    assert batches(tmp_path) == [begun]
    (tmp_path / "uploads" / "other").mkdir()
    (tmp_path / "uploads" / "other" / "batch.json").write_text("{")
    assert batches(tmp_path) == [begun]


def test_files_beside_a_list_are_what_it_names(tmp_path: Path) -> None:
    """With a CSV the media are no sources of their own; without one they are."""
    assert keep(tmp_path, (), [("list.csv", b"path\na.wav\n"), ("a.wav", b"")]).sources == ("list.csv",)
    assert keep(tmp_path, (), [("a.wav", b"")]).sources == ("a.wav",)
    with pytest.raises(UsageError, match="Nothing was given"):
        keep(tmp_path, (), [])


def test_only_what_was_never_begun_is_discarded(tmp_path: Path) -> None:
    """Leaving removes the files of a batch that nothing came of; of one begun since it was drawn what is left goes."""
    given_, drawn = (noted(keep(tmp_path, (), [(name, b"")])) for name in ("a.wav", "b.wav"))
    begin(drawn.folder, lambda _: None)
    taken: list[Path] = []
    for one in (given_, drawn, drawn, given_):
        leave(one.folder, taken.append)
    assert taken == [drawn.folder]
    assert not given_.folder.exists()
    assert [(one.folder, one.state) for one in batches(tmp_path)] == [(drawn.folder, State.ENDED)]
    assert (drawn.folder / "b.wav").is_file()


def test_what_could_not_be_started_was_not_begun(tmp_path: Path) -> None:
    """A batch whose start is refused waits as before; one that is gone is told, not started."""
    batch = noted(keep(tmp_path, (), [("a.wav", b"")]))

    def refused(_: Batch) -> None:
        raise UsageError("An ingest runs already")

    with pytest.raises(UsageError, match="runs already"):
        begin(batch.folder, refused)
    assert [one.state for one in batches(tmp_path)] == [State.GIVEN]
    leave(batch.folder, lambda _: None)
    with pytest.raises(UsageError, match="Another browser has discarded"):
        begin(batch.folder, refused)


def test_what_cannot_be_taken_back_still_waits(tmp_path: Path) -> None:
    """A begun batch whose rows cannot be taken back now can be gone on with, or left later."""
    batch = noted(replace(keep(tmp_path, (), [("a.wav", b"")]), state=State.BEGUN))

    def refused(_: Path) -> None:
        raise UsageError("in use by another process")

    with pytest.raises(UsageError, match="in use"):
        leave(batch.folder, refused)
    assert batches(tmp_path) == [batch]


@pytest.mark.parametrize("module", [ingest_uploads, ingest_panel])
def test_the_examples_hold(module: object) -> None:
    """The examples in the docstrings give what they say."""
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0


def test_no_more_than_the_server_can_hold_is_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many files, or too many bytes, are refused with what to do instead, and nothing is kept."""
    many = [(f"{n}.wav", b"") for n in range(ingest_uploads.MOST_FILES + 1)]
    with pytest.raises(UsageError, match=r"These are 201 files, and 200 are taken at once: give fewer"):
        keep(tmp_path, (), many)
    monkeypatch.setattr(ingest_uploads, "MOST_BYTES", 2**29)
    with pytest.raises(UsageError, match=r"0\.6 GB of files, and 0\.5 GB is taken at once"):
        keep(tmp_path, (), [("a.wav", memoryview(bytes(1)).cast("B")), ("b.wav", bytes(600 * 2**20))])
    assert batches(tmp_path) == []
    assert not list(tmp_path.iterdir())
