"""What searches answered is there again, whatever ended the process that asked."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.answers import answers_in
from pipeline.repair import Wanted
from pipeline.search import Hit
from pipeline.work import Refused
from quartzlens.errors import LockedError, UsageError
from quartzlens.outcomes import Outcome, Stage

ONE, TWO = Wanted("One", "C", "JLZlCZ0"), Wanted("Two", None, "#NAME?")
LIST = Path("list.csv")
BROKEN = Refused(Outcome.NETWORK, Stage.DOWNLOAD, "no route (after 3 tries)")


def test_answers_come_back(tmp_path: Path) -> None:
    """Hits and failures are there again, each with what was asked; the last about a video counts."""
    hits = (Hit("ehmsJLZlCZ0", "Ti\u00adtle \U0001f600", None), Hit("-wtIMTCHWuI", "", "C"))
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        answers.add(ONE, BROKEN)
        answers.add(TWO, ())
        answers.add(ONE, hits)
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        assert answers.get(ONE) == hits
        assert answers.get(TWO) == ()
        assert answers.get(Wanted("One", "D", "JLZlCZ0")) is None
        answers.add(ONE, BROKEN)
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        assert answers.get(ONE) == BROKEN


def test_a_torn_line_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    """Cut off after any byte, the file gives what was whole, and what is added next is whole."""
    path = tmp_path / "a.jsonl"
    with answers_in(path, LIST) as answers:
        answers.add(TWO, ())
        n_first = path.stat().st_size
        answers.add(ONE, (Hit("ehmsJLZlCZ0", "\u00e4", "C"),))
    whole = path.read_bytes()
    for n_bytes in range(n_first, len(whole)):
        path.write_bytes(whole[:n_bytes])
        with answers_in(path, LIST) as answers:
            assert answers.get(TWO) == ()
            assert answers.get(ONE) is None
            answers.add(ONE, BROKEN)
        assert len(path.read_bytes().splitlines()) == 3
        with answers_in(path, LIST) as answers:
            assert answers.get(ONE) == BROKEN


def test_lines_that_nobody_can_read_are_as_not_asked(tmp_path: Path) -> None:
    """Whatever somebody wrote between the answers, those are there."""
    path = tmp_path / "a.jsonl"
    with answers_in(path, LIST) as answers:
        answers.add(ONE, ())
    kept = path.read_bytes()
    asked = {"title": "Two", "channel": None, "damaged": "#NAME?"}
    odd: list[Any] = [7, None, [], {}, asked, {**asked, "hits": 7}, {**asked, "outcome": "no such", "detail": ""}]
    odd += [{**asked, "title": ["x"], "hits": []}, {**asked, "hits": [7, {"id": "short"}]}]
    lines = [json.dumps(one).encode() for one in odd] + [b"\xff\xfe{", b"[" * 100_000, b""]
    path.write_bytes(b"\n".join([*lines, kept]))
    with answers_in(path, LIST) as answers:
        assert answers.get(ONE) == ()
        assert answers.get(TWO) == ()  # of its hits none can be a video


def test_one_repair_of_a_list_at_a_time(tmp_path: Path) -> None:
    """A second one is told, and the first one's end lets the next in."""
    path = tmp_path / "a.jsonl"
    words = "another repair of the same list"
    with answers_in(path, LIST), pytest.raises(LockedError, match=words), answers_in(path, LIST):
        pass
    with answers_in(path, LIST) as answers:
        answers.add(ONE, ())


def test_answers_are_of_one_list(tmp_path: Path) -> None:
    """Another list is told whose they are; the same one by another name, and answers that name none, are let in."""
    path, mine, link = tmp_path / "a.jsonl", tmp_path / "mine.csv", tmp_path / "link.csv"
    link.symlink_to(mine)
    with answers_in(path, mine) as answers:
        answers.add(ONE, ())
    with pytest.raises(UsageError, match=f"another list, {mine}"), answers_in(path, tmp_path / "other.csv"):
        pass
    with answers_in(path, link) as answers:
        assert answers.get(ONE) == ()
    first, *others = path.read_text().splitlines(keepends=True)
    assert json.loads(first) == {"list": str(mine)}
    path.write_text("".join(others))
    with answers_in(path, tmp_path / "other.csv") as answers:
        assert answers.get(ONE) == ()


def test_answers_are_given_by_age(tmp_path: Path) -> None:
    """What was answered again is the youngest, also for the next one who reads; only what is of now is new."""
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        for one in (ONE, TWO, ONE):
            answers.add(one, ())
        assert [one for one, _ in answers.oldest_first()] == [TWO, ONE]
        assert answers.is_new(ONE)
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        assert [one for one, _ in answers.oldest_first()] == [TWO, ONE]
        assert not answers.is_new(ONE)


def test_a_disk_that_takes_little_at_a_time_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that the system cuts short goes on."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        answers.add(ONE, BROKEN)
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        assert answers.get(ONE) == BROKEN


def test_without_answers_there_is_no_file(tmp_path: Path) -> None:
    """Who asks nothing leaves nothing, and still keeps others out meanwhile."""
    path = tmp_path / "a.jsonl"
    with answers_in(path, LIST), pytest.raises(LockedError), answers_in(path, LIST):
        pass
    assert not path.exists()


def test_a_file_that_went_before_it_was_locked_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened it just before its holder removed it locks the one that others will find."""
    path, lock = tmp_path / "a.jsonl", fcntl.flock
    gone: list[int] = []

    def late(handle: int, how: int) -> None:
        if not gone:
            path.unlink()
            gone.append(handle)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with answers_in(path, LIST) as answers:
        with pytest.raises(LockedError), answers_in(path, LIST):
            pass
        answers.add(ONE, ())
    with answers_in(path, LIST) as answers:
        assert answers.get(ONE) == ()
