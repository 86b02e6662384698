"""A working set's name in the address: which of the collection's videos are in it, a bit each, compressed."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

MOST_CHARACTERS = 6_000
"""Of a name: servers and proxies take an address of some eight thousand."""
_KEY_LENGTH = 8


def named(held: frozenset[str], known: Sequence[str]) -> str:
    """The name of some of the ``known`` videos: a key, the same for the same ids, and the bits where they fit.

    Videos that come later, after these, do not change whom it names.

    >>> name = named(frozenset({"a", "c"}), ["a", "b", "c"])
    >>> sorted(read(name, ["a", "b", "c", "d"]))
    ['a', 'c']
    """
    inside = np.fromiter((one in held for one in known), bool, len(known))
    if np.count_nonzero(inside) < len(held):
        return _key(held)
    packed = zlib.compress(np.packbits(inside).tobytes(), 9)
    name = _key(held) + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
    return name if len(name) <= MOST_CHARACTERS else _key(held)


def read(name: str, known: Sequence[str]) -> frozenset[str] | None:
    """Those of the ``known`` videos that a name stands for; None where it holds none, or not those that it was of.

    A name is a stranger's: no more is unpacked than a bit a video.
    """
    text = name[_KEY_LENGTH : MOST_CHARACTERS + 1]
    unpack, n_bytes = zlib.decompressobj(), -(-len(known) // 8)
    try:
        bits = unpack.decompress(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), n_bytes + 1)
    except (binascii.Error, ValueError, zlib.error):
        return None
    inside = np.unpackbits(np.frombuffer(bits, np.uint8))
    at = np.flatnonzero(inside)
    if not len(at) or at[-1] >= len(known):
        return None
    held = frozenset(known[int(one)] for one in at)
    return held if _key(held) == name[:_KEY_LENGTH] else None


def _key(held: frozenset[str]) -> str:
    return hashlib.sha256("\n".join(sorted(held)).encode()).hexdigest()[:_KEY_LENGTH]
