"""``quartzlens ingest`` of links, as its users see it: limits, cookies, a proxy, and a site that takes it for a bot."""

import os
import re
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.pace import Wait
from quartzlens.cli.common import fetch_options, proxy_of
from quartzlens.cli.progress import Shown, bar, minute_lines, progress
from quartzlens.config import load_settings
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Result
from store.collection import open_collection
from tests.conftest import quartzlens
from tests.pipeline.server import serving
from tests.pipeline.site import with_site
from tests.pipeline.sounds import write_list, write_tone

BLOCKED = "Sign in to confirm you\u2019re not a bot."


def outcomes(folder: Path) -> list[str | None]:
    """What the collection says of its videos, in their order."""
    with open_collection(folder) as opened:
        return [video.outcome and video.outcome.value for video in opened.store.videos()]


@pytest.mark.parametrize("content", [None, "SID=secret", "# Netscape HTTP Cookie File\nsecret\n"])
@pytest.mark.parametrize("way", ["flag", "environment"])
def test_a_wrong_cookie_file_is_wrong_usage(tmp_path: Path, content: str | None, way: str) -> None:
    """One that is missing or no cookie file ends the command before anything starts, and is not quoted."""
    cookies, tone = tmp_path / "cookies.txt", write_tone(tmp_path / "tone.wav", 1)
    if content is not None:
        cookies.write_text(content)
    flag = ["--cookies", cookies] if way == "flag" else []
    environment = {"QUARTZLENS_COOKIES": str(cookies)} if way == "environment" else {}
    done = quartzlens("--debug", "ingest", tone, "-c", tmp_path / "new", *flag, env={**os.environ, **environment})
    assert "UsageError" in done.stderr
    assert str(cookies) in done.stderr
    assert "secret" not in done.stderr + done.stdout
    assert not (tmp_path / "new").exists()
    assert quartzlens("ingest", tone, "-c", tmp_path / "new", "--cookies", cookies).returncode == 2


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_a_wrong_proxy_is_wrong_usage(tmp_path: Path, way: str) -> None:
    """One of another kind ends the command before anything starts, and its password is not quoted."""
    proxy, tone = "socks5://me:hunter2@proxy.example.org:1080", write_tone(tmp_path / "tone.wav", 1)
    flag = ["--proxy", proxy] if way == "flag" else []
    environment = {"QUARTZLENS_PROXY": proxy} if way == "environment" else {}
    done = quartzlens("--debug", "ingest", tone, "-c", tmp_path / "new", *flag, env={**os.environ, **environment})
    assert "UsageError" in done.stderr
    assert "http://USER:PASSWORD@HOST:PORT" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert not (tmp_path / "new").exists()


def test_the_proxy_of_the_settings_is_everyones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever downloads goes through QUARTZLENS_PROXY, a flag comes before it, and nothing shows its password."""
    monkeypatch.setenv("QUARTZLENS_PROXY", "http://me:hunter2@127.0.0.1:3128")
    options = fetch_options(tmp_path)
    assert str(options.proxy) == "http://127.0.0.1:3128"
    assert "hunter2" not in repr(load_settings()) + repr(options)
    assert str(fetch_options(tmp_path, proxy=proxy_of("http://h:1")).proxy) == "http://h:1"
    monkeypatch.delenv("QUARTZLENS_PROXY")
    assert fetch_options(tmp_path).proxy is None


@pytest.mark.slow
def test_a_portion_at_a_time(tmp_path: Path) -> None:
    """Each command does so many videos and says how many are left; the last one has nothing left to say."""
    tones, folder = write_list(tmp_path / "tones", 3), tmp_path / "collection"
    none = quartzlens("ingest", tones, "-c", folder, "--max-hours", "0")
    assert none.returncode == 0, none.stderr
    assert "5 videos are left: the same command goes on" in none.stderr
    assert outcomes(folder) == [None] * 5
    first = quartzlens("ingest", tones, "-c", folder, "--max-videos", "2", "--max-hours", "1.5")
    assert first.returncode == 0, first.stderr
    assert "5 videos to embed, 2 of them now" in first.stderr
    assert "3 videos are left: the same command goes on" in first.stderr
    assert outcomes(folder) == ["ok", "ok", None, None, None]
    last = quartzlens("ingest", tones, "-c", folder, "--max-videos", "3")
    assert last.returncode == 0, last.stderr
    assert "are left" not in last.stderr
    assert outcomes(folder) == ["ok", "ok", "ok", "undecodable", "missing_file"]


@pytest.mark.slow
def test_a_site_that_takes_us_for_a_bot_ends_the_command(tmp_path: Path) -> None:
    """Exit code 1 with what to do; what came before is kept, what comes after is pending, and nobody asked for it."""
    write_tone(tmp_path / "host" / "tone.wav", 1)
    path = os.pathsep.join([str(with_site(tmp_path / "plugins")), os.environ.get("PYTHONPATH", "")])
    settings = {"PYTHONPATH": path, "QUARTZLENS_ALLOW_HOSTS": "127.0.0.1", "QUARTZLENS_PAUSE_SECONDS": "0"}
    with serving(tmp_path / "host") as server:
        site = f"{server.address}/site"
        links = [f"{site}/first?say=Private%20video", *(f"{site}/b{n}?say={quote(BLOCKED)}" for n in range(3))]
        links += [f"{server.address}/files/tone.wav"]
        (tmp_path / "list.csv").write_text("\n".join(["link", *links]) + "\n")
        done = quartzlens("ingest", tmp_path / "list.csv", "-c", tmp_path / "new", env={**os.environ, **settings})
        assert server.asked == []
    assert done.returncode == 1
    assert "--cookies FILE" in done.stderr
    assert "--proxy URL" in done.stderr
    assert "quartzlens doctor" in done.stderr
    assert "Traceback" not in done.stderr
    assert outcomes(tmp_path / "new") == ["private", *["blocked_as_bot"] * 3, None]


def result() -> Result:
    """A video that failed."""
    return Result("v1", Outcome.NETWORK, Stage.DOWNLOAD, "2026-11-24T10:00:00+00:00")


def test_a_log_says_why_nothing_happens(capsys: pytest.CaptureFixture[str]) -> None:
    """Every wait of half a minute that a site asked for has its line; shorter ones, usual pauses and ends have none."""
    shown = minute_lines(10)
    for wait in (Wait(14.0, slowed=True), Wait(), Wait(42.0, slowed=True), Wait(240.0, slowed=True), Wait(99.0)):
        shown.on_wait(wait)
    words = ": the site asked to slow down\n"
    assert capsys.readouterr().err == f"waiting 42 seconds{words}waiting 4 minutes{words}"


def test_the_end_moves_away_as_playlists_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A log and JSON lines count to what is known by then."""
    for shown, words in ((minute_lines(1), "1 of 7 ("), (None, '"of": 7')):
        with nullcontext(shown) if shown else progress("json", 0) as told:
            told.on_total(7)
            told.on_result(result())
        seen = capsys.readouterr()
        assert words in seen.out + seen.err


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (Wait(20.0, slowed=True), "waiting 20 seconds: the site asked to slow down"),
        (Wait(6.6), "pause of 7 s"),
        (Wait(), "network 3"),
    ],
)
def test_the_bar_shows_counts_rate_and_the_wait_that_is_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, last: Wait, words: str
) -> None:
    """What is seen at the end is what was told last, beside the counts, how fast it goes and how long it takes."""
    monkeypatch.setenv("COLUMNS", "200")
    with bar(10) as shown:
        shown.on_wait(Wait(240.0, slowed=True))
        shown.on_total(77)
        for _ in range(3):
            shown.on_result(result())
        shown.on_wait(last)
    seen = capsys.readouterr().err
    assert words in seen
    assert "network 3" in seen
    assert "4 minutes" not in seen
    assert "3/77" in seen
    assert re.search(r"\d a minute, 1 second left", seen)


@pytest.mark.parametrize("kind", ["none", "json"])
def test_programs_that_read_along_hear_of_no_wait(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON lines are results alone."""
    with progress(kind, 10) as shown:
        assert isinstance(shown, Shown)
        shown.on_wait(Wait(240.0, slowed=True))
    assert capsys.readouterr() == ("", "")
