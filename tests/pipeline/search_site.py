"""YouTube's search on loopback: yt-dlp's own extractors, whose requests go to a server of ours instead."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.loopback import LoopbackServer

ADDRESS = "QUARTZLENS_TEST_SEARCH"
PLUGIN = f"""
import os
from yt_dlp.extractor.youtube import YoutubeIE, YoutubeSearchIE
from yt_dlp.utils import ExtractorError


def asked(extractor, kind, what):
    address = os.environ[{ADDRESS!r}] + "/" + kind
    name = f'query "{{what}}" page 1' if kind == "search" else what  # as yt-dlp names a search in its messages
    answer = extractor._download_json(address, name, query={{"q": what}}, errnote="Unable to download API page")
    if isinstance(answer, dict) and "say" in answer:
        raise ExtractorError(answer["say"], expected=True)
    return answer


class LoopbackSearchIE(YoutubeSearchIE, plugin_name="loopback"):
    def _search_results(self, query):
        yield from asked(self, "search", query)


class LoopbackVideoIE(YoutubeIE, plugin_name="loopback"):
    def _real_extract(self, url):
        return asked(self, "video", self._match_id(url))
"""


class SearchServer(LoopbackServer):
    """Answers a search for a title by ``found[title]``, and a look at a video by ``videos[id]``.

    What is not there is found by nobody. ``asked`` lists the searches and looks that came; the statuses in
    ``statuses`` are answered first, one a request. Answers wait for ``delay_seconds``, and those from number
    ``holds_at`` on until ``go_on`` is set.
    """

    def __init__(self, found: Mapping[str, Any], videos: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.found, self.videos = found, videos
        self.asked: list[tuple[str, str]] = []
        self.statuses: list[int] = []
        self.delay_seconds = 0.0
        self.holds_at, self.go_on = 10**9, threading.Event()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to search here."""
        return {ADDRESS: f"http://127.0.0.1:{self.server_port}", "QUARTZLENS_ALLOW_HOSTS": "127.0.0.1"}


class _Handler(BaseHTTPRequestHandler):
    server: SearchServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        kind, what = parts.path.strip("/"), parse_qs(parts.query)["q"][0]
        self.server.asked.append((kind, what))
        time.sleep(self.server.delay_seconds)
        if len(self.server.asked) >= self.server.holds_at:
            self.server.go_on.wait(60)
        if self.server.statuses:
            self.send_error(self.server.statuses.pop(0))
            return
        answer = self.server.found.get(what, []) if kind == "search" else self.server.videos.get(what, {"say": "gone"})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing on the terminal."""


@contextmanager
def searching(found: Mapping[str, Any], videos: Mapping[str, Any] | None = None) -> Iterator[SearchServer]:
    """A running server on a free port."""
    server = SearchServer(found, videos or {})
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()


def entry(youtube_id: object, title: object = "Title", channel: object = "Channel") -> dict[str, object]:
    """A video as yt-dlp's flat search gives it."""
    link = f"https://www.youtube.com/watch?v={youtube_id}"
    return {"_type": "url", "ie_key": "Youtube", "id": youtube_id, "url": link, "title": title, "channel": channel}


def with_search(folder: Path) -> Path:
    """Write the search as a plugin of yt-dlp, for processes that find ``folder`` on their path; gives the folder."""
    place = folder / "yt_dlp_plugins" / "extractor" / "loopback_search.py"
    place.parent.mkdir(parents=True)
    place.write_text(PLUGIN)
    return folder


def environment(server: SearchServer, plugins: Path) -> dict[str, str]:
    """The environment of a command that searches here, without pauses."""
    path = os.pathsep.join([str(plugins), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, **server.environment, "PYTHONPATH": path, "QUARTZLENS_PAUSE_SECONDS": "0"}


def write_list(path: Path, rows: Sequence[Sequence[str]], header: str = "link,title,description,category") -> Path:
    """A list of videos whose cells need no quotes but around the descriptions."""
    lines = [f'{link},{title},"{channel}\nmore",{category}' for link, title, channel, category in rows]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path
