"""A user's cookie file: checked before anything starts, copied for yt-dlp, and never quoted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quartzlens.errors import UsageError

COPY_NAME = ".cookies"  # begins as no video's id can
_IN_USE_NAME = ".cookies-in-use"
_FIRST_LINE = re.compile(r"#( Netscape)? HTTP Cookie File")
_HTTP_ONLY = "#HttpOnly_"
_EXPIRES = re.compile(r"(?:\d{1,15}(?:\.\d+)?)?", re.ASCII)
_N_FIELDS = 7


def check_cookies(path: Path) -> None:
    """Make sure that a file is one of cookies in the Netscape format, every line of which yt-dlp reads.

    Stricter than yt-dlp, which quotes a line that it cannot read: no cookie may get into a message.

    Raises
    ------
    UsageError
        It is not there, cannot be read, or is not of that format; the message has the number of the line at most.
    """
    if not path.is_file():
        raise UsageError(f"There is no cookie file {path}.")
    try:
        lines = path.read_text("utf-8").split("\n")  # as yt-dlp: not at every separator that Unicode has
    except OSError as error:
        raise UsageError(f"The cookie file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        problem: str | None = "it is not text"
    else:
        problem = _problem(lines)
    if problem:
        raise UsageError(
            f"{path} is not a cookie file in the Netscape format (cookies.txt): {problem}. "
            "Export it anew from a browser that is signed in at the site."
        )


def _problem(lines: list[str]) -> str | None:
    """Why lines are no cookie file, without their content; None for those that are one."""
    if not lines or not _FIRST_LINE.match(lines[0]):
        return "its first line is not `# Netscape HTTP Cookie File`"
    n_cookies = 0
    for number, line in enumerate(lines[1:], 2):
        entry = line.removeprefix(_HTTP_ONLY)
        if not entry.strip() or entry.startswith("#"):
            continue
        fields = entry.split("\t")
        if len(fields) != _N_FIELDS:
            return f"line {number} has {len(fields)} fields between tabs instead of {_N_FIELDS}"
        if (fields[1] == "TRUE") != fields[0].startswith(".") or not _EXPIRES.fullmatch(fields[4]):
            return f"line {number} is not a cookie"
        n_cookies += 1
    return None if n_cookies else "it holds no cookies"


def private_copy(source: Path, target: Path) -> Path:
    """Copy a file so that nobody else can read the copy, at any time; gives ``target``."""
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())
    return target


@contextmanager
def in_use(cookies: Path | None) -> Iterator[Path | None]:
    """A copy for yt-dlp to read and write, which becomes ``cookies`` at the end; None where there are none.

    A worker that is killed while yt-dlp writes leaves ``cookies`` whole.
    """
    if cookies is None:
        yield None
        return
    copy = private_copy(cookies, cookies.with_name(_IN_USE_NAME))
    yield copy
    copy.replace(cookies)
