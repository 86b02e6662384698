"""The picture that a site shows of a video: kept where the file has none, and never worth a video."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from pipeline.fetch import Fetcher, FetchOptions
from pipeline.media import keep_media
from pipeline.prepare import Prepared
from pipeline.site_picture import picture_address
from pipeline.thumbnail import write_picture
from quartzlens.records import Video
from tests.pipeline.server import Server, serving
from tests.pipeline.standin import StandInEncoder
from tests.pipeline.synth import names, tone, write_media

FINGERPRINT = StandInEncoder().fingerprint

PLUGIN = """
from urllib.parse import unquote
from yt_dlp.extractor.common import InfoExtractor


class LoopbackPictureIE(InfoExtractor):
    _VALID_URL = r"(?P<host>http://127\\.0\\.0\\.1:\\d+)/pictured/(?P<file>[^?]+)\\?picture=(?P<picture>.+)"

    def _real_extract(self, url):
        host, file, picture = self._match_valid_url(url).group("host", "file", "picture")
        address = f"{host}/files/{file}"
        return {"id": "a", "title": "A", "duration": 3, "url": address, "ext": file[-3:], "thumbnail": unquote(picture)}
"""


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A red PNG, of fewer rows than it says where ``rows`` are given."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pixels = (b"\0" + b"\xff\0\0" * width) * (height if rows is None else rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")


def written(path: Path, muxer: str, codec: str, pixels: str, n_frames: int = 1) -> bytes:
    """A grey picture of 640 x 360, or a moving one, by PyAV."""
    with av.open(str(path), "w", format=muxer) as target:
        stream = target.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 640, 360, pixels  # type: ignore[attr-defined]
        for number in range(n_frames):
            frame = VideoFrame.from_ndarray(np.full((360, 640, 3), 90 + 40 * number, np.uint8), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts = number
            target.mux(stream.encode(frame))  # type: ignore[attr-defined]
        target.mux(stream.encode(None))  # type: ignore[attr-defined]
    return path.read_bytes()


def size_of(path: Path) -> tuple[str, int, int]:
    """Codec, width and height of a picture."""
    with av.open(str(path), format="jpeg_pipe") as opened:
        stream = opened.streams.video[0]
        return stream.codec_context.name, stream.width, stream.height


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host with a video with and one without a picture of its own, and pictures of all kinds."""
    folder = tmp_path_factory.mktemp("host")
    write_media(folder / "a.mp3", [tone(3.0, 16_000)], 16_000, "libmp3lame")
    write_media(folder / "a.mp4", [tone(3.0, 16_000)], 16_000, "aac", picture="white")
    made = tmp_path_factory.mktemp("made")
    (folder / "jpeg").write_bytes(written(made / "a.jpg", "mjpeg", "mjpeg", "yuvj420p"))
    (folder / "webp").write_bytes(written(made / "a.webp", "webp", "libwebp", "yuv420p"))
    (folder / "moving").write_bytes(written(made / "b.webp", "webp", "libwebp_anim", "yuv420p", 3))
    (folder / "png").write_bytes(png(320, 180))
    (folder / "bomb").write_bytes(png(8_000, 8_000))
    (folder / "giant").write_bytes(png(2_000_000, 2_000_000, 0))
    (folder / "cut").write_bytes(png(320, 180)[:60])
    (folder / "svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='160' height='90'/>")
    (folder / "empty").write_bytes(b"")
    (folder / "lie").write_bytes(b"\xff\xd8\xff" + b"not a picture" * 50)
    (folder / "large").write_bytes(png(320, 180) + b"\0" * 2_000_000)
    with serving(folder) as server:
        yield server


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FetchOptions:
    """An ingest's on loopback, which keeps media, and the site."""
    place = tmp_path / "plugins" / "yt_dlp_plugins" / "extractor" / "loopback_picture.py"
    place.parent.mkdir(parents=True)
    place.write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "plugins"))
    return FetchOptions(tmp_path / "in", 0.0, frozenset({"127.0.0.1"}), media_folder=tmp_path / "media")


def kept(options: FetchOptions, links: list[str]) -> list[str | None]:
    """Names of the pictures that are kept of links, all of which arrive and leave nothing but their media."""
    with Fetcher(FINGERPRINT, options) as fetcher:
        arrived = [fetcher.fetch(Video(f"v{number}", link)) for number, link in enumerate(links)]
        assert names(options.incoming_folder) == []
    assert [one for one in arrived if not isinstance(one, Prepared)] == []
    return [one.media.thumbnail_file for one in arrived if isinstance(one, Prepared)]


def link(host: Server, picture: str, file: str = "a.mp3") -> str:
    """A video whose site says that its picture is at an address, or a path of the host."""
    address = picture if "://" in picture else f"{host.address}/{picture}"
    return f"{host.address}/pictured/{file}?picture={quote(address, safe='')}"


def test_a_sites_picture_is_kept_small(host: Server, options: FetchOptions) -> None:
    """JPEG, PNG and WebP become a JPEG 160 pixels wide under the video's id."""
    assert kept(options, [link(host, f"files/{name}") for name in ("jpeg", "png", "webp")]) == [
        "v0.jpg",
        "v1.jpg",
        "v2.jpg",
    ]
    assert options.media_folder is not None
    for name in ("v0.jpg", "v1.jpg", "v2.jpg"):
        assert size_of(options.media_folder / name) == ("mjpeg", 160, 90)


def test_a_frame_of_the_video_comes_first(host: Server, options: FetchOptions) -> None:
    """Where the file has pictures of its own, the site's is not looked at."""
    assert kept(options, [link(host, "files/png", "a.mp4")]) == ["v0.jpg"]
    assert options.media_folder is not None
    with av.open(str(options.media_folder / "v0.jpg"), format="jpeg_pipe") as opened:
        frame = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    assert frame[:, :, 1].mean() > 150  # white, where the site's is red


def test_hostile_pictures_are_no_pictures(host: Server, options: FetchOptions) -> None:
    """A bomb, a lie, a page, a drawing, nothing, too much, a refused or missing address: the video arrives without."""
    hostile = ["bomb", "giant", "cut", "svg", "empty", "lie", "large", "a.mp3", "none"]
    addresses = [f"files/{name}" for name in hostile]
    addresses += ["page.html", "loop/png", "status/500/a", "reset/png", "http://10.1.2.3/a.jpg", "file:///etc/passwd"]
    assert kept(options, [link(host, address) for address in addresses]) == [None] * len(addresses)
    assert options.media_folder is not None
    assert [name for name in names(options.media_folder) if not name.endswith(".mp3")] == []


def test_a_moving_picture_is_no_accident(host: Server, options: FetchOptions) -> None:
    """An animated WebP gives a picture or none, and the video in any case."""
    assert kept(options, [link(host, "files/moving")])[0] in {None, "v0.jpg"}


def test_a_slow_picture_is_not_waited_for(
    host: Server, options: FetchOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that drips its picture is cut off by the guard; here, in the process of the test, after a second."""
    from pipeline.download import Downloaded, DownloadLimits, download

    monkeypatch.setattr("pipeline.site_picture._MAX_SECONDS", 1.0)
    limits = DownloadLimits(options.allow_hosts)
    (tmp_path / "here").mkdir()
    for way in ("drip", "half"):
        got = download(link(host, f"{way}/png"), tmp_path / "here", "v1", 60.0, limits, picture=True)
        assert isinstance(got, Downloaded)
        assert got.picture is None
        assert names(tmp_path / "here") == ["v1.mp3"]


def test_a_picture_that_is_not_wanted_is_not_asked_for(host: Server, options: FetchOptions, tmp_path: Path) -> None:
    """A query keeps no media, and costs its site no request for a picture."""
    asked = len(host.asked)
    with Fetcher(FINGERPRINT, FetchOptions(tmp_path / "in", 0.0, options.allow_hosts)) as fetcher:
        assert isinstance(fetcher.fetch(Video("v1", link(host, "files/png"))), Prepared)
    assert "/files/png" not in host.asked[asked:]


@pytest.mark.parametrize("picture", [None, "file:///a.jpg", 7])
def test_addresses_that_are_none_are_passed_over(picture: object) -> None:
    """Only http and https addresses of pictures are taken, whatever else a site says."""
    sized = [
        {"url": "ftp://a/1.jpg", "width": 200},
        {"url": None, "width": 200},
        {"width": 300},
        "x",
        {"url": "http://a"},
    ]
    assert picture_address({"thumbnail": picture, "thumbnails": sized}) is None
    assert picture_address({"thumbnail": picture}) is None


def test_where_all_are_small_the_sites_choice_is_taken() -> None:
    """Without a picture wide enough, the one that the site prefers is better than none."""
    named = [{"url": "http://a/1.jpg", "width": 120}]
    assert picture_address({"thumbnail": "http://a/9.jpg", "thumbnails": named}) == "http://a/9.jpg"


def test_a_picture_is_put_beside_the_sound(host: Server, tmp_path: Path) -> None:
    """The files of a video in the media folder are its sound and the site's picture, made small."""
    sound, picture = keep_media(host.folder / "a.mp3", tmp_path, "v1", 0.0, 3.0, site_picture=host.folder / "png")
    assert (sound, picture) == ("v1.mp3", "v1.jpg")
    assert names(tmp_path) == ["v1.jpg", "v1.mp3"]
    assert write_picture(host.folder / "svg", tmp_path / "other") is False
