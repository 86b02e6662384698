"""A proxy that adds a header to what passes it, as one does that has let a person in."""

import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit


class _Handler(socketserver.StreamRequestHandler):
    """Hands one connection on; its first request bears the header, and a web socket's is the first of its own."""

    server: "_Server"

    def handle(self) -> None:
        """Until either end has nothing more to say."""
        request = self.rfile.readline()
        with suppress(OSError), socket.create_connection(self.server.target) as other:
            other.sendall(request + self.server.header)
            answering = Thread(target=_hand_on, args=(other.recv, self.connection), daemon=True)
            answering.start()
            _hand_on(self.rfile.read1, other)  # type: ignore[attr-defined]
            answering.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: tuple[str, int], header: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target, self.header = target, header


def _hand_on(read: Callable[[int], bytes], to: socket.socket) -> None:
    with suppress(OSError):
        while said := read(65536):
            to.sendall(said)
        to.shutdown(socket.SHUT_WR)


@contextmanager
def adding(address: str, name: str, value: str) -> Iterator[str]:
    """Another address of the same server, by which every connection's first request bears this header."""
    goal = urlsplit(address)
    server = _Server((goal.hostname or "", goal.port or 0), f"{name}: {value}\r\n".encode())
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
