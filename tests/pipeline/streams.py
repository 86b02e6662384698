"""Sound as video hosts send it: HLS and DASH of many segments made by PyAV, and a site in yt-dlp that has them."""

from pathlib import Path

import av

SEGMENT_SECONDS = 5
KINDS = {
    "hls_ts": ("hls", "a.m3u8", {"hls_segment_type": "mpegts"}),
    "hls_fmp4": ("hls", "a.m3u8", {"hls_segment_type": "fmp4"}),
    "dash_template": ("dash", "a.mpd", {"use_timeline": "0"}),
    "dash_timeline": ("dash", "a.mpd", {"use_timeline": "1"}),
    "dash_list": ("dash", "a.mpd", {"use_timeline": "0", "use_template": "0"}),
}
_OPTIONS = {
    "hls": {"hls_time": str(SEGMENT_SECONDS), "hls_playlist_type": "vod"},
    "dash": {"seg_duration": str(SEGMENT_SECONDS)},
}

PLUGIN = """
from yt_dlp.extractor.common import InfoExtractor


class LoopbackStreamIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\\.0\\.0\\.1:\\d+)/stream/(?P<seconds>\\w+)/(?P<path>[^?]+)"

    def _real_extract(self, url):
        host, seconds, path = self._match_valid_url(url).group("host", "seconds", "path")
        address, video = f"{host}/files/{path}", {"id": "a", "title": "A stream"}
        if seconds != "unknown":
            video["duration"] = float(seconds)
        if path.endswith(".m3u8"):
            return {**video, "formats": self._extract_m3u8_formats(address, "a", "m4a")}
        if path.endswith(".mpd"):
            return {**video, "formats": self._extract_mpd_formats(address, "a")}
        return {**video, "url": address, "vcodec": "none", "ext": path.rpartition(".")[2]}
"""


def with_streams(folder: Path) -> Path:
    """Write the site as a plugin of yt-dlp, for processes that find ``folder`` on their path; gives the folder."""
    place = folder / "yt_dlp_plugins" / "extractor" / "loopback_streams.py"
    place.parent.mkdir(parents=True)
    place.write_text(PLUGIN)
    return folder


def write_segments(source: Path, folder: Path, kind: str) -> str:
    """Copy a file's sound into segments of 5 s below ``folder / kind``; gives the manifest's path from ``folder``."""
    muxer, manifest, options = KINDS[kind]
    (folder / kind).mkdir()
    copy(source, folder / kind / manifest, muxer, {**_OPTIONS[muxer], **options})
    return f"{kind}/{manifest}"


def copy(source: Path, target: Path, muxer: str | None = None, options: dict[str, str] | None = None) -> Path:
    """Copy a file's sound into another container."""
    with av.open(str(source)) as opened, av.open(str(target), "w", format=muxer, options=options or {}) as written:
        stream = opened.streams.audio[0]
        out = written.add_stream_from_template(stream)
        for packet in opened.demux(stream):
            if packet.dts is not None:
                packet.stream = out
                written.mux(packet)
    return target


def needed_bytes(folder: Path, manifest: str, seconds: float) -> int:
    """Bytes of what a host has to send for the first seconds: manifest, initialisation and segments, or file's head."""
    path = folder / manifest
    if path.suffix == ".m3u8":
        return path.stat().st_size + _hls_bytes(path, seconds)
    if path.suffix == ".mpd":
        return path.stat().st_size + _dash_bytes(path, seconds)
    with av.open(str(path)) as opened:
        stream = opened.streams.audio[0]
        packets = [packet for packet in opened.demux(stream) if packet.pts is not None]
    later = next(packet.pos for packet in packets if packet.pts * stream.time_base >= seconds)
    return int(
        later + path.stat().st_size - packets[-1].pos - packets[-1].size
    )  # what follows the sound may be its index


def _hls_bytes(playlist: Path, seconds: float) -> int:
    total, begins, length = 0, 0.0, 0.0
    for line in playlist.read_text().splitlines():
        if line.startswith("#EXT-X-MAP:"):
            total += (playlist.parent / line.split('"')[1]).stat().st_size
        elif line.startswith("#EXTINF:"):
            length = float(line.removeprefix("#EXTINF:").split(",")[0])
        elif not line.startswith("#") and begins < seconds:
            total += (playlist.parent / line).stat().st_size
            begins += length
    return total


def _dash_bytes(manifest: Path, seconds: float) -> int:
    chunks = sorted(manifest.parent.glob("chunk-*"))[: -(-int(seconds) // SEGMENT_SECONDS)]
    return sum(path.stat().st_size for path in [*manifest.parent.glob("init-*"), *chunks])
