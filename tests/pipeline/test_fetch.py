"""From a source to a decoded clip: links and files, and workers that crash, hang or run out of disk."""

import errno
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pipeline import fetch as fetch_module
from pipeline.decode import Decoded, decode
from pipeline.fetch import Fetcher, FetchOptions
from pipeline.pool import ClosedError
from pipeline.prepare import Prepared
from pipeline.work import TIMEOUT_SECONDS, Refused
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Video
from tests.pipeline.server import serving
from tests.pipeline.sounds import write_tone
from tests.pipeline.standin import StandInEncoder

FINGERPRINT = StandInEncoder().fingerprint


def options(folder: Path, **more: object) -> FetchOptions:
    """Everything below ``folder``, without pauses."""
    return FetchOptions(folder / "incoming", media_folder=folder / "media", pause_seconds=0.0, **more)  # type: ignore[arg-type]


def test_a_link_arrives_as_the_file_it_leads_to(tmp_path: Path) -> None:
    """Fetched over HTTP, a tone is heard as from the file itself; the download is deleted, its sound kept."""
    path = write_tone(tmp_path / "host" / "tone.wav", 3)
    allowed = options(tmp_path, allow_hosts=frozenset({"127.0.0.1"}))
    with serving(path.parent) as server, Fetcher(FINGERPRINT, allowed) as fetcher:
        arrived = fetcher.fetch(Video("tone-link", f"{server.address}/files/tone.wav"))
        assert list(allowed.incoming_folder.iterdir()) == []
    assert isinstance(arrived, Prepared)
    decoded = decode(path, 0.0, 60.0)
    assert isinstance(decoded, Decoded)
    assert np.array_equal(arrived.audio, decoded.audio)
    assert arrived.media.media_file is not None
    assert (tmp_path / "media" / arrived.media.media_file).stat().st_size > 0


def test_a_link_to_this_machine_is_refused(tmp_path: Path) -> None:
    """A stranger's link never reaches a private address unless the user names the host; nothing is asked for."""
    with serving(tmp_path) as server, Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        arrived = fetcher.fetch(Video("private", f"{server.address}/files/tone.wav"))
        assert server.asked == []
    assert isinstance(arrived, Refused)
    assert (arrived.outcome, arrived.stage) == (Outcome.REFUSED_LINK, Stage.DOWNLOAD)


def surprise(*_: object) -> None:
    """Fail in a way that nobody foresaw."""
    raise LookupError("odd")


def crash(*_: object) -> None:
    """Die as a decoder does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(*_: object) -> None:
    """Never answer."""
    time.sleep(600)


def fill(*_: object) -> None:
    """Find no room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def grow(*_: object) -> None:
    """Ask for more memory than there is to have."""
    bytearray(fetch_module.DECODE_BYTES)


@pytest.mark.parametrize(
    ("accident", "outcome", "word"),
    [
        (crash, Outcome.UNDECODABLE, "SIGSEGV"),
        (hang, Outcome.UNDECODABLE, "limit"),
        (fill, Outcome.DISK_FULL, "No space"),
        (grow, Outcome.UNDECODABLE, "memory"),
        (surprise, Outcome.FAILED, "LookupError: odd"),
    ],
)
def test_an_accident_in_a_worker_is_that_videos_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accident: object, outcome: Outcome, word: str
) -> None:
    """A crash, a hang, a full disk, a memory bomb and a bug end one video each; the next is decoded all the same."""
    path = write_tone(tmp_path / "tone.wav", 1)
    monkeypatch.setitem(TIMEOUT_SECONDS, Stage.DECODE, 3.0)
    with Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        with monkeypatch.context() as patched:
            patched.setattr(fetch_module, "prepare_file", accident)
            first = fetcher.fetch(Video("first", str(path)))
        monkeypatch.setitem(TIMEOUT_SECONDS, Stage.DECODE, 120.0)
        second = fetcher.fetch(Video("second", str(path)))
    assert isinstance(first, Refused)
    assert (first.outcome, first.stage) == (outcome, Stage.DECODE)
    assert word in first.detail
    assert isinstance(second, Prepared)


def test_downloads_keep_their_pause(tmp_path: Path) -> None:
    """Between two downloads lies the mean pause, give or take a third; the first one does not wait."""
    waits: list[float] = []
    with Fetcher(FINGERPRINT, FetchOptions(tmp_path / "incoming", pause_seconds=9.0)) as fetcher:
        fetcher.asker._pace._sleep = waits.append
        fetcher.asker._pace.wait()
        fetcher.asker._pace.wait()
    assert waits[0] == 0.0
    assert 6.0 < waits[1] < 12.0


def meet(path: Path, *_: object) -> None:
    """Go on only when two files are worked on at a time."""
    path.with_suffix(".here").touch()
    until = time.monotonic() + 30
    while len(list(path.parent.glob("*.here"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    raise LookupError(f"met {len(list(path.parent.glob('*.here')))}")


def test_several_files_are_decoded_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two decoders work on two files at once, each in a process of its own."""
    monkeypatch.setattr(fetch_module, "prepare_file", meet)
    videos = [Video(name, str(tmp_path / f"{name}.wav")) for name in ("one", "two")]
    with Fetcher(FINGERPRINT, options(tmp_path, decoders=2)) as fetcher, ThreadPoolExecutor(2) as threads:
        arrivals = list(threads.map(fetcher.fetch, videos))
    assert [getattr(arrival, "detail", None) for arrival in arrivals] == ["LookupError: met 2"] * 2


def begin(path: Path) -> None:
    """Say that the download has begun, and never end."""
    path.touch()
    time.sleep(600)


def slow_download(link: str, folder: Path, *_: object, **__: object) -> None:
    """A download that takes for ever."""
    begin(folder.parent / "begun")


def test_a_download_holds_up_no_file_and_ends_with_the_fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a download hangs and another waits, files are decoded; closing ends both, and nothing starts any more."""
    monkeypatch.setattr("pipeline.download.download", slow_download)
    path = write_tone(tmp_path / "tone.wav", 1)
    links = [Video(name, f"https://example.org/{name}") for name in ("one", "two")]
    with ThreadPoolExecutor(2) as threads, Fetcher(FINGERPRINT, options(tmp_path)) as fetcher:
        downloads = [threads.submit(fetcher.fetch, link) for link in links]
        until = time.monotonic() + 30
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert isinstance(fetcher.fetch(Video("file", str(path))), Prepared)
        assert not any(download.done() for download in downloads)
        fetcher.close()
        ends = [download.exception(timeout=20) or download.result() for download in downloads]
        assert {type(end) for end in ends} == {ClosedError}
        with pytest.raises(ClosedError):
            fetcher.fetch(Video("later", str(path)))
    assert children() == set()


def children() -> set[str]:
    """Ids of the processes that this one has started, and that still run."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found.update((task / "children").read_text().split())
    return set(filter(_is_worker, found))


def _is_worker(pid: str) -> bool:
    try:
        return b"pipeline.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def test_closing_does_not_wait_for_a_pause(tmp_path: Path) -> None:
    """The polite pause before a download and the wait for another try end when the fetcher does."""
    fetcher = Fetcher(FINGERPRINT, FetchOptions(tmp_path / "incoming", pause_seconds=600.0))
    fetcher.asker._pace.wait()
    waiting = [
        threading.Thread(target=fetcher.asker._pace.wait),
        threading.Thread(target=fetcher.asker._sleep, args=(600.0,)),
    ]
    for thread in waiting:
        thread.start()
    fetcher.close()
    for thread in waiting:
        thread.join(20)
    assert not any(thread.is_alive() for thread in waiting)
