"""What passes between a client of the guard and a host: both ways in a tunnel, else one request and its answer."""

import select
import socket
from collections.abc import Iterator
from typing import Protocol

_BLOCK_BYTES = 16_384
# What is under way when nobody wants more has been sent for nothing: a connection begins with small buffers.
_BUFFER_BYTES = 16_384
_LARGE_BUFFER_BYTES = 1_048_576
_LARGE_AFTER_BYTES = 1_048_576
_MAX_LINE_BYTES = 65_536
_CLOSE = b"Connection: close\r\n"


class Bounds(Protocol):
    """How long and how much may pass."""

    @property
    def patience_seconds(self) -> float:
        """How long both ends may be silent from now on; 0 where nothing more may pass."""
        ...

    def count(self, received: int) -> bool:
        """Count bytes that came from a host; whether more may come."""
        ...


def tunnel(client: socket.socket, host: socket.socket, bounds: Bounds) -> None:
    """Pass bytes both ways until an end closes, both say nothing for too long, or the bounds are reached."""
    for end, block in _blocks(client, host, bounds):
        (client if end is host else host).sendall(block)


def answer(client: socket.socket, host: socket.socket, bounds: Bounds) -> None:
    """Pass on what the host says until the client says more, which is meant for another connection.

    The answer's first header says that the connection ends with it, whatever the host says of its own.
    """
    for block in _closing(_from_host(client, host, bounds)):
        client.sendall(block)


def body(client: socket.socket, host: socket.socket, n_bytes: int) -> None:
    """Pass on so many bytes of a request, fewer only where the client closes."""
    while n_bytes and (block := client.recv(min(n_bytes, _BLOCK_BYTES))):
        host.sendall(block)
        n_bytes -= len(block)


def _from_host(client: socket.socket, host: socket.socket, bounds: Bounds) -> Iterator[bytes]:
    for end, block in _blocks(client, host, bounds):
        if end is client:
            return
        yield block


def _closing(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks of an answer, with one header more after its first line."""
    begin = b""
    for block in blocks:
        begin += block
        if b"\n" in begin or len(begin) > _MAX_LINE_BYTES:
            break
    line, newline, rest = begin.partition(b"\n")
    yield line + newline + (_CLOSE if newline else b"") + rest
    yield from blocks


def _blocks(client: socket.socket, host: socket.socket, bounds: Bounds) -> Iterator[tuple[socket.socket, bytes]]:
    """What comes, and from which end."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small buffers would wait for more
    _buffer(client, host, _BUFFER_BYTES)
    passed_bytes = 0
    while True:
        ready, _, _ = select.select([client, host], [], [], bounds.patience_seconds)
        if not ready or not bounds.patience_seconds:
            return
        for end in ready:
            block = end.recv(_BLOCK_BYTES)
            if not block or (end is host and not bounds.count(len(block))):
                return
            yield end, block
            if passed_bytes <= _LARGE_AFTER_BYTES < passed_bytes + len(block):
                _buffer(client, host, _LARGE_BUFFER_BYTES)
            passed_bytes += len(block)


def _buffer(client: socket.socket, host: socket.socket, n_bytes: int) -> None:
    host.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, n_bytes)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, n_bytes)
