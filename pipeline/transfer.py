"""Fetching one file over HTTP: resumable, bounded, and only where its address leads over the web."""

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

OnBytes = Callable[[int, int | None], None]
_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
FAILURES = (HTTPException, OSError)


def why(failure: Exception) -> str:
    """What went wrong with a fetch, in the system's own words.

    >>> why(urllib.error.URLError(OSError(-2, "Name or service not known")))
    'Name or service not known'
    """
    cause = failure.reason if isinstance(failure, urllib.error.URLError) else failure
    return str(getattr(cause, "strerror", None) or cause)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Redirections to the web only, and never from a protected connection to an open one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request to go on with; raises OSError where the address may not be followed."""
        allowed = {"https"} if req.type == "https" else {"https", "http"}
        if urlsplit(newurl).scheme.lower() not in allowed:
            raise OSError(f"it redirects to {newurl!r:.100}, which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(address: str, part: Path, largest_bytes: int, on_bytes: OnBytes) -> None:
    """Fetch into ``part``, from where it ends if the server can; what arrived stays there when the server breaks off.

    Raises
    ------
    urllib.error.HTTPError
        The server answers with a refusal.
    HTTPException, OSError
        No connection, a page in place of a file, an unfit redirection, fewer bytes than were stated, or more than
        ``largest_bytes`` (then nothing is kept: going on would end the same way).
    """
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={done}-"} if done else {})  # noqa: S310
    try:
        response = _opener().open(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not done:
            raise
        if error.headers.get("Content-Range") == f"bytes */{done}":  # all of it is there already
            return
        part.unlink()
        fetch(address, part, largest_bytes, on_bytes)
        return
    with response:
        if response.headers.get_content_type() in {"text/html", "application/xhtml+xml"}:
            raise OSError("a web page came in place of the file")
        try:
            _receive(response, part, _start(response, done), largest_bytes, on_bytes)
        except _TooLargeError:
            part.unlink(missing_ok=True)
            raise


class _TooLargeError(OSError):
    """More bytes than any checkpoint has."""


def _opener() -> urllib.request.OpenerDirector:
    """The standard opener without files, FTP and data addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler, urllib.request.HTTPDefaultErrorHandler, _SafeRedirects,
        urllib.request.HTTPErrorProcessor,
    ):  # fmt: skip
        opener.add_handler(handler())
    return opener


def _start(response: HTTPResponse, done: int) -> int:
    """Where an answer's first byte belongs: at the asked place only if the answer says that it is from there."""
    told = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status == 206 and not (told and int(told[1]) == done):
        raise OSError(f"bytes from {done} on were asked for, and others came")
    return done if response.status == 206 else 0


def _receive(response: HTTPResponse, part: Path, done: int, largest_bytes: int, on_bytes: OnBytes) -> None:
    total = None if response.length is None else done + response.length
    if total is not None and total > largest_bytes:
        raise _TooLargeError(f"it claims {total} bytes, over the limit of {largest_bytes}")
    with part.open("r+b" if done else "wb") as stream:
        stream.seek(done)
        stream.truncate()
        while chunk := response.read(_CHUNK_BYTES):
            stream.write(chunk)
            done += len(chunk)
            if done > largest_bytes:
                raise _TooLargeError(f"it sends more than {largest_bytes} bytes")
            on_bytes(done, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and done != total:
        raise OSError(f"{done} of {total} bytes arrived")
