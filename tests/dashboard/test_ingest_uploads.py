"""Batches of what was given to the browser: safe names, links that are links, and nothing lost."""

import doctest
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import ingest_panel, ingest_uploads
from dashboard.ingest_uploads import State, batches, discard, keep, links_in, noted, safe_name
from quartzlens.errors import UsageError


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_every_name_becomes_a_harmless_one(name: str, taken: list[str]) -> None:
    """Whatever a stranger calls a file, it gets a short, free name of letters, digits, - and _."""
    found = safe_name(name, taken)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[a-z0-9]{1,5})?", found)
    assert len(found) <= 100
    assert found not in taken


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "file:///etc/passwd", "javascript:alert(1)", "https://", "a.mp4", "-c"]
)
def test_only_links_are_links(text: str) -> None:
    """A path or another scheme among pasted links is refused by name, and nothing is kept."""
    with pytest.raises(UsageError, match=re.escape(text)):
        links_in(f"https://example.org/a\n{text}")


def test_too_many_links_are_refused() -> None:
    """Above ten thousand links a CSV is asked for."""
    with pytest.raises(UsageError, match="10,000 at most"):
        links_in("\n".join(f"https://example.org/{n}" for n in range(ingest_uploads.MOST_LINKS + 1)))


def test_a_batch_is_found_again(tmp_path: Path) -> None:
    """What was given and how far it is stands on the disk; two files of one name are both kept."""
    made = keep(tmp_path, ("https://example.org/a",), [("a/b.wav", b"1"), ("c/b.wav", b"2")])
    assert [Path(path).read_bytes() for path in made.paths[:2]] == [b"1", b"2"]
    assert Path(made.paths[2]).read_text() == "https://example.org/a\n"
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
    """Discarding removes the files of a batch that nothing came of, and never those of one that was begun."""
    given_, begun = keep(tmp_path, (), [("a.wav", b"")]), keep(tmp_path, (), [("b.wav", b"")])
    begun = noted(replace(begun, state=State.BEGUN))
    discard(given_)
    discard(begun)
    assert batches(tmp_path) == [begun]
    assert not given_.folder.exists()


@pytest.mark.parametrize("module", [ingest_uploads, ingest_panel])
def test_the_examples_hold(module: object) -> None:
    """The examples in the docstrings give what they say."""
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0
