"""A site that stands for YouTube: every id has a fate there, told through yt-dlp's own code, and askings are counted.

Its names resolve to this machine only in processes that have ``environment``; so links and ids are those of real lists.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote

from pipeline.loopback import LoopbackServer
from quartzlens.outcomes import Outcome

HOST = "www.youtube.com"
_EXTRACTOR = """
import os
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError


class TubeIE(InfoExtractor):
    _VALID_URL = r"https://www\\.youtube\\.com/watch\\?v=(?P<id>.+)"

    def _real_extract(self, url):
        video_id, site = self._match_id(url), os.environ["QUARTZLENS_TEST_TUBE"]
        told = self._download_json(f"{site}/fate/{video_id}", video_id)
        if told.get("say"):
            raise ExtractorError(told["say"], expected=True)
        return {"id": video_id, "formats": [{"url": told["url"], "ext": told["ext"], "format_id": "a"}], **told["info"]}
"""
_RESOLVER = """
import socket

_asked = socket.getaddrinfo


def getaddrinfo(host, *arguments, **options):
    return _asked("127.0.0.1" if host == "www.youtube.com" else host, *arguments, **options)


socket.getaddrinfo = getaddrinfo
"""


@dataclass(frozen=True, slots=True)
class Fate:
    """What the site does with an id, and the outcome that this is.

    It answers with each of ``statuses`` first, one a request; then it says ``say``, or gives the media ``file`` (or
    ``url``, where that is somewhere else).
    """

    outcome: Outcome
    say: str = ""
    file: str = ""
    url: str = ""
    statuses: tuple[int, ...] = ()


class Tube(LoopbackServer):
    """The site's server; ``asked`` counts the requests for each id, ``media`` is the folder of its files."""

    def __init__(self, fates: Mapping[str, Fate], media: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fates, self.media = fates, media
        self.asked: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """Address of the server, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def tube(fates: Mapping[str, Fate], media: Path) -> Iterator[Tube]:
    """The site, running."""
    server = Tube(fates, media)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def environment(folder: Path, address: str) -> dict[str, str]:
    """The environment of a command for which the site is YouTube; ``folder`` takes the plugin that makes it so."""
    place = folder / "yt_dlp_plugins" / "extractor" / "tube.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(_EXTRACTOR)
    (folder / "sitecustomize.py").write_text(_RESOLVER)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH", "")))),
        "QUARTZLENS_TEST_TUBE": address,
        "QUARTZLENS_ALLOW_HOSTS": f"127.0.0.1,{HOST}",
        "QUARTZLENS_PAUSE_SECONDS": "0",
    }


class _Handler(BaseHTTPRequestHandler):
    server: Tube

    def do_GET(self) -> None:
        kind, _, name = unquote(self.path).lstrip("/").partition("/")
        if kind == "media":
            self._send(200, (self.server.media / name).read_bytes(), "application/octet-stream")
            return
        fate, n_asked = self.server.fates[name], self.server.asked[name]
        self.server.asked[name] += 1
        if n_asked < len(fate.statuses):
            self.send_error(fate.statuses[n_asked])
            return
        url = fate.url or f"{self.server.address}/media/{fate.file}"
        info = {"title": f"Title of {name}", "channel": "A channel", "duration": 60}
        told = {"say": fate.say, "url": url, "ext": Path(fate.file or "a.mp4").suffix[1:], "info": info}
        self._send(200, json.dumps(told).encode(), "application/json")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
