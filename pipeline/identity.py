"""Which video a source is: ids, stable over runs, safe as file names, the same for every form of an address."""

import hashlib
import os
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

YOUTUBE_ID_LENGTH = 11
_YOUTUBE_HOSTS = frozenset({"youtube.com", "youtube-nocookie.com"})
_YOUTUBE_SUBDOMAINS = ("www.", "m.", "music.", "gaming.")
_YOUTUBE_FOLDERS = frozenset({"shorts", "embed", "live", "v", "e", "watch"})
_CHANNEL_FOLDERS = frozenset({"channel", "c", "user"})
_TABS = frozenset({"videos", "shorts", "streams", "playlists"})
_PLAYLIST_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_BARE_ID = re.compile(r"[A-Za-z0-9_-]{1,11}")
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SLUG_LENGTH = 24


def is_link(source: str) -> bool:
    """Whether a row's source is a link; otherwise it is the absolute path of a local file.

    >>> is_link("https://youtu.be/dQw4w9WgXcQ"), is_link("/home/me/rain.wav")
    (True, False)
    """
    return not source.startswith("/")


def absolute(path: str | os.PathLike[str]) -> str:
    """A path from the root on, without ``.`` and ``..``, symbolic links left as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve would follow the links


def is_bare_id(text: str) -> bool:
    """Whether a text can be a YouTube id without its address, also one that lost characters.

    >>> is_bare_id("-wtIMTCHWuI"), is_bare_id("JLZlCZ0"), is_bare_id("rain.wav")
    (True, True, False)
    """
    return _BARE_ID.fullmatch(text) is not None


def is_safe_id(video_id: str) -> bool:
    """Whether an id can be part of a file name as it is: letters, digits, ``-`` and ``_`` only."""
    return _SAFE_ID.fullmatch(video_id) is not None


def youtube_link(youtube_id: str) -> str:
    """The one address that is fetched for a YouTube id, and by which a damaged one is kept.

    >>> youtube_link("-wtIMTCHWuI")
    'https://www.youtube.com/watch?v=-wtIMTCHWuI'
    """
    return f"https://www.youtube.com/watch?v={quote(youtube_id, safe='')}"


def canonical_link(link: str) -> str:
    """A link in the form in which it is kept and fetched: YouTube's many forms become one, others stay as they are.

    >>> canonical_link("https://youtu.be/dQw4w9WgXcQ?t=42")
    'https://www.youtube.com/watch?v=dQw4w9WgXcQ'
    """
    found = youtube_id(link)
    return youtube_link(found) if found and is_bare_id(found) else link


def youtube_id(link: str) -> str | None:
    """What stands in the id's place of a YouTube link: "" where nothing does, None where it is no YouTube link.

    >>> youtube_id("https://www.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&t=1"), youtube_id("https://youtu.be/")
    ('dQw4w9WgXcQ', '')
    """
    parts = _split(link)
    if parts is None or parts.scheme.lower() not in {"http", "https"}:
        return None
    segments = _segments(parts)
    if _hostname(parts) in {"youtu.be", "www.youtu.be"}:
        return segments[0] if segments else ""
    if not _is_youtube(parts):
        return None
    if len(segments) > 1 and segments[0] in _YOUTUBE_FOLDERS:
        return segments[1]
    return parse_qs(parts.query).get("v", [""])[0].strip()


def playlist_link(link: str) -> str | None:
    """The one address of a YouTube playlist or channel; None for all other links, also for a video in a playlist.

    >>> playlist_link("https://m.youtube.com/@handle/shorts?view=0"), playlist_link("youtube.com/@handle")
    ('https://www.youtube.com/@handle/shorts', None)
    """
    parts = _split(link)
    if parts is None or parts.scheme.lower() not in {"http", "https"} or not _is_youtube(parts):
        return None
    segments = _segments(parts)
    if segments == ["playlist"]:
        found = parse_qs(parts.query).get("list", [""])[0].strip()
        return f"https://www.youtube.com/playlist?list={found}" if _PLAYLIST_ID.fullmatch(found) else None
    n_named = 2 if segments and segments[0] in _CHANNEL_FOLDERS else 1
    if len(segments) < n_named or (n_named == 1 and not re.match(r"@.", segments[0])):
        return None
    if segments[n_named:] and not (len(segments) == n_named + 1 and segments[n_named] in _TABS):
        return None
    return "https://www.youtube.com/" + "/".join(quote(unquote(segment), safe="@") for segment in segments)


def damaged(source: str) -> str | None:
    """Why a source can lead to no video, found before any request; None where nothing is wrong with it.

    >>> damaged("https://www.youtube.com/watch?v=JLZlCZ0")
    "Incomplete YouTube ID 'JLZlCZ0': 7 characters, and YouTube's have 11"
    """
    found = youtube_id(source) if is_link(source) else None
    if found is None:
        return None
    if playlist_link(source):
        return "the YouTube address is that of a playlist or channel, not of a video"
    if not found:
        return "the YouTube address holds no video id"
    if not is_bare_id(found):
        return f"no YouTube id: {found[:40]!r} is not {YOUTUBE_ID_LENGTH} letters, digits, - and _"
    if len(found) < YOUTUBE_ID_LENGTH:
        return f"Incomplete YouTube ID {found!r}: {len(found)} characters, and YouTube's have {YOUTUBE_ID_LENGTH}"
    return None


def video_id(source: str) -> str:
    """The id of a link's or a local file's video.

    A YouTube link has the id that it holds (1-11 characters, also a damaged one). Any other link, and a file, has a
    slug of its name and 8 hex digits of the SHA-256 of its address or absolute path, 12 characters at least, so that it
    can never be taken for a YouTube id.

    >>> video_id("https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share")
    'dQw4w9WgXcQ'
    >>> video_id("/media/Rain at Noon.wav")
    'rain-at-noon-eafffb91'
    """
    if not is_link(source):
        path = absolute(source)
        return _named(PurePosixPath(path).stem, os.fsencode(path))
    found = youtube_id(source)
    if found and is_bare_id(found):
        return found
    address = _normalised(source)
    return _named(_link_name(source), address.encode("utf-8", "surrogatepass"))


def _named(name: str, identity: bytes) -> str:
    """A slug of ``name`` with 8 hex digits of what is identified."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH].strip("-")
    if len(slug) < 3:
        slug = f"video-{slug}".strip("-")
    return f"{slug}-{hashlib.sha256(identity).hexdigest()[:8]}"


def _link_name(link: str) -> str:
    """The last readable part of an address: its file's stem, else its host."""
    parts = _split(link)
    if parts is None:
        return "link"
    return PurePosixPath(unquote(parts.path)).stem or _hostname(parts)


def _normalised(link: str) -> str:
    """An address without what does not change where it leads: case of scheme and host, default port, fragment."""
    parts = _split(link)
    if parts is None or not parts.netloc:
        return link.strip()
    scheme = parts.scheme.lower()
    login, at, address = parts.netloc.rpartition("@")
    address = address.lower().removesuffix({"http": ":80", "https": ":443"}.get(scheme, ":"))
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}://{login}{at}{address}{parts.path or '/'}{query}"


def _split(link: str) -> SplitResult | None:
    """The parts of an address; None where it cannot be one (an unclosed bracket in its host, for instance)."""
    try:
        parts = urlsplit(link.strip())
        _ = parts.hostname, parts.port  # both raise where the address is malformed
    except ValueError:
        return None
    return parts


def _segments(parts: SplitResult) -> list[str]:
    """The names between the slashes of a path."""
    return [segment for segment in parts.path.split("/") if segment]


def _is_youtube(parts: SplitResult) -> bool:
    """Whether an address is one of YouTube's own pages, the short ones of videos left out."""
    host = _hostname(parts)
    for subdomain in _YOUTUBE_SUBDOMAINS:
        host = host.removeprefix(subdomain)
    return host in _YOUTUBE_HOSTS


def _hostname(parts: SplitResult) -> str:
    """Host in small letters, without a trailing dot."""
    return (parts.hostname or "").lower().removesuffix(".")
