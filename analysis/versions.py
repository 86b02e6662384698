"""With what code a run was made."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from quartzlens.records import Json

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")


@cache
def _own() -> str:
    """Digest of this package's source, 12 hex digits: equal where the numbers are made by equal code."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def versions() -> dict[str, Json]:
    """Version of quartzlens, a digest of the analysis code (``code``), and of the libraries that numbers depend on."""
    return {"quartzlens": version("quartzlens"), "code": _own(), **{name: version(name) for name in _LIBRARIES}}
