"""A site of our own in yt-dlp, on loopback: what it says is in its links. It has the playlists of a `tube` too."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

PLUGIN = """
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError


class LoopbackSiteIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\\.0\\.0\\.1:\\d+)/site/(?P<id>\\w+)(?:\\?say=(?P<say>.*))?"

    def _real_extract(self, url):
        import urllib.parse
        match = self._match_valid_url(url)
        if match["say"]:
            raise ExtractorError(urllib.parse.unquote(match["say"]), expected=True)
        video = {"id": match["id"], "title": "../../<b>T</b>", "description": "D", "channel": "C", "duration": 90}
        if match["id"] == "live":
            return {**video, "is_live": True, "url": match["host"] + "/files/long.mp3", "ext": "mp3"}
        if match["id"] == "list":
            entries = [{**video, "id": str(n), "url": match["host"] + "/files/long.mp3", "ext": "mp3"} for n in (1, 2)]
            return self.playlist_result(entries, "list")
        return {**video, "url": match["host"] + "/files/long.mp3", "ext": "mp3", "vcodec": "none", "abr": 64}


class LoopbackListIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\\.0\\.0\\.1:\\d+)/list/(?P<id>\\w+)(?:\\?say=(?P<say>.*))?"
    _RETURN_TYPE = "playlist"

    def _real_extract(self, url):
        import urllib.parse
        match = self._match_valid_url(url)
        if match["say"]:
            raise ExtractorError(urllib.parse.unquote(match["say"]), expected=True)
        claimed = 1_000_000 if match["id"] == "endless" else None
        return self.playlist_result(self._entries(match), match["id"], playlist_count=claimed)

    def _entries(self, match):
        import itertools
        if match["id"] == "endless":
            yield from ({"_type": "url", "url": f"{match['host']}/files/e{n}.wav"} for n in range(1_000_000))
            return
        for page in itertools.count():
            answer = self._download_json(f"{match['host']}/files/{match['id']}/{page}.json", match["id"])
            yield from answer["entries"]
            if answer["last"]:
                return


class LoopbackTubeListIE(LoopbackListIE):
    _VALID_URL = r"https://www\\.youtube\\.com/playlist\\?list=(?P<id>\\w+)"

    def _real_extract(self, url):
        import os
        match = {"host": os.environ["QUARTZLENS_TEST_TUBE"], "id": self._match_id(url)}
        return self.playlist_result(self._entries(match), match["id"])
"""


def write_playlist(folder: Path, name: str, entries: Sequence[object], page: int = 2) -> None:
    """Make entries, as yt-dlp has them, the pages of ``/list/NAME`` for a server of ``folder``."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    pages = [entries[first : first + page] for first in range(0, max(1, len(entries)), page)]
    for number, some in enumerate(pages):
        answer = {"entries": list(some), "last": number == len(pages) - 1}
        (place / f"{number}.json").write_text(json.dumps(answer))


def with_site(folder: Path) -> Path:
    """Write the site as a plugin of yt-dlp, for processes that find ``folder`` on their path; gives the folder."""
    place = folder / "yt_dlp_plugins" / "extractor" / "loopback_site.py"
    place.parent.mkdir(parents=True)
    place.write_text(PLUGIN)
    return folder
