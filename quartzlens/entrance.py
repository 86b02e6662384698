"""Who may see the dashboard: everyone on this machine, and elsewhere who knows a password or comes by a proxy.

Passwords are kept as scrypt hashes (Percival, RFC 7914) by the standard library.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address

from quartzlens.errors import UsageError

LOOPBACK = "127.0.0.1"
SHORTEST_PASSWORD = 8
SHORTEST_SECRET = 20
_SCRYPT = "scrypt"
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_LARGEST_COST = 2**20
_MEMORY = 2**31 - 1
_HOW = (
    "Choose a password with `quartzlens password`, which prints the setting for it; or set "
    "QUARTZLENS_TRUSTED_PROXY_SECRET where a proxy lets people in (docs/serving.md); or leave the address "
    f"{LOOPBACK}, which only this machine reaches."
)


@dataclass(frozen=True, slots=True)
class Locks:
    """What is asked at the entrance: a password by its hash, or the secret of a proxy; empty where it is not asked."""

    password_hash: str = field(default="", repr=False)
    proxy_secret: str = field(default="", repr=False)

    @property
    def any(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.password_hash or self.proxy_secret)


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches an address; None stands for all addresses.

    >>> [is_loopback(one) for one in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "example.org", None)]
    [True, True, True, False, False, False]
    """
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def check_entrance(address: str | None, locks: Locks) -> None:
    """Refuse to be served where others reach it and nothing is asked.

    Raises
    ------
    UsageError
        That is so; or the hash or the secret is none. The message holds neither.
    """
    if locks.password_hash:
        _parts(locks.password_hash)
    if locks.proxy_secret and len(locks.proxy_secret) < SHORTEST_SECRET:
        raise UsageError(f"QUARTZLENS_TRUSTED_PROXY_SECRET is shorter than {SHORTEST_SECRET} characters.")
    if not is_loopback(address) and not locks.any:
        where = f"on {address}" if address else "on all addresses of this machine"
        raise UsageError(f"The dashboard is not served {where}, where others reach it and nothing is asked. {_HOW}")


def hashed(password: str) -> str:
    """A hash of a password for the settings; another one each time, of the same strength.

    Raises
    ------
    UsageError
        The password is too short.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise UsageError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    salt = secrets.token_bytes(16)
    numbers = (str(number) for number in (_COST, _BLOCK, _PARALLEL))
    return ":".join([_SCRYPT, *numbers, _text(salt), _text(_derived(password, salt, _COST, _BLOCK, _PARALLEL))])


def is_password(password: str, password_hash: str) -> bool:
    """Whether a password is that of a hash, compared in constant time; raises UsageError where it is no hash."""
    cost, block, parallel, salt, wanted = _parts(password_hash)
    return hmac.compare_digest(_derived(password, salt, cost, block, parallel), wanted)


def is_secret(given: str | None, secret: str) -> bool:
    """Whether what came with a request is the secret of the proxy, compared in constant time; an empty one never is."""
    return bool(secret) and hmac.compare_digest((given or "").encode(), secret.encode())


def _parts(password_hash: str) -> tuple[int, int, int, bytes, bytes]:
    try:
        name, cost, block, parallel, salt, key = password_hash.split(":")
        parts = int(cost), int(block), int(parallel), _bytes(salt), _bytes(key)
    except (ValueError, binascii.Error):
        name, parts = "", (0, 0, 0, b"", b"")
    if name != _SCRYPT or not 2 <= parts[0] <= _LARGEST_COST or len(parts[4]) < 16:
        raise UsageError("QUARTZLENS_PASSWORD_HASH is no hash of a password: `quartzlens password` prints one.")
    return parts


def _derived(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
