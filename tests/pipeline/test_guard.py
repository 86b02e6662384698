"""The guard's own proxy: whom it serves, that a connection is for one host, and that it ends with the guard."""

import base64
import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.cutting import ffmpeg_arguments
from pipeline.guard import Guard
from pipeline.runtime import ffmpeg_path
from pipeline.worker import Worker
from pipeline.ytdlp import base_settings
from tests.pipeline.server import Server, serving
from tests.pipeline.streams import needed_bytes
from tests.pipeline.synth import tone, write_media

HOSTS = frozenset({"127.0.0.1", "localhost"})
WANTED_SECONDS = 60.0


class Stubborn:
    """A host on loopback that keeps every connection open; ``heard`` holds all that comes, ``answer`` what it says."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nevil"
        self.connections: list[socket.socket] = []
        self.answered = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        for one in (self._socket, *self.connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close_after_the_answer(self) -> None:
        """As ``close``, beside what else is done."""
        threading.Thread(target=lambda: self.answered.wait(30) and self.close(), daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self._socket.accept()[0])
                threading.Thread(target=self._hear, args=(self.connections[-1],), daemon=True).start()

    def _hear(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(65536):
                self.heard.append(block)
                if b"".join(self.heard).count(b"\r\n\r\n"):
                    client.sendall(self.answer)
                    self.answered.set()


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    """A host that never closes a connection."""
    host = Stubborn()
    yield host
    host.close()


@pytest.fixture
def guard() -> Iterator[Guard]:
    """A guard that lets this machine be reached."""
    with Guard(HOSTS, 10**9, 5.0) as guard:
        yield guard


def signed_in(guard: Guard) -> str:
    """The header by which the guard's own clients are known."""
    parts = urlsplit(guard.address)
    words = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Proxy-Authorization: Basic {base64.b64encode(words.encode()).decode()}"


def connected(guard: Guard) -> socket.socket:
    """A connection to the guard."""
    return socket.create_connection(("127.0.0.1", urlsplit(guard.address).port or 0), 5.0)


def all_of(client: socket.socket) -> bytes:
    """What comes until the other end closes."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while block := client.recv(65536):
            got += block
    return got


def test_a_guard_asks_nobody_what_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own address is not looked up, which leaves the machine where the table of hosts does not have it."""

    def asked(*_: object) -> None:
        pytest.fail("a name server would be asked")

    for name in ("gethostbyaddr", "gethostbyname", "getfqdn"):
        monkeypatch.setattr(socket, name, asked)
    with Guard(HOSTS, 1, 1.0) as guard:
        assert guard.address.startswith("http://")


def test_a_plain_connection_is_for_one_host_alone(guard: Guard, stubborn: Stubborn) -> None:
    """A second request on the same connection, for another host, does not reach the first, which keeps it open."""
    with connected(guard) as client:
        head = f"{signed_in(guard)}\r\n\r\n"
        client.sendall(f"GET http://127.0.0.1:{stubborn.port}/a HTTP/1.1\r\nHost: a\r\n{head}".encode())
        got = b""
        while not got.endswith(b"evil"):
            got += client.recv(65536) or pytest.fail("closed before the answer was whole")
        client.sendall(f"GET http://bank.invalid/b HTTP/1.1\r\nCookie: secret\r\n{head}".encode())
        assert all_of(client) == b""
    assert got.startswith(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
    heard = b"".join(stubborn.heard)
    assert heard == b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def test_exactly_the_body_of_a_request_is_passed_on(guard: Guard, stubborn: Stubborn) -> None:
    """What follows a request's body is meant for nobody that the guard has checked, and goes nowhere."""
    with connected(guard) as client:
        head = (
            f"POST http://127.0.0.1:{stubborn.port}/a HTTP/1.1\r\nContent-Length: 20000\r\n{signed_in(guard)}\r\n\r\n"
        )
        client.sendall(head.encode() + b"x" * 20_000 + b"GET http://bank.invalid/b HTTP/1.1\r\n\r\n")
        all_of(client)
    heard = b"".join(stubborn.heard)
    head_of_it = b"POST /a HTTP/1.1\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n"
    assert head_of_it.startswith(heard[: len(head_of_it)])
    assert len(heard) <= len(head_of_it) + 20_000
    assert b"bank" not in heard


@pytest.mark.parametrize(
    "header", ["Transfer-Encoding: chunked", "Content-Length: -1", "Content-Length: 1\r\nContent-Length: 2"]
)
def test_a_body_of_untold_length_is_refused(guard: Guard, stubborn: Stubborn, header: str) -> None:
    """Where a request's end is not known, nothing of it is passed on."""
    with connected(guard) as client:
        lines = f"POST http://127.0.0.1:{stubborn.port}/a HTTP/1.1\r\n{header}\r\n{signed_in(guard)}\r\n\r\n"
        client.sendall(lines.encode())
        assert all_of(client).startswith(b"HTTP/1.0 400 ")
    assert stubborn.heard == []


@pytest.mark.parametrize("answer", [b"ICY", b"x" * 70_000])
def test_an_answer_without_a_line_arrives_as_it_is(guard: Guard, stubborn: Stubborn, answer: bytes) -> None:
    """Nothing is put into what is no HTTP, and nothing of it is lost."""
    stubborn.answer = answer
    stubborn.close_after_the_answer()
    with connected(guard) as client:
        client.sendall(f"GET http://127.0.0.1:{stubborn.port}/a HTTP/1.1\r\n{signed_in(guard)}\r\n\r\n".encode())
        assert all_of(client) == answer


def asked_by_ytdlp(*links: str) -> list[bytes]:
    """What yt-dlp gets of links in turn, through a guard; in a worker, since what it loads stays in its process."""
    from yt_dlp import YoutubeDL

    with Guard(HOSTS, 10**9, 5.0) as guard, YoutubeDL(base_settings(guard, 5.0) | {"nocheckcertificate": True}) as asks:
        return [asks.urlopen(link).read() for link in links]


def test_ytdlp_asks_every_host_itself(stubborn: Stubborn, tmp_path: Path) -> None:
    """A host that keeps yt-dlp's connection gets no request that is meant for another."""
    with serving(tmp_path) as other, Worker(None) as worker:
        links = (f"http://127.0.0.1:{stubborn.port}/a", f"http://localhost:{other.server_port}/private")
        first, second = worker.call(asked_by_ytdlp, *links, timeout_seconds=60)
    assert (first, b"Nothing to hear" in second, other.asked) == (b"evil", True, ["/private"])
    assert b"private" not in b"".join(stubborn.heard)


def test_ytdlp_signs_in_for_a_tunnel(tmp_path: Path) -> None:
    """With the guard's address yt-dlp is let through to a host over TLS, too."""
    with serving(tmp_path, Path(__file__).with_name("localhost.pem")) as host, Worker(None) as worker:
        (got,) = worker.call(asked_by_ytdlp, f"https://127.0.0.1:{host.server_port}/private", timeout_seconds=60)
    assert b"Nothing to hear" in got
    assert host.asked == ["/private"]


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Server]:
    """A host with three minutes of sound that keeps its connections open, though it is asked to close them."""
    (tmp_path / "host").mkdir()
    write_media(tmp_path / "host" / "long.wav", [tone(180.0, 16_000)], 16_000, "pcm_s16le")
    with serving(tmp_path / "host") as server:

        class Keeping(server.RequestHandlerClass):  # type: ignore[misc, name-defined]
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # noqa: N802 - the base class calls it so
                super().do_GET()
                self.close_connection = False

        server.RequestHandlerClass = Keeping
        yield server


def test_ffmpeg_cuts_from_a_host_that_keeps_connections(keeping: Server, guard: Guard, tmp_path: Path) -> None:
    """With the guard's address ffmpeg is let through; part by part it fetches little more than it needs."""
    link = f"{keeping.address}/files/long.wav"
    part = ["-t", str(WANTED_SECONDS), *ffmpeg_arguments("http", "wav"), "-i", link, "-c", "copy"]
    done = subprocess.run(
        [ffmpeg_path(), *part, str(tmp_path / "a.wav")],
        env={**os.environ, "http_proxy": guard.address},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.wav").stat().st_size == pytest.approx(WANTED_SECONDS * 32_000, rel=0.01)
    assert len(keeping.asked) > 10
    assert keeping.sent_bytes <= 1.25 * needed_bytes(keeping.folder, "long.wav", WANTED_SECONDS)


@pytest.mark.parametrize("header", ["X: y", "Proxy-Authorization: Basic cXVhcnR6bGVuczp4", "Proxy-Authorization: \xe9"])
@pytest.mark.parametrize("request_line", ["GET http://127.0.0.1:{}/a", "CONNECT 127.0.0.1:{}"])
def test_others_on_this_machine_are_not_let_through(
    guard: Guard, stubborn: Stubborn, request_line: str, header: str
) -> None:
    """Who finds the guard's port, but was not told its address, reaches nothing by it."""
    with connected(guard) as client:
        client.sendall(f"{request_line.format(stubborn.port)} HTTP/1.1\r\n{header}\r\n\r\n".encode("latin-1"))
        got = all_of(client)
    assert got.startswith(b"HTTP/1.0 407 ")
    assert b"Proxy-Authenticate: Basic " in got
    assert stubborn.connections == []


def test_no_two_guards_have_the_same_password() -> None:
    """What signs in at one guard is of no use at the next."""
    with Guard(HOSTS, 1, 1.0) as one, Guard(HOSTS, 1, 1.0) as other:
        assert urlsplit(one.address).password != urlsplit(other.address).password


def test_nothing_passes_once_the_guard_is_gone(stubborn: Stubborn) -> None:
    """A tunnel that a client holds open ends with the guard: what the host says later does not arrive."""
    with Guard(HOSTS, 10**9, 5.0) as guard:
        client = connected(guard)
        client.sendall(f"CONNECT 127.0.0.1:{stubborn.port} HTTP/1.1\r\n{signed_in(guard)}\r\n\r\n".encode())
        assert client.recv(65536).endswith(b"\r\n\r\n")
    with client:
        stubborn.connections[0].sendall(b"late")
        assert all_of(client) == b""
