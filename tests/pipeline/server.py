"""A web server on loopback that stands in for a video host: files with ranges, and the ways in which hosts fail."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.loopback import LoopbackServer
from tests.pipeline.oddities import WAYS, Answer

_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/x-wav"}
_TYPES |= {".flac": "audio/flac", ".m4a": "audio/mp4", ".m3u8": "application/vnd.apple.mpegurl", ".html": "text/html"}
_BLOCK_BYTES = 8192


class Server(LoopbackServer):
    """Serves ``folder`` below /files/ and fails elsewhere, below the names of ``oddities.WAYS`` in those ways.

    Below /status/N it answers N, /stall says nothing, /redirect?to= sends on, /endless never ends, and all else is a
    page of HTML. Files below /whole/ come without ranges, below /short/ and /unstated/ they break off halfway (with and
    without a stated length), below /less/ a smaller length is stated. ``asked`` lists the paths that were asked for,
    ``cookies`` the cookies that came with them, and ``sent_bytes`` counts what was sent of files. The statuses in
    ``answers`` are answered first, one a request; ``retry_after`` goes with them and with /status/, where it is set,
    and every file comes with the cookie ``sets``, if there is one.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.asked: list[str] = []
        self.cookies: list[str] = []
        self.sent_bytes = 0
        self.answers: list[int] = []
        self.sets = ""
        self.retry_after = ""
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        """Address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(folder: Path, certificate: Path | None = None) -> Iterator[Server]:
    """A running server on a free port; over TLS where there is a certificate (with its key)."""
    server = Server(folder)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def setup(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BLOCK_BYTES)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.cookies.append(self.headers.get("Cookie", ""))
        if self.server.answers:
            self._fail(self.server.answers.pop(0))
            return
        parts = urlsplit(self.path)
        first, _, rest = parts.path.lstrip("/").partition("/")
        if first == "files":
            self._file(self.server.folder / unquote(rest))
        elif first in {"whole", "short", "unstated", "less"}:
            self._odd(first, (self.server.folder / unquote(rest)).read_bytes())
        elif first == "status":
            self._fail(int(rest.partition("/")[0]))
        elif first == "redirect":
            self._head(302, {"Location": parse_qs(parts.query)["to"][0], "Content-Length": "0"})
        elif first in WAYS:
            self.close_connection = True
            WAYS[first](Answer(self, self.server.closing), (self.server.folder / unquote(rest)).read_bytes())
        elif first == "stall":
            self.server.closing.wait(30)
        elif first == "endless":
            self._endless()
        else:
            self._body(b"<html><head><title>A page</title></head><body>Nothing to hear.</body></html>", "text/html")

    do_HEAD = do_GET  # noqa: N815 - the base class calls it so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.server.sets:
            self.send_header("Set-Cookie", self.server.sets)
        self.end_headers()

    def _fail(self, status: int) -> None:
        asked = {"Retry-After": self.server.retry_after} if self.server.retry_after else {}
        self._head(status, {"Content-Length": "0", **asked})

    def _body(self, body: bytes, kind: str) -> None:
        self._head(200, {"Content-Type": kind, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _odd(self, kind: str, body: bytes) -> None:
        stated = {"whole": len(body), "short": len(body), "unstated": None, "less": len(body) - 20_000}[kind]
        length = {} if stated is None else {"Content-Length": str(stated)}
        self._head(200, {"Content-Type": "application/octet-stream", **length})
        self.wfile.write(body[: len(body) // 2] if kind in {"short", "unstated"} else body)
        self.close_connection = True

    def _endless(self) -> None:
        self._head(200, {"Content-Type": "audio/x-wav"})
        while not self.server.closing.is_set():
            self.wfile.write(b"\0" * 65536)
            time.sleep(0.001)

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self.send_error(404)
            return
        body, kind = path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream")
        asked = self.headers.get("Range", "")
        if not asked.startswith("bytes="):
            self._head(200, {"Content-Type": kind, "Content-Length": str(len(body)), "Accept-Ranges": "bytes"})
            status_body = body
        else:
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            start, stop = int(begin), min(int(end or len(body) - 1), len(body) - 1)
            if start > stop:
                self._head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
                return
            status_body = body[start : stop + 1]
            ranged = {"Content-Range": f"bytes {start}-{stop}/{len(body)}", "Content-Length": str(len(status_body))}
            self._head(206, {"Content-Type": kind, "Accept-Ranges": "bytes", **ranged})
        if self.command != "HEAD":
            self._send(status_body)

    def _send(self, body: bytes) -> None:
        """Write in small blocks, so that what nobody takes is not counted."""
        for begin in range(0, len(body), _BLOCK_BYTES):
            self.wfile.write(body[begin : begin + _BLOCK_BYTES])
            self.server.sent_bytes += len(body[begin : begin + _BLOCK_BYTES])
