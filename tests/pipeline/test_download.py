"""Downloads from a stand-in for a video host on loopback: what comes, what is refused, what each failure is called."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.decode import Decoded, decode
from pipeline.download import Downloaded, DownloadLimits, download
from pipeline.guard import is_public, refusal_of_link
from pipeline.verdicts import outcome_of
from pipeline.worker import Worker, WorkerKilledError
from quartzlens.outcomes import Outcome
from tests.pipeline.server import Server, serving
from tests.pipeline.site import with_site
from tests.pipeline.synth import names, tone, write_media

LOOPBACK = frozenset({"127.0.0.1"})
LIMITS = DownloadLimits(LOOPBACK, socket_timeout_seconds=2.0)

MESSAGES = [
    ("Incomplete YouTube ID JLZlCZ0. URL https://www.youtube.com/watch?v=JLZlCZ0 looks truncated.", "damaged_link"),
    ("[youtube] dQw4w9WgXcQ: Private video. Sign in if you've been granted access to this video", "private"),
    ("[youtube] dQw4w9WgXcQ: This video is private", "private"),
    ("[youtube] dQw4w9WgXcQ: Video unavailable. This video has been removed by the uploader", "removed"),
    ("Video unavailable. The account associated with this video has been terminated.", "removed"),
    ("This video has been removed for violating YouTube's Terms of Service", "removed"),
    ("This video is no longer available due to a copyright claim by X", "removed"),
    ("[youtube] dQw4w9WgXcQ: Video unavailable", "removed"),
    ("[youtube] -wtIMTCHWuI: Video unavailable.", "removed"),
    ("Video unavailable", "removed"),
    ("The uploader has not made this video available in your country", "geo_blocked"),
    (
        "Video unavailable. This video contains content from X, who has blocked it in your country",
        "geo_blocked",
    ),
    ("Sign in to confirm your age. This video may be inappropriate for some users.", "age_restricted"),
    (
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
        "members_only",
    ),
    ("This video requires payment to watch", "members_only"),
    ("Premieres in 3 hours", "not_yet"),
    ("This live event will begin in 2 days.", "not_yet"),
    ("Sign in to confirm you're not a bot. Use --cookies-from-browser", "blocked_as_bot"),
    ("Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser", "blocked_as_bot"),
    (
        "Video unavailable. This content isn\u2019t available. The current session has been rate-limited by YouTube",
        "rate_limited",
    ),
    ("Video unavailable. This content isn't available, try again later.", "rate_limited"),
    ("Unable to download webpage: HTTP Error 429: Too Many Requests", "rate_limited"),
    ("unable to download video data: HTTP Error 403: Forbidden", "forbidden"),
    ("Requested format is not available. Use --list-formats for a list of available formats", "no_format"),
    ("No video formats found!", "no_format"),
    ("Unsupported URL: https://example.org/", "unsupported_link"),
    ("Unable to download webpage: <urlopen error [Errno -3] Temporary failure in name resolution>", "network"),
    ("[vimeo] 76979871: Unable to download JSON metadata: HTTP Error 404: Not Found", "network"),
    ("Unable to download MPD manifest: <urlopen error [Errno 101] Network is unreachable>", "network"),
    ("Unable to download m3u8 information: HTTP Error 404: Not Found", "network"),
    ("HTTP Error 500: No space left on device (caused by <HTTPError 500: No space left on device>)", "network"),
    ("Unable to download webpage: HTTP Error 500: Sign in to confirm you're not a bot", "network"),
    ("Unable to download webpage: HTTP Error 404: Private video", "network"),
    ("The read operation timed out", "network"),
    ("[Errno 104] Connection reset by peer", "network"),
    ("[download] Got error: 30244 bytes read, 30245 more expected. Giving up after 1 retries", "network"),
    ("[download] Got error: ('Connection aborted.', RemoteDisconnected('Remote end closed connection'))", "network"),
    ("HTTP Error 503: Service Unavailable", "network"),
    ("unable to write data: [Errno 28] No space left on device", "disk_full"),
    ("Video unavailable. This video is about the moon", "failed"),
    ("HTTP Error 404: Not Found", "failed"),
    ("Something else went wrong", "failed"),
]


@pytest.mark.parametrize(("message", "outcome"), MESSAGES)
@pytest.mark.parametrize("dress", ["{}", "ERROR: {}", "\x1b[0;31mERROR:\x1b[0m {}"])
def test_every_message_has_its_outcome(message: str, outcome: str, dress: str) -> None:
    """yt-dlp's words lead to the table's outcomes, in any case of letters, with either apostrophe and in any colour."""
    assert outcome_of(dress.format(message)) is Outcome(outcome)
    assert outcome_of(dress.format(message.upper())) is Outcome(outcome)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A video host with one video, one list and one odd name."""
    folder = tmp_path_factory.mktemp("host")
    write_media(folder / "clip.mp4", [tone(3.0, 16_000)], 16_000, "aac", picture="white")
    (folder / "passwd.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    )
    (folder / "folder").mkdir()
    with serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One worker for all downloads, as in an ingest."""
    with Worker(None) as worker:
        yield worker


def test_a_whole_file_arrives_under_its_id(host: Server, worker: Worker, tmp_path: Path) -> None:
    """A direct link's file comes byte for byte, named by the id alone, and decodes."""
    got = worker.call(download, f"{host.address}/files/clip.mp4", tmp_path, "-v1", 60.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded)
    assert got.path == tmp_path / "-v1.mp4"
    assert got.path.read_bytes() == (host.folder / "clip.mp4").read_bytes()
    assert names(tmp_path) == ["-v1.mp4"]
    assert (got.title, got.channel) == ("clip", None)
    assert isinstance(decode(got.path, 0.0, 60.0), Decoded)


def test_an_older_download_of_the_id_is_replaced(host: Server, worker: Worker, tmp_path: Path) -> None:
    """What a killed run left under the same id is neither continued nor taken for the answer."""
    (tmp_path / "v1.webm").write_text("old")
    (tmp_path / "v1.mp4.part").write_text("half")
    got = worker.call(download, f"{host.address}/files/clip.mp4", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded)
    assert names(tmp_path) == ["v1.mp4"]


@pytest.mark.parametrize(
    ("path", "outcome", "words"),
    [
        ("/files/nothing.mp4", "network", "HTTP Error 404"),
        ("/status/403/a.mp4", "forbidden", "HTTP Error 403"),
        ("/status/429/a.mp4", "rate_limited", "HTTP Error 429"),
        ("/status/500/a.mp4", "network", "HTTP Error 500"),
        ("/status/503/a.mp4", "network", "HTTP Error 503"),
        ("/page.html", "unsupported_link", "Unsupported URL"),
        ("/stall/a.mp4", "network", "timed out"),
        ("/files/passwd.m3u8", "refused_link", "file:"),
        ("/redirect?to=file:///etc/passwd", "refused_link", "file:"),
        ("/redirect?to=http://10.1.2.3/a.mp4", "refused_link", "10.1.2.3"),
        ("/redirect?to=http://169.254.169.254/latest/meta-data", "refused_link", "169.254.169.254"),
        ("/redirect?to=http://[::1]:80/a.mp4", "refused_link", "::1"),
    ],
)
def test_each_failure_is_called_by_its_name(
    host: Server, worker: Worker, tmp_path: Path, path: str, outcome: str, words: str
) -> None:
    """What the host answers becomes an outcome with its words, and nothing is left in the folder."""
    got = worker.call(download, host.address + path, tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome(outcome), got.detail
    assert words in got.detail
    assert names(tmp_path) == []


def test_a_redirect_to_a_private_host_never_arrives(host: Server, worker: Worker, tmp_path: Path) -> None:
    """A public page cannot send the downloader to a service on this machine: no request reaches it."""
    with serving(host.folder) as inner:
        link = f"{host.address}/redirect?to=http://localhost:{inner.server_port}/files/clip.mp4"
        got = worker.call(download, link, tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
        assert not isinstance(got, Downloaded)
        assert (got.outcome, inner.asked) == (Outcome.REFUSED_LINK, [])
        allowed = DownloadLimits(LOOPBACK | {"localhost"}, socket_timeout_seconds=2.0)
        assert isinstance(worker.call(download, link, tmp_path, "v1", 60.0, allowed, timeout_seconds=60), Downloaded)


def test_a_private_host_is_refused_unasked(host: Server, tmp_path: Path) -> None:
    """Without leave, a link to this machine is refused before any connection."""
    before = list(host.asked)
    got = download(f"{host.address}/files/clip.mp4", tmp_path, "v1", 60.0)
    assert not isinstance(got, Downloaded)
    assert (got.outcome, host.asked) == (Outcome.REFUSED_LINK, before)


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.mp4",
        "javascript:alert(1)",
        "http://",
        "http://[::1]/a",
        "http://0x7f000001/a",
    ],
)
def test_links_of_other_kinds_are_refused(link: str, tmp_path: Path) -> None:
    """Only http and https to public hosts are fetched, however the address is written."""
    got = download(link, tmp_path, "v1", 60.0)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.REFUSED_LINK


def test_a_damaged_link_costs_no_request(tmp_path: Path) -> None:
    """A truncated YouTube id is told from its length alone."""
    got = download("https://www.youtube.com/watch?v=JLZlCZ0", tmp_path, "JLZlCZ0", 60.0)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.DAMAGED_LINK


@pytest.mark.parametrize("path", ["/endless/a.wav", "/files/clip.mp4"])
def test_a_download_over_the_cap_is_refused(host: Server, worker: Worker, tmp_path: Path, path: str) -> None:
    """The cap of bytes holds whether the host states a length or never ends; nothing stays behind."""
    limits = DownloadLimits(LOOPBACK, max_bytes=5_000, socket_timeout_seconds=2.0)
    got = worker.call(download, host.address + path, tmp_path, "v1", 60.0, limits, timeout_seconds=60)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.REFUSED_FILE
    assert names(tmp_path) == []


def test_a_worker_can_be_killed_in_the_middle(host: Server, tmp_path: Path) -> None:
    """A host that drips for ever is ended by the worker's time limit."""
    limits = DownloadLimits(LOOPBACK, max_bytes=10**12)
    with Worker(None) as worker, pytest.raises(WorkerKilledError):
        worker.call(download, f"{host.address}/endless/a.wav", tmp_path, "v1", 60.0, limits, timeout_seconds=4.0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, host: Server) -> Iterator[tuple[str, Worker]]:
    """A site of our own in yt-dlp, with a video of 90 s, and a worker that knows it."""
    plugins = with_site(tmp_path_factory.mktemp("plugins"))
    write_media(host.folder / "long.mp3", [tone(90.0, 16_000)], 16_000, "libmp3lame")
    with pytest.MonkeyPatch.context() as patch, Worker(None) as worker:
        patch.syspath_prepend(str(plugins))
        worker.call(time.time, timeout_seconds=20)
        yield f"{host.address}/site", worker


def test_of_a_site_only_the_first_seconds_come(site: tuple[str, Worker], host: Server, tmp_path: Path) -> None:
    """Of a video of 90 s its first 20 are fetched, with what the site says of it; its title names nothing."""
    address, worker = site
    got = worker.call(download, f"{address}/abc", tmp_path, "v1", 20.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded), got
    assert (got.title, got.description, got.channel, got.source_seconds) == ("../../<b>T</b>", "D", "C", 90.0)
    assert names(tmp_path) == ["v1.mp3"]
    clip = decode(got.path, 0.0, 60.0)
    assert isinstance(clip, Decoded)
    assert len(clip.audio) / 16_000 == pytest.approx(20.0, abs=0.5)


def test_what_is_hardly_longer_comes_whole(site: tuple[str, Worker], tmp_path: Path) -> None:
    """Cutting a video that is nearly as short as wanted is not worth it."""
    address, worker = site
    got = worker.call(download, f"{address}/abc", tmp_path, "v1", 80.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded), got
    clip = decode(got.path, 0.0, 120.0)
    assert isinstance(clip, Decoded)
    assert len(clip.audio) / 16_000 == pytest.approx(90.0, abs=0.5)


@pytest.mark.parametrize(
    ("video", "outcome"), [("list", "unsupported_link"), ("live", "not_yet"), ("x?say=Private%20video", "private")]
)
def test_what_is_not_one_finished_video_is_told(
    site: tuple[str, Worker], tmp_path: Path, video: str, outcome: str
) -> None:
    """A playlist, a running live stream and a private video each have their outcome, and leave nothing."""
    address, worker = site
    got = worker.call(download, f"{address}/{video}", tmp_path, "v1", 20.0, LIMITS, timeout_seconds=60)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome(outcome), got.detail
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_public(address: str) -> None:
    """The guard lets the public internet through."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"),
        *("2002:7f00:1::", "fec0::1", "64:ff9b:1::a00:1", "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1"),
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, and all of them hidden in IPv6."""
    assert not is_public(address)


def test_a_host_without_an_address_is_the_networks_fault() -> None:
    """A name that does not resolve may resolve later: network, not refused."""
    refusal = refusal_of_link("http://no-such-host.invalid/a.mp4", frozenset())
    assert refusal is not None
    assert refusal.outcome is Outcome.NETWORK


def test_other_protocols_start_no_program(host: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page offers by rtmp is not fetched by the program that yt-dlp has for it, which goes past the guard."""
    program = tmp_path / "bin" / "rtmpdump"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    page = '<html><body><video><source src="rtmp://10.0.0.1/app/x" type="video/mp4"></video></body></html>'
    (host.folder / "rtmp.html").write_text(page)
    (tmp_path / "in").mkdir()
    with Worker(None) as other:
        link = f"{host.address}/files/rtmp.html"
        got = other.call(download, link, tmp_path / "in", "v1", 60.0, LIMITS, timeout_seconds=60)
    assert not isinstance(got, Downloaded)
    assert got.outcome is Outcome.NO_FORMAT, got.detail
    assert not (tmp_path / "ran").exists()


@pytest.mark.realdata
def test_real_media_of_many_containers_arrive(data: Path, worker: Worker, tmp_path: Path) -> None:
    """Files of seven containers come through yt-dlp as they are on the host, and decode."""
    names = [
        "speech_01.mp4",
        "speech_02.webm",
        "speech_05.mp3",
        "speech_06.opus",
        "music_06.ogg",
        "music_09.avi",
        "nature_08.wav",
    ]
    with serving(data / "videos") as server:
        for name in names:
            link = f"{server.address}/files/{name}"
            got = worker.call(download, link, tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
            assert isinstance(got, Downloaded), (name, got)
            assert got.path.read_bytes() == (data / "videos" / name).read_bytes()
            assert isinstance(decode(got.path, 0.0, 60.0), Decoded)
