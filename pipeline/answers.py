"""What searches answered, kept line by line beside what is made of it: nothing is asked twice, whatever ends a run."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.repair import Wanted
from pipeline.search import Hit, hit_of
from pipeline.work import Refused
from quartzlens.errors import LockedError
from quartzlens.outcomes import Outcome, Stage

Answer = tuple[Hit, ...] | Refused


class Answers:
    """The answers of a file, which grows with every new one; made by ``answers_in``.

    A line holds what was asked and the answer; the last line about a video counts. A line that was cut off in the
    middle of its writing, or that nobody can read, is as if it had not been asked.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        text = _whole_lines(handle)
        entries = (_entry(line) for line in text.decode("utf-8", "replace").split("\n") if line)
        self._known: dict[Wanted, Answer] = dict(entry for entry in entries if entry is not None)

    def get(self, wanted: Wanted) -> Answer | None:
        """What was answered about a video; None where nothing was asked."""
        return self._known.get(wanted)

    def add(self, wanted: Wanted, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        line = json.dumps({**_asked(wanted), "at": datetime.now(UTC).isoformat("T", "seconds"), **_answered(answer)})
        os.write(self._handle, f"{line}\n".encode())
        os.fsync(self._handle)
        self._known[wanted] = answer


@contextmanager
def answers_in(path: Path) -> Iterator[Answers]:
    """The answers of a file, made where there is none; nobody else adds to it meanwhile.

    Raises
    ------
    LockedError
        Another process has it open in this way.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"{path} is in use by another repair of the same list: wait until it is done, or stop it."
            raise LockedError(message) from error
        yield Answers(handle)
    finally:
        os.close(handle)


def _whole_lines(handle: int) -> bytes:
    """The file's content up to its last line end; what a killed process left behind that goes."""
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(0)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        os.ftruncate(handle, len(whole))
    return whole


def _asked(wanted: Wanted) -> dict[str, Any]:
    return {"title": wanted.title, "channel": wanted.channel, "damaged": wanted.damaged}


def _answered(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Refused):
        return {"outcome": answer.outcome, "detail": answer.detail}
    return {"hits": [{"id": hit.youtube_id, "title": hit.title, "channel": hit.channel} for hit in answer]}


def _entry(line: str) -> tuple[Wanted, Answer] | None:
    """What a line says; None where it says nothing."""
    try:
        entry = json.loads(line)
        channel = entry["channel"]
        wanted = Wanted(str(entry["title"]), None if channel is None else str(channel), str(entry["damaged"]))
        if "hits" in entry:
            return wanted, tuple(hit for one in entry["hits"] if (hit := hit_of(one)) is not None)
        return wanted, Refused(Outcome(entry["outcome"]), Stage.DOWNLOAD, str(entry["detail"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
