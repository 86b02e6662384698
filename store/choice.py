"""What a collection's embeddings are made with, and the text of collection.toml that says so."""

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from typing import Any

LOCAL = "local"
MILVUS = "milvus:"  # then a path or an address
_LATER = ("block", "calibration", "checkpoint_sha256")  # what collection.toml did not have from the beginning


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """What a collection's embeddings are made with, chosen once (``change_encoder`` chooses anew).

    Attributes
    ----------
    checkpoint
        The name of a known checkpoint, or the path of a file.
    start_seconds, clip_seconds
        The stretch of each video that is embedded.
    block, calibration
        As in ``Fingerprint``; written into collection.toml only where there is one, so that older versions read it.
    checkpoint_sha256
        Digest of the file that the checkpoint's name stands for, empty where nobody noted it. It tells which embeddings
        are the collection's; two choices that differ in it alone are the same choice.
    """

    checkpoint: str = "demo"
    start_seconds: float = 0.0
    clip_seconds: float = 60.0
    pooling: str = "mean"
    precision: str = "f32"
    block: str = ""
    calibration: str = ""
    checkpoint_sha256: str = field(default="", compare=False)

    def __str__(self) -> str:
        """The choice in one line, for messages."""
        return ", ".join(f"{name} {value}" for name, value in _said(self).items() if name != "checkpoint_sha256")


def write(encoder: EncoderChoice, store: str = LOCAL) -> str:
    """The text of collection.toml."""
    return "\n".join(["[store]", f"backend = {_value(store)}", "", *_table(encoder), ""])


def _table(encoder: EncoderChoice) -> list[str]:
    return ["[encoder]", *(f"{name} = {_value(value)}" for name, value in _said(encoder).items())]


def _said(encoder: EncoderChoice) -> dict[str, str | float]:
    return {name: value for name, value in asdict(encoder).items() if value or name not in _LATER}


def _value(value: str | float) -> str:
    """A TOML string or number: JSON's form is TOML's too, but for the delete character."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value))


def parse(text: str) -> EncoderChoice:
    """The choice in the text of a collection.toml.

    Raises
    ------
    ValueError, KeyError, TypeError
        The text is no TOML, or a value is missing, of another kind or of a store that is not known.
    """
    store_of(text)
    given = {**dict.fromkeys(_LATER, ""), **tomllib.loads(text)["encoder"]}
    return EncoderChoice(**{one.name: _typed(one.type, given[one.name]) for one in fields(EncoderChoice)})


def store_of(text: str) -> str:
    """Where the store of a collection.toml is: ``local``, or ``milvus:`` with a path or address.

    Raises
    ------
    ValueError, KeyError, TypeError
        The text is no TOML, or names no store that is known.

    >>> store_of('store = "milvus:http://localhost:19530"')
    'milvus:http://localhost:19530'
    """
    said = tomllib.loads(text)["store"]
    backend = said if isinstance(said, str) else said["backend"]
    if backend != LOCAL and not (isinstance(backend, str) and backend.removeprefix(MILVUS) not in {"", backend}):
        message = f"this quartzlens has the stores {LOCAL!r} and '{MILVUS}URI', not {backend!r}: update it"
        raise ValueError(message)
    return LOCAL if backend == LOCAL else str(backend)


def keeps_audio(text: str) -> bool:
    """Whether the collection of a collection.toml keeps the sound of its videos: yes, where it says nothing of it.

    Raises
    ------
    ValueError, TypeError
        The text is no TOML, or the value is neither true nor false.
    """
    value = tomllib.loads(text).get("media", {}).get("keep_audio", True)
    if not isinstance(value, bool):
        message = f"keep_audio is {value!r}, neither true nor false"
        raise TypeError(message)
    return value


def with_audio(text: str, keep: bool) -> str:
    """The text of a collection.toml that says whether sound is kept; nothing else in it changes.

    Raises
    ------
    ValueError
        As ``rewritten``, or its table [media] holds more.
    """
    if tomllib.loads(text).get("media", {}).keys() - {"keep_audio"}:
        raise ValueError("its table [media] holds more")
    return _with_table(text, "media", ["[media]", f"keep_audio = {str(keep).lower()}"], {"keep_audio": keep})


def rewritten(text: str, encoder: EncoderChoice) -> str:
    """The text of a collection.toml with another encoder's table; nothing else in it changes.

    Raises
    ------
    ValueError
        The table cannot be told from the rest: it is written in another form, or something in the text looks like it.
    """
    return _with_table(text, "encoder", _table(encoder), _said(encoder))


def _with_table(text: str, name: str, table: list[str], content: dict[str, Any]) -> str:
    """A text with the lines of a table in the place of the old ones, or at the end where there were none."""
    lines = text.split("\n")
    tables = [at for at, line in enumerate(lines) if line.lstrip().startswith("[")]
    start = next((at for at in tables if lines[at].split("#")[0].strip() == f"[{name}]"), None)
    if start is None:
        changed = "\n".join([text.rstrip("\n"), "", *table, ""])
    else:
        end = next((at for at in tables if at > start), len(lines))
        while lines[end - 1].lstrip()[:1] in {"", "#"}:  # what stands before a table is said of it
            end -= 1
        changed = "\n".join([*lines[:start], *table, *lines[end:]])
    if tomllib.loads(changed) != {**tomllib.loads(text), name: content}:
        message = f"something else in it looks like the table [{name}]"
        raise ValueError(message)
    return changed


def _typed(kind: Any, value: object) -> Any:
    """A value of the kind that its field has; TypeError for another."""
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is not str or not isinstance(value, str):
        message = f"{value!r} is not a {kind.__name__}"
        raise TypeError(message)
    return value
