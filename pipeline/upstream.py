"""A proxy of the user's own between the guard and the hosts: how it is written, and a way through it."""

import base64
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from quartzlens.errors import UsageError

_MAX_HEAD_BYTES = 16_384
_HOW = "Write it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"


class UpstreamError(OSError):
    """The proxy does not answer or lets nobody through; the message names it without its password."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A proxy that is asked to CONNECT; ``authorization`` is never shown."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def connect(self, address: str, port: int, timeout_seconds: float) -> socket.socket:
        """A connection to an address through the proxy.

        Raises
        ------
        UpstreamError
            The proxy cannot be reached, or refuses.
        """
        try:
            connection = socket.create_connection((self.host, self.port), timeout_seconds)
        except OSError as error:
            raise UpstreamError(f"the proxy {self} does not answer: {error.strerror or error}") from error
        try:
            connection.sendall(self._request(f"[{address}]:{port}" if ":" in address else f"{address}:{port}"))
            status = _head(connection).split(b"\r\n")[0].split(b" ")[1:2]
        except OSError as error:
            connection.close()
            raise UpstreamError(f"the proxy {self} does not answer: {error.strerror or error}") from error
        if status != [b"200"]:
            connection.close()
            answer = status[0].decode("ascii", "replace")[:10] if status else "nothing"
            raise UpstreamError(f"the proxy {self} does not connect to {address}: it answers {answer}")
        return connection

    def _request(self, target: str) -> bytes:
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if self.authorization is not None:
            lines.append(f"Proxy-Authorization: Basic {self.authorization}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")


def _head(connection: socket.socket) -> bytes:
    """The head of an answer, and not a byte of what follows it."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _MAX_HEAD_BYTES:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head


def upstream_of(text: str) -> Upstream:
    """The proxy that an address names.

    >>> str(upstream_of("http://me:secret@proxy.example.org:3128"))
    'http://proxy.example.org:3128'

    Raises
    ------
    UsageError
        It is not of that form; the message does not quote it, since it may hold a password.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the system will name it
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme != "http" or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UsageError(f"The proxy is not an address that downloads can go through. {_HOW}.")
    if parts.username is None:
        return Upstream(host, port)
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Upstream(host, port, base64.b64encode(words.encode("utf-8")).decode("ascii"))
