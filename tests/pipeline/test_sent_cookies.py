"""Cookies on their way to a site: sent, renewed in private, and never quoted; real yt-dlp."""

import stat
from pathlib import Path

import pytest

from pipeline.fetch import Fetcher
from quartzlens.records import Video
from tests.pipeline.server import Server
from tests.pipeline.test_patience import FINGERPRINT, host, hurried, options, refusal, site, tone

__all__ = ["host", "site"]


def cookie_file(folder: Path, value: str = "secret") -> Path:
    """A file with one cookie for loopback, readable by all."""
    path = folder / "cookies.txt"
    path.write_text(f"# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tSID\t{value}\n")
    return path


def test_cookies_are_sent_and_the_users_file_is_left_alone(host: Server, tmp_path: Path) -> None:
    """The site gets the cookie; what it renews is kept in a private copy for the next downloads, which then goes."""
    cookies = cookie_file(tmp_path)
    before, wanted = (cookies.read_bytes(), cookies.stat().st_mtime_ns), options(tmp_path, cookies)
    host.sets = "SID=renewed; Path=/"
    with Fetcher(FINGERPRINT, wanted) as fetcher:
        hurried(fetcher)
        fetcher.fetch(tone(host))
        assert host.cookies[0] == "SID=secret"
        n_asked = len(host.asked)
        (copy,) = wanted.incoming_folder.iterdir()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        fetcher.fetch(tone(host))
    assert host.cookies[n_asked] == "SID=renewed"
    assert (cookies.read_bytes(), cookies.stat().st_mtime_ns) == before
    assert not wanted.incoming_folder.exists()


@pytest.mark.parametrize("path", ["/status/403/a.wav", "/page.html", "/files/none.wav", "/site/list"])
def test_no_refusal_quotes_a_cookie(host: Server, tmp_path: Path, path: str) -> None:
    """Whatever fails, the words that are kept have nothing of the cookies."""
    with Fetcher(FINGERPRINT, options(tmp_path, cookie_file(tmp_path, "SECRET"), patient=False)) as fetcher:
        _, detail = refusal(fetcher.fetch(Video("video", host.address + path)))
    assert "SECRET" not in detail
