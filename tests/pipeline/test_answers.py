"""What searches answered is there again, whatever ended the process that asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.answers import answers_in
from pipeline.repair import Wanted
from pipeline.search import Hit
from pipeline.work import Refused
from quartzlens.errors import LockedError
from quartzlens.outcomes import Outcome, Stage

ONE, TWO = Wanted("One", "C", "JLZlCZ0"), Wanted("Two", None, "#NAME?")
BROKEN = Refused(Outcome.NETWORK, Stage.DOWNLOAD, "no route (after 3 tries)")


def test_answers_come_back(tmp_path: Path) -> None:
    """Hits and failures are there again, each with what was asked; the last about a video counts."""
    hits = (Hit("ehmsJLZlCZ0", "Ti\u00adtle \U0001f600", None), Hit("-wtIMTCHWuI", "", "C"))
    with answers_in(tmp_path / "a.jsonl") as answers:
        answers.add(ONE, BROKEN)
        answers.add(TWO, ())
        answers.add(ONE, hits)
    with answers_in(tmp_path / "a.jsonl") as answers:
        assert answers.get(ONE) == hits
        assert answers.get(TWO) == ()
        assert answers.get(Wanted("One", "D", "JLZlCZ0")) is None
        answers.add(ONE, BROKEN)
    with answers_in(tmp_path / "a.jsonl") as answers:
        assert answers.get(ONE) == BROKEN


def test_a_torn_line_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    """Cut off after any byte, the file gives what was whole, and what is added next is whole."""
    path = tmp_path / "a.jsonl"
    with answers_in(path) as answers:
        answers.add(TWO, ())
        n_first = path.stat().st_size
        answers.add(ONE, (Hit("ehmsJLZlCZ0", "\u00e4", "C"),))
    whole = path.read_bytes()
    for n_bytes in range(n_first, len(whole)):
        path.write_bytes(whole[:n_bytes])
        with answers_in(path) as answers:
            assert answers.get(TWO) == ()
            assert answers.get(ONE) is None
            answers.add(ONE, BROKEN)
        assert len(path.read_bytes().splitlines()) == 2
        with answers_in(path) as answers:
            assert answers.get(ONE) == BROKEN


def test_lines_that_nobody_can_read_are_as_not_asked(tmp_path: Path) -> None:
    """Whatever somebody wrote between the answers, those are there."""
    path = tmp_path / "a.jsonl"
    with answers_in(path) as answers:
        answers.add(ONE, ())
    kept = path.read_bytes()
    asked = {"title": "Two", "channel": None, "damaged": "#NAME?"}
    odd: list[Any] = [7, None, [], {}, asked, {**asked, "hits": 7}, {**asked, "outcome": "no such", "detail": ""}]
    odd += [{**asked, "title": ["x"], "hits": []}, {**asked, "hits": [7, {"id": "short"}]}]
    lines = [json.dumps(one).encode() for one in odd] + [b"\xff\xfe{", b"[" * 100_000, b""]
    path.write_bytes(b"\n".join([*lines, kept]))
    with answers_in(path) as answers:
        assert answers.get(ONE) == ()
        assert answers.get(TWO) == ()  # of its hits none can be a video


def test_one_repair_of_a_list_at_a_time(tmp_path: Path) -> None:
    """A second one is told, and the first one's end lets the next in."""
    path = tmp_path / "a.jsonl"
    words = "another repair of the same list"
    with answers_in(path), pytest.raises(LockedError, match=words), answers_in(path):
        pass
    with answers_in(path) as answers:
        answers.add(ONE, ())
