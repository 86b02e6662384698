"""Hosts that fail after they have begun to answer: each has its outcome, in its time, and leaves nothing behind."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.container import Refusal
from pipeline.decode import Decoded, decode
from pipeline.download import Downloaded, DownloadLimits, download
from pipeline.fetch import Fetcher, FetchOptions
from pipeline.guard import Guard
from pipeline.work import TIMEOUT_SECONDS, Refused
from pipeline.worker import Worker
from pipeline.ytdlp import of_the_host
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Video
from tests.pipeline.server import Server, serving
from tests.pipeline.standin import StandInEncoder
from tests.pipeline.synth import names, tone, write_media

LIMITS = DownloadLimits(frozenset({"127.0.0.1"}), socket_timeout_seconds=2.0)
FINGERPRINT = StandInEncoder().fingerprint


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A host with one file of sound."""
    folder = tmp_path_factory.mktemp("host")
    write_media(folder / "clip.mp3", [tone(20.0, 16_000)], 16_000, "libmp3lame")
    with serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One worker for all downloads, as in an ingest."""
    with Worker(None) as worker:
        yield worker


@pytest.mark.parametrize(
    ("path", "outcome", "words", "final"),
    [
        ("half/clip.mp3", "network", "timed out", False),
        ("reset/clip.mp3", "network", "", False),
        ("loop/clip.mp3", "network", "redirect", False),
        ("headers/clip.mp3", "network", "", False),
        ("short/clip.mp3", "network", "", False),
        ("status/404/clip.mp3", "network", "HTTP Error 404", True),
        ("status/410/clip.mp3", "network", "HTTP Error 410", True),
        ("status/502/clip.mp3", "network", "HTTP Error 502", False),
    ],
)
def test_a_host_that_fails_in_the_middle(
    host: Server, worker: Worker, tmp_path: Path, path: str, outcome: str, words: str, final: bool
) -> None:
    """A host that breaks off is the network's fault; only one that says that the file is gone is not asked again."""
    got = worker.call(download, f"{host.address}/{path}", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert not isinstance(got, Downloaded)
    assert (got.outcome, got.final) == (Outcome(outcome), final), got.detail
    assert words in got.detail
    assert names(tmp_path) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("redirected", [False, True])
def test_a_host_that_is_not_there_is_named(
    host: Server, worker: Worker, tmp_path: Path, scheme: str, redirected: bool
) -> None:
    """Its name and what failed are the detail, and not the guard, which yt-dlp takes for a proxy that fails."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        link = f"{scheme}://localhost:{closed.getsockname()[1]}/clip.mp3"
    limits = DownloadLimits(frozenset({"127.0.0.1", "localhost"}), socket_timeout_seconds=2.0)
    asked = f"{host.address}/redirect/clip.mp3?to={link}" if redirected else link
    got = worker.call(download, asked, tmp_path, "v1", 60.0, limits, timeout_seconds=60)
    assert got == Refusal(Outcome.NETWORK, "localhost: Connection refused")


def test_a_host_that_never_answers_is_named(host: Server, worker: Worker, tmp_path: Path) -> None:
    """Of a silent host yt-dlp only knows the guard's port: the detail has the host instead."""
    got = worker.call(download, f"{host.address}/stall/clip.mp3", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert got == Refusal(Outcome.NETWORK, "127.0.0.1: timed out")


def test_what_another_host_says_is_not_a_failure_of_the_way() -> None:
    """Once a host was not reached, its word is given for what looks like that, and for nothing else."""
    with Guard(frozenset(), 1, 1.0) as guard:
        guard.log.unreached = "a.example: Connection refused"
        private, broken = Refusal(Outcome.PRIVATE, "Private video"), Refusal(Outcome.NETWORK, "HTTP Error 500")
        assert [of_the_host(guard, one) for one in (private, broken)] == [private, broken]
        tunnel = Refusal(Outcome.NETWORK, "('Unable to connect to proxy', OSError('Tunnel connection failed: 502'))")
        assert of_the_host(guard, tunnel) == Refusal(Outcome.NETWORK, "a.example: Connection refused")
        guard.log.reached()
        assert of_the_host(guard, tunnel) == tunnel


@pytest.mark.parametrize("way", ["as-page", "gzipped", "less", "whole"])
def test_sound_that_is_sent_oddly_arrives(host: Server, worker: Worker, tmp_path: Path, way: str) -> None:
    """Sound called a page of HTML, packed, under a smaller length or without ranges is sound all the same."""
    got = worker.call(download, f"{host.address}/{way}/clip.mp3", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded), got
    assert isinstance(decode(got.path, 0.0, 60.0), Decoded)
    assert len(names(tmp_path)) == 1


def test_a_page_that_is_called_a_video_is_not_decoded(host: Server, worker: Worker, tmp_path: Path) -> None:
    """A login page under the name and type of a video arrives as a file that holds no sound."""
    got = worker.call(download, f"{host.address}/page/clip.mp3", tmp_path, "v1", 60.0, LIMITS, timeout_seconds=60)
    assert isinstance(got, Downloaded), got
    decoded = decode(got.path, 0.0, 60.0)
    assert not isinstance(decoded, Decoded)
    assert decoded.outcome is Outcome.UNDECODABLE


def test_a_host_that_drips_is_stopped(host: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte every half second never ends by itself: the limit of time of a download does, once, and nothing stays."""
    monkeypatch.setitem(TIMEOUT_SECONDS, Stage.DOWNLOAD, 4.0)
    options = FetchOptions(tmp_path / "incoming", 0.0, LIMITS.allow_hosts, patient=True)
    with Fetcher(FINGERPRINT, options) as fetcher:
        got = fetcher.fetch(Video("v1", f"{host.address}/drip/clip.mp3"))
    assert isinstance(got, Refused)
    assert (got.outcome, got.final) == (Outcome.NETWORK, True)
    assert not options.incoming_folder.exists()


def test_a_file_that_is_gone_is_asked_for_once(host: Server, tmp_path: Path) -> None:
    """404 is no matter of patience: one request, in an ingest too."""
    asked = len(host.asked)
    with Fetcher(FINGERPRINT, FetchOptions(tmp_path / "in", 0.0, LIMITS.allow_hosts, patient=True)) as fetcher:
        got = fetcher.fetch(Video("v1", f"{host.address}/files/none.mp3"))
    assert isinstance(got, Refused)
    assert (got.outcome, got.detail.count("tries")) == (Outcome.NETWORK, 0)
    assert len(host.asked) == asked + 1
