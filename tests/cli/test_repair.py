"""``quartzlens repair`` as its users see it: the real yt-dlp, in processes that end in every way."""

import csv
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.collection import open_collection
from tests.conftest import ROOT, quartzlens
from tests.pipeline.damaged_lists import WATCH, rows_of, stripped_list
from tests.pipeline.search_site import ADDRESS, SearchServer, entry, environment, searching, with_search

KILLS = 6
BOT = "Sign in to confirm you\u2019re not a bot."


class Play:
    """A stripped list, its truth, and a site that knows it."""

    def __init__(self, folder: Path, site: SearchServer) -> None:
        self.folder, self.site = folder, site
        self.list, self.out = folder / "list.csv", folder / "list.repaired.csv"
        self.truth = stripped_list(self.list, 100)
        site.found = {title: [entry(one, title, f"Channel {title[-1]}")] for title, one in self.truth.items()}
        self.environment = environment(site, with_search(folder / "plugins"))
        self.damaged = {row["title"] for row in rows_of(self.list) if len(row["link"]) < 11}

    def repair(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return quartzlens("repair", self.list, *arguments, env=self.environment)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command, in a process group of its own."""
        command = [sys.executable, "-m", "quartzlens", "repair", str(self.list), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def wait_for(self, n_asked: int, process: subprocess.Popen[str]) -> None:
        """Until so many searches have come, or the process has ended."""
        until = time.monotonic() + 60
        while len(self.site.asked) < n_asked and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)

    def verdicts(self) -> Counter[str]:
        """Rows of the output by verdict, after checking that none is missing and none is repaired wrongly."""
        rows = rows_of(self.out)
        assert [row["title"] for row in rows] == list(self.truth)
        for row in rows:
            whole = self.truth[row["title"]]
            is_whole = row["title"] not in self.damaged
            assert (row["link"] in {whole, WATCH + whole}) == (is_whole or row["repair"] == "repaired")
        return Counter(row["repair"] for row in rows)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A list of a hundred videos, and the site."""
    with searching({}) as site:
        yield Play(tmp_path, site)


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What ``--json`` printed."""
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_a_list_is_repaired_and_goes_on_to_ingest(play: Play) -> None:
    """It says first what is damaged, how, and how long it takes; then what became of it and what to do next."""
    play.environment["QUARTZLENS_PAUSE_SECONDS"] = "0.05"
    done = play.repair()
    n = len(play.damaged)
    assert done.returncode == 0, done.stderr
    assert f"{n} rows with a damaged id ({n} different)" in done.stderr
    assert "stripped from their beginning" in done.stderr
    assert "stripped from their end" in done.stderr
    assert f"{n} searches to make, about {max(1, round(n * 0.05))} seconds of polite pauses" in done.stderr
    assert f"1 of {n} (repaired 1)" in done.stderr
    assert f"{n} of {n} (repaired {n})" in done.stderr
    assert f"next: quartzlens ingest {play.out}" in done.stdout
    assert play.verdicts() == {"repaired": n, "": 100 - n}
    assert Counter(play.site.asked) == {("search", title): 1 for title in play.damaged}
    made = {path.name for path in play.folder.iterdir()} - {"list.csv", "plugins"}
    assert made == {"list.repaired.csv", "list.repaired.csv.searches.jsonl"}
    again = play.repair("--json")
    assert again.returncode == 0, again.stderr
    assert "Nothing to search for" in again.stderr
    assert summary(again)["rows"] == {"repaired": n}
    assert len(play.site.asked) == n


def test_what_is_unsure_is_listed_for_a_person(play: Play) -> None:
    """The first ten in the terminal, all in the file and in JSON, none taken; --retry searches for them again."""
    damaged = sorted(play.damaged)
    for title in damaged[:12]:
        play.site.found[title] = [entry(play.truth[title], f"[red]{title}\x1b[31m", "Somebody else")]
    for title in damaged[12:15]:
        play.site.found[title] = []
    done = play.repair("-o", play.folder / "mine.csv")
    play.out = play.folder / "mine.csv"
    assert done.returncode == 0, done.stderr
    assert play.verdicts() == {"unconfirmed": 12, "not found": 3, "repaired": len(damaged) - 15, "": 100 - len(damaged)}
    assert "For you to decide: 12" in done.stdout
    assert "2 more are there" in done.stdout
    assert "[red]" in done.stdout
    assert "\x1b" not in done.stdout
    assert sum(play.truth[title] in done.stdout.replace("\n", "") for title in damaged[:12]) <= 10
    told = summary(play.repair("-o", play.out, "--json"))
    assert {one["title"]: one["candidates"][0]["id"] for one in told["for_you"]} == {
        title: play.truth[title] for title in damaged[:12]
    }
    n_asked = len(play.site.asked)
    play.site.found = {title: [entry(one, title, f"Channel {title[-1]}")] for title, one in play.truth.items()}
    assert summary(play.repair("-o", play.out, "--json", "--retry"))["rows"] == {"repaired": len(damaged)}
    assert len(play.site.asked) == n_asked + 15


def test_killed_at_any_moment_it_goes_on(play: Play) -> None:
    """The output is whole at every moment, and a kill costs no more than the search under way."""
    draw = random.Random()
    play.site.delay_seconds = 0.03
    for _ in range(KILLS):
        process = play.begin()
        play.wait_for(len(play.site.asked) + draw.randint(1, 4), process)
        time.sleep(draw.random() * 0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert sum(play.verdicts().values()) == 100
    done = play.repair()
    assert done.returncode == 0, done.stderr
    assert play.verdicts() == {"repaired": len(play.damaged), "": 100 - len(play.damaged)}
    assert set(play.site.asked) == {("search", title) for title in play.damaged}
    assert len(play.site.asked) <= len(play.damaged) + KILLS
    assert not list(play.folder.glob(".*"))


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_keeps_what_was_found(play: Play, times: int) -> None:
    """Once ends after the search under way, twice at once; the output tells what was found and what was not asked."""
    play.site.holds_at = 3
    process = play.begin()
    play.wait_for(3, process)
    for _ in range(times):
        os.kill(process.pid, signal.SIGINT)
        while process.poll() is None and "Ctrl-C again" not in (process.stderr.readline() if process.stderr else ""):
            pass
    if times == 1:
        play.site.go_on.set()
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in complained
    found = play.verdicts()
    assert found["repaired"] == 4 - times
    assert found["not searched yet"] == len(play.damaged) - found["repaired"]
    assert ("the same command goes on" in said) == (times == 1)
    play.site.go_on.set()
    assert play.repair().returncode == 0
    assert play.verdicts()["repaired"] == len(play.damaged)


def test_a_site_that_takes_us_for_a_bot_ends_it(play: Play) -> None:
    """Exit code 1 with what to do; everything found is kept and written, and the next run asks for the rest."""
    known = dict(play.site.found)
    titles = [title for title in play.truth if title in play.damaged]
    for title in titles[5:]:
        play.site.found[title] = {"say": BOT}
    done = play.repair("--json")
    assert done.returncode == 1
    assert "--cookies FILE" in done.stderr
    assert "Traceback" not in done.stderr
    told = summary(done)
    assert told["stopped"] is True
    assert told["searches_left"] == len(titles) - 5
    assert len(play.site.asked) == 8
    assert told["rows"] == {"repaired": 5, "failed": 3, "not searched yet": len(titles) - 8}
    assert play.verdicts()["repaired"] == 5
    play.site.found = known
    assert summary(play.repair("--json"))["rows"] == {"repaired": len(titles)}
    assert len(play.site.asked) == 8 + len(titles) - 5


def test_without_a_network_it_says_so_and_what_to_do(play: Play) -> None:
    """Exit code 1; the host and what failed are on screen and in the output, and no proxy that nobody has set is."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        play.environment[ADDRESS] = f"http://localhost:{closed.getsockname()[1]}"
    play.environment["QUARTZLENS_ALLOW_HOSTS"] = "localhost"
    command = [sys.executable, "-m", "tests.pipeline.hurried", "repair", str(play.list), "--max-videos", "1"]
    done = subprocess.run(command, cwd=ROOT, env=play.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    why = "localhost: Connection refused (after 3 tries)"
    assert f"YouTube was not reached by one search: {why}." in done.stderr
    assert re.search(rf"1 +│ failed: network +│ {re.escape(why)}", done.stdout)
    (failed,) = [row["repair_sure"] for row in rows_of(play.out) if row["repair"] == "failed"]
    assert failed == f"network: {why}"


def test_a_portion_at_a_time(play: Play) -> None:
    """Each command makes so many searches, and says how many are left."""
    done = play.repair("--max-videos", "4")
    assert done.returncode == 0, done.stderr
    n = len(play.damaged)
    assert f"{n} searches to make, 4 of them now" in done.stderr
    assert f"{n - 4} searches are left: the same command goes on" in done.stdout
    assert play.verdicts()["repaired"] == len(play.site.asked) == 4
    assert play.repair("--max-hours", "0").returncode == 0
    assert len(play.site.asked) == 4
    lines = play.repair("--max-videos", "2", "--progress", "json").stdout.splitlines()
    assert [json.loads(line).get("outcome") for line in lines] == ["repaired", "repaired", None]
    assert json.loads(lines[-1])["summary"]["searches_left"] == n - 6


def test_two_repairs_of_a_list_do_not_meet(play: Play) -> None:
    """The second one is told and changes nothing; the first one goes on."""
    play.site.holds_at = 1
    process = play.begin("--max-videos", "6")
    play.wait_for(1, process)
    second = play.repair()
    assert second.returncode == 1
    assert "in use by another repair of the same list" in second.stderr
    play.site.go_on.set()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert play.verdicts()["repaired"] == len(play.site.asked) == 6


def test_wrong_usage_asks_nothing_and_leaves_nothing(play: Play) -> None:
    """A list that is none, an output that is something else, and wrong cookies are one clear sentence."""
    before = sorted(play.folder.iterdir())
    for arguments in (("-o", play.list), ("--cookies", play.list), ("-o", play.folder / "x.pdf")):
        done = play.repair(*arguments)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
    assert quartzlens("repair", play.folder / "nowhere.csv").returncode == 2
    assert sorted(play.folder.iterdir()) == before
    assert play.site.asked == []


def test_of_a_list_without_damage_nothing_is_written(tmp_path: Path) -> None:
    """It is said, with nothing asked for; an output that was there, of when it was damaged, is brought up to date."""
    (tmp_path / "list.csv").write_text("link;title\r\ndQw4w9WgXcQ;One\r\n")
    done = quartzlens("repair", tmp_path / "list.csv")
    assert done.returncode == 0, done.stderr
    assert f"No row of {tmp_path / 'list.csv'} has a damaged id: no list was written." in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    (tmp_path / "list.repaired.csv").touch()
    told = summary(quartzlens("repair", tmp_path / "list.csv", "--json"))
    assert (told["damaged_rows"], told["output"]) == (0, str(tmp_path / "list.repaired.csv"))
    text = (tmp_path / "list.repaired.csv").read_bytes()
    assert text == b"link;title;repair;repair_sure;repair_was;repair_candidates\r\ndQw4w9WgXcQ;One;;;;\r\n"


@pytest.mark.slow
def test_the_repaired_list_is_ingested(play: Play) -> None:
    """Its rows lead to whole ids with their labels; damaged ids that it, or its list, led to before are gone."""
    rows = list(csv.reader(play.list.read_text("utf-8").splitlines()))
    with play.list.open("w", newline="") as file:
        csv.writer(file).writerows([[*rows[0], "category"], *([*row, "ab"[n % 2]] for n, row in enumerate(rows[1:]))])
    collection = play.folder / "collection"

    def ingest(path: Path) -> None:
        done = quartzlens("ingest", path, "-c", collection, "--max-hours", "0", env=play.environment)
        assert done.returncode == 0, done.stderr

    ingest(play.list)
    for more in (("--max-videos", "3"), ()):
        assert play.repair(*more).returncode == 0
        ingest(play.out)
    with open_collection(collection) as opened:
        videos = {video.id: video for video in opened.store.videos()}
        labelled = {label.video_id for label in opened.store.labels()}
    assert set(videos) == set(play.truth.values()) <= labelled
    assert [videos[one].category for one in play.truth.values()] == ["ab"[n % 2] for n in range(100)]
    assert not any(video.extra for video in videos.values())
