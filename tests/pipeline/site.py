"""A site of our own in yt-dlp, on loopback: what it says is in its links."""

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
"""


def with_site(folder: Path) -> Path:
    """Write the site as a plugin of yt-dlp, for processes that find ``folder`` on their path; gives the folder."""
    place = folder / "yt_dlp_plugins" / "extractor" / "loopback_site.py"
    place.parent.mkdir(parents=True)
    place.write_text(PLUGIN)
    return folder
