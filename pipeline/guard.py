"""The one way out for downloads: a proxy on loopback that resolves, checks and connects, for yt-dlp and for ffmpeg.

Checking an address before a request is not enough: a redirect, a second resolution or ffmpeg's own connection would get
around it. What goes through here cannot.
"""

import ipaddress
import math
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pipeline.container import Refusal
from pipeline.upstream import Upstream, UpstreamError
from quartzlens.outcomes import Outcome

_BLOCK_BYTES = 16_384
# What is under way when nobody wants more has been sent for nothing: a connection begins with small buffers.
_BUFFER_BYTES = 16_384
_LARGE_BUFFER_BYTES = 1_048_576
_LARGE_AFTER_BYTES = 1_048_576
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(slots=True)
class Log:
    """What a guard saw: the first address it refused, what its proxy failed with, and how many bytes came in."""

    refused: str | None = None
    proxy_failed: str | None = None
    received_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class RefusedAddressError(Exception):
    """A host that may not be connected to; the message says which address it has."""


class Guard:
    """Runs the proxy while its context is open.

    Parameters
    ----------
    allow_hosts
        Host names or addresses, as links write them, that may be private.
    max_bytes
        After so many bytes all connections are cut.
    timeout_seconds
        For connecting, and for the silence after which a connection is cut.
    proxy
        What hosts are reached through, by the addresses that were checked (None: nothing).
    """

    def __init__(
        self, allow_hosts: frozenset[str], max_bytes: int, timeout_seconds: float, proxy: Upstream | None = None
    ) -> None:
        self.log = Log()
        self.allow_hosts = allow_hosts
        self.max_bytes = max_bytes
        self.timeout_seconds = timeout_seconds
        self.proxy = proxy
        self._ends_at = math.inf
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.guard = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """The proxy's own address, for the programs that are to use it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def over_cap(self) -> bool:
        """Whether the byte cap was reached."""
        return self.log.received_bytes > self.max_bytes

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to a host that may be connected to.

        Raises
        ------
        RefusedAddressError
            It has an address that is not public; noted in the log.
        UpstreamError
            The proxy fails; noted in the log.
        OSError
            It has no address, or none answers.
        """
        try:
            addresses = public_addresses(host, port, self.allow_hosts)
        except RefusedAddressError as error:
            self.log.refused = self.log.refused or str(error)
            raise
        for address in addresses[:-1]:
            try:
                return self._reach(address, port)
            except OSError:
                continue
        return self._reach(addresses[-1], port)

    def _reach(self, address: str, port: int) -> socket.socket:
        if self.proxy is None:
            return socket.create_connection((address, port), self.timeout_seconds)
        try:
            return self.proxy.connect(address, port, self.timeout_seconds)
        except UpstreamError as error:
            self.log.proxy_failed = str(error)
            raise

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut all connections after so many seconds, as long as the context is open."""
        self._ends_at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._ends_at = math.inf

    @property
    def patience_seconds(self) -> float:
        """How long a connection may be silent from now on; 0 where none may go on."""
        return max(0.0, min(self.timeout_seconds, self._ends_at - time.monotonic()))

    def count(self, received: int) -> bool:
        """Count bytes that came in; whether more may come."""
        with self.log.lock:
            self.log.received_bytes += received
        return not self.over_cap


def refusal_of_link(link: str, allow_hosts: frozenset[str]) -> Refusal | None:
    """Why a link may not be fetched: its scheme, or where its host is; None where it may.

    >>> refusal_of_link("file:///etc/passwd", frozenset()).detail
    "only http and https links are fetched, and this is 'file'"
    """
    try:
        parts = urlsplit(link)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return Refusal(Outcome.REFUSED_LINK, f"not an address: {error}")
    if parts.scheme not in _PORTS:
        return Refusal(Outcome.REFUSED_LINK, f"only http and https links are fetched, and this is {parts.scheme!r}")
    if not host:
        return Refusal(Outcome.REFUSED_LINK, "the link names no host")
    try:
        public_addresses(host, port or _PORTS[parts.scheme], allow_hosts)
    except RefusedAddressError as error:
        return Refusal(Outcome.REFUSED_LINK, str(error))
    except OSError as error:
        return Refusal(Outcome.NETWORK, f"{host}: {error.strerror or error}")
    return None


def public_addresses(host: str, port: int, allow_hosts: frozenset[str]) -> list[str]:
    """The addresses of a host, all of them public unless the host is allowed.

    Raises
    ------
    RefusedAddressError
        One of them is private, loopback, link-local, multicast or reserved.
    OSError
        There are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"no host can be named {host!r}") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if host not in allow_hosts and not is_public(address):
            raise RefusedAddressError(f"{host} is at {address}, which is not a public address")
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also behind the ways of writing IPv4 in IPv6.

    >>> [is_public(a) for a in ("93.184.216.34", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "224.0.0.1")]
    [True, False, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class _Server(ThreadingHTTPServer):
    """Threads that never keep the process alive; errors of a connection are the client's to see."""

    daemon_threads = True
    block_on_close = False
    guard: Guard

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a broken connection is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection: a tunnel (CONNECT) or one plain request passed on."""

    rbufsize = 0  # what follows the head stays in the socket, for the relay
    server: _Server

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        upstream = self._upstream(host.strip("[]"), int(port))
        if upstream is not None:
            with upstream:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._relay(upstream)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.scheme != "http" or not parts.hostname:
            self.send_error(400)
            return
        upstream = self._upstream(parts.hostname, parts.port or 80)
        if upstream is None:
            return
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        head = [f"{self.command} {target} HTTP/1.1"]
        hop = {"connection", "proxy-connection", "proxy-authorization", "keep-alive"}
        head += [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in hop]
        with upstream:
            upstream.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1"))
            self._relay(upstream)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the base class calls them so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing on the terminal."""

    def _upstream(self, host: str, port: int) -> socket.socket | None:
        """A connection to the host; None after having answered why there is none."""
        self.close_connection = True
        try:
            return self.server.guard.connect(host, port)
        except RefusedAddressError:
            self.send_error(403, "refused: not a public address")
        except TimeoutError:
            self.send_error(504, "timed out")
        except OSError as error:
            self.send_error(502, (error.strerror or "no connection").replace("\n", " "))
        return None

    def _relay(self, upstream: socket.socket) -> None:
        """Pass bytes both ways until an end closes, says nothing for too long, or the cap is reached."""
        guard = self.server.guard
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small buffers would wait for more
        self._buffer(upstream, _BUFFER_BYTES)
        relayed_bytes = 0
        while True:
            patience_seconds = guard.patience_seconds
            ready, _, _ = select.select([self.connection, upstream], [], [], patience_seconds)
            if not ready or not patience_seconds:
                return
            for end in ready:
                block = end.recv(_BLOCK_BYTES)
                if not block or (end is upstream and not guard.count(len(block))):
                    return
                (self.connection if end is upstream else upstream).sendall(block)
                if relayed_bytes <= _LARGE_AFTER_BYTES < relayed_bytes + len(block):
                    self._buffer(upstream, _LARGE_BUFFER_BYTES)
                relayed_bytes += len(block)

    def _buffer(self, upstream: socket.socket, n_bytes: int) -> None:
        upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, n_bytes)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, n_bytes)
