"""A proxy of the user's own: the guard checks the address, then goes through it to that address and no other."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.download import Downloaded, DownloadLimits, Refusal, download
from pipeline.guard import Guard
from pipeline.upstream import Upstream, UpstreamError, upstream_of
from pipeline.worker import Worker
from quartzlens.errors import UsageError
from quartzlens.outcomes import Outcome
from tests.pipeline.server import Server, serving
from tests.pipeline.sounds import write_tone
from tests.pipeline.synth import names

HOSTS = frozenset({"127.0.0.1", "localhost"})


class Proxy:
    """A small CONNECT proxy on loopback; ``asked`` holds the heads of the requests, ``status`` is what it answers.

    With ``only_ipv4`` it answers 503 for other addresses.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.only_ipv4 = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):  # a test may have closed it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode())
        status = 503 if self.only_ipv4 and b"CONNECT [" in head else self.status
        if status == 200:
            host, port = head.split()[1].decode().rsplit(":", 1)
            with client, socket.create_connection((host.strip("[]"), int(port))) as target:
                client.sendall(b"HTTP/1.1 200 OK\r\nX-Proxy: yes\r\n\r\n")
                back = threading.Thread(target=_pump, args=(target, client), daemon=True)
                back.start()
                _pump(client, target)
                back.join(5)
        elif status:
            client.sendall(f"HTTP/1.1 {status} No\r\n\r\n".encode())
        client.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy that lets through."""
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Server]:
    """A host with one tone."""
    write_tone(tmp_path / "host" / "tone.wav", 3)
    with serving(tmp_path / "host") as server:
        yield server


def through(text: str, host: Server, folder: Path, name: str = "localhost") -> Downloaded | Refusal:
    """Download the host's tone through a proxy, by a name for the host."""
    limits = DownloadLimits(HOSTS, socket_timeout_seconds=3.0, proxy=upstream_of(text))
    (folder / "in").mkdir(exist_ok=True)
    link = f"http://{name}:{host.server_port}/files/tone.wav"
    with Worker(None) as worker:
        return worker.call(download, link, folder / "in", "v1", 60.0, limits, timeout_seconds=60)


def test_hosts_are_reached_through_the_proxy_by_their_checked_address(
    host: Server, proxy: Proxy, tmp_path: Path
) -> None:
    """The proxy is asked for addresses alone, never for a name, which could mean another address there."""
    got = through(f"http://me:s%40cret@127.0.0.1:{proxy.port}", host, tmp_path)
    assert isinstance(got, Downloaded), got
    assert got.path.read_bytes() == (host.folder / "tone.wav").read_bytes()
    assert proxy.asked
    for head in proxy.asked:
        assert head.startswith((f"CONNECT 127.0.0.1:{host.server_port} ", f"CONNECT [::1]:{host.server_port} "))
        assert "localhost" not in head
        assert "Proxy-Authorization: Basic bWU6c0BjcmV0" in head


def test_a_refused_address_never_reaches_the_proxy(proxy: Proxy, tmp_path: Path) -> None:
    """What the guard refuses is not asked of the proxy, which itself may be on this machine."""
    limits = DownloadLimits(proxy=Upstream("127.0.0.1", proxy.port))
    got = download("http://127.0.0.1:1/a.mp3", tmp_path, "v1", 60.0, limits)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.REFUSED_LINK
    with Guard(frozenset(), 1000, 3.0, limits.proxy) as guard, pytest.raises(Exception, match="not a public address"):
        guard.connect("localhost", 80)
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("status", "words"), [(407, "it answers 407"), (503, "it answers 503"), (0, "it answers nothing")]
)
def test_a_proxy_that_refuses_is_named_without_its_password(
    host: Server, proxy: Proxy, tmp_path: Path, status: int, words: str
) -> None:
    """Its refusal is the network's fault; the message says which proxy, and not how one signs in there."""
    proxy.status = status
    got = through(f"http://me:secret@127.0.0.1:{proxy.port}", host, tmp_path, "127.0.0.1")
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.NETWORK
    assert got.detail == f"the proxy http://127.0.0.1:{proxy.port} does not connect to 127.0.0.1: {words}"
    assert names(tmp_path / "in") == []
    assert host.asked == []


def test_a_proxy_that_is_not_there_is_named(host: Server, proxy: Proxy, tmp_path: Path) -> None:
    """Nothing is fetched around a proxy that does not answer."""
    proxy.close()
    got = through(f"http://me:secret@127.0.0.1:{proxy.port}", host, tmp_path)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.NETWORK
    assert f"the proxy http://127.0.0.1:{proxy.port} does not answer" in got.detail
    assert "secret" not in got.detail
    assert host.asked == []


@pytest.mark.parametrize("addresses", [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]])
def test_an_address_that_the_proxy_cannot_reach_is_no_failure_where_another_can(
    host: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    """Through a proxy without IPv6, a host with both kinds of addresses is reached, and the proxy has not failed."""
    proxy.only_ipv4 = True
    monkeypatch.setattr("pipeline.guard.public_addresses", lambda *_: addresses)
    with Guard(HOSTS, 1000, 3.0, Upstream("127.0.0.1", proxy.port)) as guard:
        guard.connect("localhost", host.server_port).close()
        assert guard.log.proxy_failed is None


def test_a_proxy_that_fails_for_a_moment_has_not_failed(host: Server, proxy: Proxy) -> None:
    """What a proxy failed with is known until it lets through again."""
    proxy.status = 503
    with Guard(HOSTS, 1000, 3.0, Upstream("127.0.0.1", proxy.port)) as guard:
        with pytest.raises(UpstreamError):
            guard.connect("127.0.0.1", host.server_port)
        assert "it answers 503" in (guard.log.proxy_failed or "")
        proxy.status = 200
        guard.connect("127.0.0.1", host.server_port).close()
        assert guard.log.proxy_failed is None


def test_a_proxy_that_says_nothing_is_given_up() -> None:
    """A proxy that takes the connection and then stalls ends by the time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        upstream = Upstream("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(UpstreamError, match="does not answer: timed out"):
            upstream.connect("127.0.0.1", 80, 0.2)


def test_addresses_of_ipv6_are_written_with_brackets() -> None:
    """An IPv6 address is told from its port, a proxy's own, too."""
    assert Upstream("p", 1)._request("[::1]:80").startswith(b"CONNECT [::1]:80 HTTP/1.1\r\n")
    assert str(upstream_of("http://[2001:db8::1]:3128")) == "http://[2001:db8::1]:3128"


def test_a_password_is_in_no_words_of_a_proxy() -> None:
    """Neither the text nor the representation of a proxy holds what one signs in with."""
    upstream = upstream_of("http://me:secret@proxy.example.org:3128/")
    assert str(upstream) == "http://proxy.example.org:3128"
    assert "bWU6c2VjcmV0" not in repr(upstream)
    assert upstream.authorization == "bWU6c2VjcmV0"


@pytest.mark.parametrize(
    "text",
    [
        *("socks5://me:secret@h:1", "https://me:secret@h:1", "h:1", "http://me:secret@h", "http://me:secret@:1"),
        *("http://me:secret@h:0", "http://me:secret@h:99999", "http://me:secret@h:1/path", "http://me:secret@[h:1"),
        *("http://me:secret@h:1?q", "http://me:secret@a..b:1", f"http://me:secret@{'a' * 64}.example:1"),
    ],
)
def test_other_addresses_are_refused_unquoted(text: str) -> None:
    """Only http with host and port is a proxy; the message shows the form, and nothing of what was written."""
    with pytest.raises(UsageError, match="http://USER:PASSWORD@HOST:PORT") as raised:
        upstream_of(text)
    assert "secret" not in str(raised.value)
