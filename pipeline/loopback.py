"""A server on this machine for programs on this machine."""

from http.server import ThreadingHTTPServer
from socketserver import TCPServer


class LoopbackServer(ThreadingHTTPServer):
    """Threads that never keep the process alive, errors of a connection are its client's to see, and no name is asked.

    The servers of the standard library ask, as they begin, what their address is called: a question that leaves the
    machine where its own table of hosts has no answer.
    """

    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Bind as any server does that is not one for the web."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a broken connection is no news."""
