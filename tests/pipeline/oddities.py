"""How hosts fail that begin to answer: each way takes an answer, which it writes, and the file that was asked for."""

import gzip
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Event


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request; ``closing`` is set when the server ends."""

    handler: BaseHTTPRequestHandler
    closing: Event

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Send the head of the answer."""
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()


def _begin(answer: Answer, body: bytes, n_bytes: int, kind: str = "audio/mpeg") -> None:
    answer.head(200, {"Content-Type": kind, "Content-Length": str(len(body)), "Accept-Ranges": "bytes"})
    answer.handler.wfile.write(body[:n_bytes])


def _drip(answer: Answer, body: bytes) -> None:
    _begin(answer, body, 1)
    for byte in body[1:]:
        if answer.closing.wait(0.5):
            return
        answer.handler.wfile.write(bytes([byte]))


def _stall(answer: Answer, body: bytes) -> None:
    _begin(answer, body, len(body) // 2)
    answer.closing.wait(30)


def _reset(answer: Answer, body: bytes) -> None:
    _begin(answer, body, len(body) // 2)
    time.sleep(0.2)  # what is on its way is lost with a reset
    answer.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer.handler.connection.close()


def _loop(answer: Answer, _: bytes) -> None:
    answer.head(302, {"Location": answer.handler.path, "Content-Length": "0"})


def _page(answer: Answer, _: bytes) -> None:
    page = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in first.</body></html>"
    _begin(answer, page, len(page), "video/mp4")


def _as_page(answer: Answer, body: bytes) -> None:
    _begin(answer, body, len(body), "text/html")


def _gzipped(answer: Answer, body: bytes) -> None:
    packed = gzip.compress(body)
    head = {"Content-Type": "audio/mpeg", "Content-Encoding": "gzip", "Content-Length": str(len(packed))}
    answer.head(200, head)
    answer.handler.wfile.write(packed)


def _headers(answer: Answer, _: bytes) -> None:
    answer.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not answer.closing.is_set():
        answer.handler.wfile.write(b"X-Header: " + b"x" * 1000 + b"\r\n")


WAYS: dict[str, Callable[[Answer, bytes], None]] = {
    "drip": _drip,
    "half": _stall,
    "reset": _reset,
    "loop": _loop,
    "page": _page,
    "as-page": _as_page,
    "gzipped": _gzipped,
    "headers": _headers,
}
