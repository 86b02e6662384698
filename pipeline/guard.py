"""The one way out for downloads: a proxy on loopback that resolves, checks and connects, for yt-dlp and for ffmpeg.

Checking an address before a request is not enough: a redirect, a second resolution or ffmpeg's own connection would get
around it. What goes through here cannot.
"""

import base64
import ipaddress
import math
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pipeline import relay
from pipeline.container import Refusal
from pipeline.guard_log import Log, failure
from pipeline.loopback import LoopbackServer
from pipeline.upstream import Upstream, UpstreamError
from quartzlens.outcomes import Outcome

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_INTERNET6 = ipaddress.ip_network("2000::/3")
_USER = "quartzlens"


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
        self._password = secrets.token_urlsafe()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.guard = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        """The proxy's own port."""
        return self._server.server_port

    @property
    def address(self) -> str:
        """The proxy's own address, with what signs in there, for the programs that are to use it."""
        return f"http://{_USER}:{self._password}@127.0.0.1:{self.port}"

    def admits(self, authorization: str) -> bool:
        """Whether a request comes from who was told the address: others on this machine find the port, too."""
        words = f"{_USER}:{self._password}".encode()
        return secrets.compare_digest(authorization.encode(), b"Basic " + base64.b64encode(words))

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
        self._ends_at = 0.0
        self._server.shutdown()
        self._server.server_close()

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to a host that may be connected to.

        Raises
        ------
        RefusedAddressError
            It has an address that is not public; noted in the log.
        UpstreamError
            The proxy connects to none of its addresses; noted in the log until a later connection is made.
        OSError
            It has no address, or none answers; likewise.
        """
        self.log.begin(host)
        try:
            connection = self._reach_any(public_addresses(host, port, self.allow_hosts), port)
        except RefusedAddressError as error:
            self.log.refused = self.log.refused or str(error)
            raise
        except UpstreamError as error:
            self.log.proxy_failed = str(error)
            raise
        except OSError as error:
            self.log.unreached = failure(host, error)
            raise
        self.log.reached()
        return connection

    def _reach_any(self, addresses: list[str], port: int) -> socket.socket:
        for address in addresses[:-1]:
            with suppress(OSError):
                return self._reach(address, port)
        return self._reach(addresses[-1], port)

    def _reach(self, address: str, port: int) -> socket.socket:
        if self.proxy is None:
            return socket.create_connection((address, port), self.timeout_seconds)
        return self.proxy.connect(address, port, self.timeout_seconds)

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
        return Refusal(Outcome.NETWORK, failure(host, error))
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
        if ip not in _INTERNET6:
            return False
    return ip.is_global and not ip.is_multicast


class _Server(LoopbackServer):
    """The proxy of one guard."""

    guard: Guard


class _Handler(BaseHTTPRequestHandler):
    """One connection: a tunnel (CONNECT) or one plain request passed on, for who signs in."""

    rbufsize = 0  # what follows the head stays in the socket
    server: _Server

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        upstream = self._upstream(host.strip("[]"), int(port))
        if upstream is not None:
            with upstream:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                relay.tunnel(self.connection, upstream, self.server.guard)

    def do_GET(self) -> None:
        parts, n_bytes = urlsplit(self.path), self._body_bytes()
        if parts.scheme != "http" or not parts.hostname or n_bytes is None:
            self.send_error(400)
            return
        upstream = self._upstream(parts.hostname, parts.port or 80)
        if upstream is None:
            return
        with upstream:
            upstream.sendall(self._head(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"))
            relay.body(self.connection, upstream, n_bytes)
            relay.answer(self.connection, upstream, self.server.guard)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the base class calls them so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing on the terminal."""

    def _head(self, target: str) -> bytes:
        """The request's head as the host gets it."""
        hop = {"connection", "proxy-connection", "proxy-authorization", "keep-alive"}
        lines = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() not in hop]
        return "\r\n".join([f"{self.command} {target} HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")

    def _body_bytes(self) -> int | None:
        """How long the request's body is; None where that is not told in one number."""
        told = self.headers.get_all("Content-Length", ["0"])
        one = len(told) == 1 and told[0].isdecimal() and "Transfer-Encoding" not in self.headers
        return int(told[0]) if one else None

    def _upstream(self, host: str, port: int) -> socket.socket | None:
        """A connection to the host; None after having answered why there is none."""
        self.close_connection = True
        if not self.server.guard.admits(self.headers.get("Proxy-Authorization", "")):
            self._ask_to_sign_in()
            return None
        try:
            return self.server.guard.connect(host, port)
        except RefusedAddressError:
            self.send_error(403, "refused: not a public address")
        except TimeoutError:
            self.send_error(504, "timed out")
        except OSError as error:
            self.send_error(502, (error.strerror or "no connection").replace("\n", " "))
        return None

    def _ask_to_sign_in(self) -> None:
        self.send_response(407)
        self.send_header("Proxy-Authenticate", f'Basic realm="{_USER}"')
        self.send_header("Content-Length", "0")
        self.end_headers()
