"""The picture that a site shows of a video: which of those it names, and a careful download of that one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.guard import Guard
from pipeline.thumbnail import WIDTH_PIXELS

PICTURE_SUFFIX = ".picture"
_MAX_BYTES = 2_000_000
_MAX_SECONDS = 15.0
_CONNECT_SECONDS = 10.0


def fetch_picture(ydl: Any, info: Mapping[str, Any], target: Path, guard: Guard) -> Path | None:
    """Write the picture of a video to ``target`` by yt-dlp's own connections; None where none comes.

    A picture is never worth a video: whatever goes wrong but a full disk, there is just none.
    """
    from yt_dlp.networking import Request
    from yt_dlp.networking.exceptions import RequestError
    from yt_dlp.utils import YoutubeDLError

    address = picture_address(info)
    if address is None:
        return None
    try:
        with guard.within(_MAX_SECONDS):
            request = Request(address, extensions={"timeout": _CONNECT_SECONDS})
            with ydl.urlopen(request) as answer:
                body = answer.read(_MAX_BYTES + 1)
    except (RequestError, YoutubeDLError, ValueError):
        return None
    if not body or len(body) > _MAX_BYTES:
        return None
    target.write_bytes(body)
    return target


def picture_address(info: Mapping[str, Any]) -> str | None:
    """Address of the smallest picture that is at least 160 pixels wide, else of the one that the site prefers.

    >>> named = [{"url": f"http://a/{width}.jpg", "width": width} for width in (120, 640, 320)]
    >>> picture_address({"thumbnail": "http://a/1.jpg", "thumbnails": named})
    'http://a/320.jpg'
    """
    named = [picture for picture in info.get("thumbnails") or () if isinstance(picture, Mapping)]
    sized = [picture for picture in named if isinstance(picture.get("width"), int) and _is_web(picture.get("url"))]
    enough = [picture for picture in sized if picture["width"] >= WIDTH_PIXELS]
    if enough:
        return str(min(enough, key=lambda picture: picture["width"])["url"])
    address = info.get("thumbnail")
    return address if isinstance(address, str) and _is_web(address) else None


def _is_web(address: object) -> bool:
    return isinstance(address, str) and address.startswith(("http://", "https://"))
