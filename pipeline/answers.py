"""What searches answered, kept line by line beside what is made of it: nothing is asked twice, whatever ends a run."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.repair import Wanted
from pipeline.search import Hit, hit_of
from pipeline.work import Refused
from quartzlens.errors import LockedError, UsageError
from quartzlens.outcomes import Outcome, Stage

Answer = tuple[Hit, ...] | Refused


class Answers:
    """The answers of a file, which grows with every new one; made by ``answers_in``.

    A line holds what was asked and the answer, but the first, which names the list that they are for; the last line
    about a video counts. A line that was cut off in the middle of its writing, or that nobody can read, is as if it had
    not been asked.
    """

    def __init__(self, handle: int, lines: Sequence[str], list_: Path) -> None:
        self._handle, self._new = handle, set[Wanted]()
        self._first = "" if lines else json.dumps({"list": str(list_)}) + "\n"
        self._known: dict[Wanted, Answer] = {}
        for entry in map(_entry, lines):
            if entry is not None:
                self._keep(*entry)

    def get(self, wanted: Wanted) -> Answer | None:
        """What was answered about a video; None where nothing was asked."""
        return self._known.get(wanted)

    def is_new(self, wanted: Wanted) -> bool:
        """Whether the answer came since the file was opened."""
        return wanted in self._new

    def oldest_first(self) -> tuple[tuple[Wanted, Answer], ...]:
        """What was asked, with its answer; what was answered longest ago comes first."""
        return tuple(self._known.items())

    def add(self, wanted: Wanted, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns."""
        line = json.dumps({**_asked(wanted), "at": datetime.now(UTC).isoformat("T", "seconds"), **_answered(answer)})
        _write(self._handle, f"{self._first}{line}\n".encode())
        self._first = ""
        self._new.add(wanted)
        self._keep(wanted, answer)

    def _keep(self, wanted: Wanted, answer: Answer) -> None:
        self._known.pop(wanted, None)
        self._known[wanted] = answer


@contextmanager
def answers_in(path: Path, list_: Path) -> Iterator[Answers]:
    """The answers of a file about a list, made by the first answer; nobody else adds to it meanwhile.

    Raises
    ------
    LockedError
        Another process has it open in this way.
    UsageError
        It is of another list.
    """
    handle = _locked(path)
    try:
        lines = _whole_lines(handle).decode("utf-8", "replace").split("\n")[:-1]
        _check_list(path, lines[:1], list_.resolve())
        yield Answers(handle, lines, list_.resolve())
    finally:
        if os.fstat(handle).st_size == 0:
            path.unlink(missing_ok=True)
        os.close(handle)


def _locked(path: Path) -> int:
    """A handle of a file that nobody else holds in this way."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            message = f"{path} is in use by another repair of the same list: wait until it is done, or stop it."
            raise LockedError(message) from error
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # its last holder removed it, empty, before this one locked it


def _check_list(path: Path, first_lines: Sequence[str], list_: Path) -> None:
    """Raise UsageError where the first line of answers names another list; older answers name none."""
    try:
        named = [json.loads(line)["list"] for line in first_lines]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if named and named[0] != str(list_):
        raise UsageError(
            f"{path} has the answers about another list, {named[0]}: choose another output by -o. If it is the same "
            "list, which was moved, take the first line out of that file."
        )


def _write(handle: int, line: bytes) -> None:
    while line:
        line = line[os.write(handle, line) :]
    os.fsync(handle)


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
