"""What a text means that should lead to a video: a link, an id, or a file, as strangers write them."""

import os
import re
from pathlib import Path

from pipeline.identity import YOUTUBE_ID_LENGTH, absolute, canonical_link, is_bare_id, youtube_link

_PICTURE_AND_SOUND = "mp4 m4v mov 3gp 3g2 webm mkv avi ts mts m2ts mpg mpeg vob mxf wmv wma asf flv ogv"
_SOUND = (
    "m4a m4b mka mp3 mp2 aac ac3 eac3 dts ogg oga opus spx flac wav wave w64 aif aiff aifc caf au amr ape wv tta voc"
)
MEDIA_SUFFIXES = frozenset(f".{name}" for name in f"{_PICTURE_AND_SOUND} {_SOUND}".split())
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_YOUTUBE_WITHOUT_SCHEME = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be)/", re.IGNORECASE)


def has_address(text: str) -> bool:
    """Whether a text is an address with its scheme."""
    return _ADDRESS.match(text) is not None


def link_or_path(cell: str, what: str, folder: Path) -> str:
    """The link that a cell or line means, or the absolute path, relative ones counted from ``folder``.

    Raises ValueError, with ``what`` it was, for what can be neither. A folder's name is an id only where it is whole.
    """
    text = cell.strip()
    if _ADDRESS.match(text):
        return canonical_link(text)
    path = path_of(cell, folder)
    link = link_of(text)
    if os.path.lexists(path):
        if not Path(path).is_dir():
            return path
        if link is None or (is_bare_id(text) and len(text) < YOUTUBE_ID_LENGTH):
            raise ValueError(f"{what} {text[:80]!r} is a folder: name it on the command line")
    if link is not None:
        return link
    if Path(text).suffix.lower() in MEDIA_SUFFIXES:
        return path
    if len(text) <= YOUTUBE_ID_LENGTH:  # a spreadsheet writes #NAME? where an id begins with - or =
        return youtube_link(text)
    raise ValueError(f"{what} {text[:80]!r} is no link, no YouTube id and no file")


def link_of(text: str) -> str | None:
    """The link that a text means: one with a scheme, a YouTube address without, or a bare id."""
    if _ADDRESS.match(text) or _SCHEME.match(text):
        return canonical_link(text)
    if _YOUTUBE_WITHOUT_SCHEME.match(text):
        return canonical_link(f"https://{text}")
    return youtube_link(text) if is_bare_id(text) else None


def path_of(cell: str, folder: Path) -> str:
    """Absolute path of a cell; blanks around it belong to the name only where a file has them."""
    exact = absolute(folder / cell)
    return exact if cell == cell.strip() or os.path.lexists(exact) else absolute(folder / cell.strip())


def unkeepable(text: str) -> str | None:
    """Why a path or link cannot be written down and opened again; None where it can."""
    if "\0" in text:
        return f"a NUL character in {text.replace(chr(0), '?')[:80]!r}"
    shown = text.encode("utf-8", "replace").decode()
    if shown != text:
        end = shown if len(shown) <= 80 else f"…{shown[-79:]}"
        return f"the name {end!r} is not valid UTF-8: rename the file"
    return None
