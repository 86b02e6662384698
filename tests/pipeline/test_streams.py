"""Only the first seconds of a stream are fetched: counted in the bytes that leave the host, for each protocol."""

import csv
import math
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.cutting import Cut, ffmpeg_arguments
from pipeline.decode import SAMPLE_RATE_HZ, Decoded, decode
from pipeline.download import Downloaded, DownloadLimits, download
from pipeline.guard import Guard
from pipeline.runtime import ffmpeg_path
from pipeline.worker import Worker
from quartzlens.outcomes import Outcome
from tests.pipeline.server import Server, serving
from tests.pipeline.streams import KINDS, copy, needed_bytes, with_streams, write_segments
from tests.pipeline.synth import names, tone, write_media

LIMITS = DownloadLimits(frozenset({"127.0.0.1"}), socket_timeout_seconds=5.0)
SECONDS = 180.0
WANTED_SECONDS = 60.0
AT_MOST = 1.25


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host with three minutes of noise in every packing, all behind Range."""
    folder = tmp_path_factory.mktemp("host")
    noise = (0.2 * np.random.default_rng(0).standard_normal(round(SECONDS * 16_000))).astype(np.float32)
    sound = write_media(folder / "end.m4a", [noise], 16_000, "aac")
    for kind in KINDS:
        write_segments(sound, folder, kind)
    copy(sound, folder / "start.mp4", "mp4", {"movflags": "faststart"})
    copy(sound, folder / "parts.mp4", "mp4", {"movflags": "frag_keyframe+empty_moov", "frag_duration": "2000000"})
    copy(sound, folder / "a.ts", "mpegts")
    copy(write_media(folder / "a.webm", [noise], 16_000, "libopus"), folder / "a.ogg", "ogg")
    write_media(folder / "a.mp3", [noise], 16_000, "libmp3lame")
    write_media(folder / "large.wav", [noise], 16_000, "pcm_s16le")
    (folder / "misnamed.mp3").write_bytes(sound.read_bytes())
    with serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that knows the site."""
    plugins = with_streams(tmp_path_factory.mktemp("plugins"))
    with pytest.MonkeyPatch.context() as patch, Worker(None) as worker:
        patch.syspath_prepend(str(plugins))
        worker.call(time.time, timeout_seconds=20)
        yield worker


def fetched(
    host: Server, worker: Worker, folder: Path, path: str, seconds: float = WANTED_SECONDS
) -> tuple[float, float]:
    """Seconds of sound that arrive of a link, and the bytes that left the host, as a share of those needed."""
    host.sent_bytes = 0
    folder.mkdir(exist_ok=True)
    got = worker.call(download, f"{host.address}/{path}", folder, "v1", seconds, LIMITS, timeout_seconds=120)
    assert isinstance(got, Downloaded), got
    assert names(folder) == [got.path.name]
    clip = decode(got.path, 0.0, 2 * SECONDS)
    assert isinstance(clip, Decoded), clip
    needed = needed_bytes(host.folder, path.partition("/")[2].removeprefix("unknown/").removeprefix("180/"), seconds)
    return len(clip.audio) / SAMPLE_RATE_HZ, host.sent_bytes / needed


@pytest.mark.parametrize("length", ["180", "unknown"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_of_a_playlist_the_first_segments_come(
    host: Server, worker: Worker, tmp_path: Path, kind: str, length: str
) -> None:
    """HLS and DASH, in each way of writing them: a minute of three leaves the host, its length told or not."""
    seconds, share = fetched(host, worker, tmp_path, f"stream/{length}/{kind}/{KINDS[kind][1]}")
    assert seconds == pytest.approx(WANTED_SECONDS, abs=0.5)
    assert share <= AT_MOST


@pytest.mark.parametrize("name", ["end.m4a", "start.mp4", "parts.mp4", "a.ts", "a.webm", "a.mp3", "large.wav"])
def test_of_a_file_the_first_bytes_come(host: Server, worker: Worker, tmp_path: Path, name: str) -> None:
    """Files behind Range, with their index in front, at the end or in parts: little is on its way for nothing."""
    seconds, share = fetched(host, worker, tmp_path, f"stream/180/{name}")
    assert seconds == pytest.approx(WANTED_SECONDS, abs=0.5)
    assert share <= AT_MOST


def test_of_ogg_little_more_comes(host: Server, worker: Worker, tmp_path: Path) -> None:
    """Ogg is read as it flows, without Range, up to what the connection's buffers hold."""
    seconds, share = fetched(host, worker, tmp_path, "stream/180/a.ogg")
    assert seconds == pytest.approx(WANTED_SECONDS, abs=0.5)
    assert share <= 1.5


@pytest.mark.parametrize("path", ["stream/unknown/large.wav", "files/large.wav"])
def test_of_a_large_file_of_unknown_length_the_first_bytes_come(
    host: Server, worker: Worker, tmp_path: Path, path: str
) -> None:
    """Also where nobody says how long it lasts, as with a direct link: the host says that it is large."""
    seconds, share = fetched(host, worker, tmp_path, path)
    assert seconds == pytest.approx(WANTED_SECONDS, abs=0.5)
    assert share <= AT_MOST


@pytest.mark.parametrize(
    "path", ["stream/unknown/end.m4a", "files/end.m4a", "whole/large.wav", "stream/180/misnamed.mp3"]
)
def test_what_cannot_be_cut_or_is_small_comes_whole(host: Server, worker: Worker, tmp_path: Path, path: str) -> None:
    """A small file, one of a host without Range, and one that ffmpeg cannot cut arrive as they are on the host."""
    got = worker.call(download, f"{host.address}/{path}", tmp_path, "v1", WANTED_SECONDS, LIMITS, timeout_seconds=120)
    assert isinstance(got, Downloaded), got
    assert got.path.read_bytes() == (host.folder / path.rpartition("/")[2]).read_bytes()
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("status", "outcome", "wait_seconds"),
    [(403, Outcome.FORBIDDEN, None), (429, Outcome.RATE_LIMITED, 77.0), (503, Outcome.NETWORK, 77.0)],
)
@pytest.mark.parametrize("path", ["a.webm", "refused-{}.m3u8"])
def test_a_host_that_refuses_the_media_is_understood(
    host: Server, worker: Worker, tmp_path: Path, path: str, status: int, outcome: Outcome, wait_seconds: float | None
) -> None:
    """Where ffmpeg says only that it failed, the host's answer is told, and how long it wants to be left alone."""
    segments = "".join(f"#EXTINF:5,\n{host.address}/status/{status}/{n}.ts\n" for n in range(3))
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    (host.folder / f"refused-{status}.m3u8").write_text(f"{head}{segments}#EXT-X-ENDLIST\n")
    host.answers, host.retry_after = [] if "{}" in path else [status] * 9, "77"
    link = f"{host.address}/stream/180/{path.format(status)}"
    got = worker.call(download, link, tmp_path, "v1", WANTED_SECONDS, LIMITS, timeout_seconds=60)
    host.answers, host.retry_after = [], ""
    assert not isinstance(got, Downloaded)
    assert (got.outcome, got.retry_after_seconds) == (outcome, wait_seconds), got.detail
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("video", "cut"),
    [
        ({"protocol": "https", "ext": "webm", "duration": 76}, True),
        ({"protocol": "https", "ext": "webm", "duration": 74}, False),
        ({"protocol": "https", "ext": "unknown_video", "duration": 900}, False),
        ({"protocol": "ism", "ext": "mp4", "duration": 900}, False),
        ({"protocol": "m3u8_native", "ext": "mp4", "duration": -1}, True),
    ],
)
def test_long_videos_are_cut_where_that_can_be(video: dict[str, object], cut: bool) -> None:
    """What is hardly longer than wanted, in a container that is not known, or not for ffmpeg, is left whole."""
    _, marked = Cut(60.0).run(dict(video))
    assert (marked.get("section_end") == 60.0) is cut
    _, whole = Cut(math.inf).run(dict(video))
    assert "section_end" not in whole
    for one in (marked, whole):  # yt-dlp hands things over to ffmpeg by itself, too
        arguments = one["downloader_options"]["ffmpeg_args"]
        assert arguments[arguments.index("-protocol_whitelist") + 1].startswith("http,https,")
        assert "-format_whitelist" in arguments


@pytest.mark.realdata
def test_of_real_recordings_the_first_seconds_come(data: Path, worker: Worker, tmp_path: Path) -> None:
    """Real sound of more than a minute, as HLS, DASH and files: 40 s of it leave the host, and little more."""
    with (data / "videos" / "videos.csv").open(encoding="utf-8") as file:
        long = [row["path"] for row in csv.DictReader(file) if float(row["duration_s"]) > 60]
    (tmp_path / "host").mkdir()
    shares = {}
    with serving(tmp_path / "host") as server:
        for name in [name for name in long if name in {"speech_01.mp4", "music_01.mp4", "late_change_01.mp4"}]:
            for kind in ("hls_ts", "dash_timeline"):
                (folder := server.folder / Path(name).stem / kind).parent.mkdir(exist_ok=True)
                manifest = write_segments(data / "videos" / name, folder.parent, kind)
                path = f"stream/180/{Path(name).stem}/{manifest}"
                shares[name, kind] = fetched(server, worker, tmp_path / "in", path, 40.0)
    assert shares
    for seconds, share in shares.values():
        assert seconds == pytest.approx(40.0, abs=0.5)
        assert share <= AT_MOST, shares


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    ("protocol", "path"),
    [("https", "start.mp4"), ("m3u8_native", "hls_ts/a.m3u8"), ("http_dash_segments", "dash_timeline/a.mpd")],
)
def test_over_tls_no_more_comes_and_only_from_whom_is_trusted(
    host: Server, tmp_path: Path, protocol: str, path: str, trusted: bool
) -> None:
    """Through the guard's tunnel ffmpeg asks for as little, playlists' segments included, and checks certificates."""
    certificate = Path(__file__).with_name("localhost.pem")
    environment = {"SSL_CERT_FILE": str(certificate)} if trusted else {}
    with serving(host.folder, certificate) as server, Guard(LIMITS.allow_hosts, 10**9, 10.0) as guard:
        link = f"https://127.0.0.1:{server.server_port}/files/{path}"
        part = ["-t", str(WANTED_SECONDS), *ffmpeg_arguments(protocol, "mp4"), "-i", link, "-c", "copy"]
        done = subprocess.run(
            [ffmpeg_path(), *part, str(tmp_path / "a.mp4")],
            env={**os.environ, "http_proxy": guard.address, **environment},
            capture_output=True,
            check=False,
        )
    assert (done.returncode == 0) is trusted, done.stderr
    assert server.sent_bytes <= (AT_MOST * needed_bytes(host.folder, path, WANTED_SECONDS) if trusted else 0)


def test_a_tone_is_the_same_from_a_part(host: Server, worker: Worker, tmp_path: Path) -> None:
    """The first minute that was cut out sounds as in the whole file, sample by sample where nothing is lossy."""
    write_media(host.folder / "tone.wav", [tone(100.0, 16_000)], 16_000, "pcm_s16le")
    got = worker.call(download, f"{host.address}/stream/100/tone.wav", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded), got
    part, whole = decode(got.path, 0.0, 60.0), decode(host.folder / "tone.wav", 0.0, 60.0)
    assert isinstance(part, Decoded)
    assert isinstance(whole, Decoded)
    assert np.array_equal(part.audio, whole.audio)
