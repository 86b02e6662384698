"""``quartzlens ingest`` of standard input, of playlists and of links that may be one, as its users see it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.expansion import Reading
from pipeline.sources import Playlist, SourceList, read_source
from pipeline.work import Refused
from quartzlens.cli.playlists import nothing_read, playlists_of, say_unread
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Result, Row
from store.collection import open_collection
from store.memory import MemoryStore
from tests.conftest import quartzlens
from tests.pipeline.server import serving
from tests.pipeline.site import with_site, write_playlist
from tests.pipeline.sounds import write_tone
from tests.pipeline.tube import environment

INGEST = [sys.executable, "-m", "quartzlens", "ingest", "-"]


def outcomes(folder: Path) -> list[tuple[str, str | None, str | None]]:
    """Title, outcome and category of the collection's videos, in their order."""
    with open_collection(folder) as opened:
        return [(video.title, video.outcome and video.outcome.value, video.category) for video in opened.store.videos()]


def settings(folder: Path) -> dict[str, str]:
    """An environment in which the site on loopback is known and allowed."""
    path = os.pathsep.join([str(with_site(folder / "plugins")), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "QUARTZLENS_ALLOW_HOSTS": "127.0.0.1", "QUARTZLENS_PAUSE_SECONDS": "0"}


def test_standard_input_is_surveyed_like_a_list(tmp_path: Path) -> None:
    """Lines and tables, with rows that cannot be used, and playlists of which nobody is asked."""
    lines = "# mine\ndQw4w9WgXcQ\nno link at all\nhttps://www.youtube.com/@me\n"
    done = quartzlens("ingest", "-", "--dry-run", "--json", input=lines)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [found[key] for key in ("rows", "bad_rows", "playlists", "usable_rows", "videos")] == [3, 1, 1, 1, 1]
    assert (found["unusable"][0]["row"], done.stderr) == (3, "")
    table = quartzlens("ingest", "-", "--dry-run", input="link,category\nyoutube.com/@me,food\n", cwd=tmp_path)
    assert "would also read 1 playlist or channel" in table.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sources", "given", "words"),
    [(["-"], "", "standard input is empty"), (["-", "-"], "a", "name it once"), (["-"], "# a\n", "but no links")],
)
def test_nothing_on_standard_input_is_wrong_usage(tmp_path: Path, sources: list[str], given: str, words: str) -> None:
    """Said before anything is made."""
    done = quartzlens("ingest", *sources, "-c", tmp_path / "new", input=given)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("closing", ["<&-", "0> /dev/null"])
def test_a_closed_standard_input_is_wrong_usage(tmp_path: Path, closing: str) -> None:
    """It neither hangs nor ends in a traceback."""
    command = f'"{sys.executable}" -m quartzlens ingest - -c "{tmp_path}/new" {closing}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "standard input" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_is_told_that_it_is_waited_for() -> None:
    """Somebody who names - at a terminal sees what to do, and Ctrl-D ends the list."""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.Popen(
            [*INGEST, "--dry-run", "--json"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        assert "Ctrl-D ends" in child.stderr.readline()
        os.write(ours, b"dQw4w9WgXcQ\n\x04")
        said, _ = child.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert json.loads(said)["ingest"]["links"] == 1


def refused(outcome: Outcome, n_rows: int = 0) -> Reading:
    """A playlist that its site refused after so many rows."""
    rows = [Row("p", number, "v", "s") for number in range(n_rows)]
    return Reading("p", Playlist("p"), rows, refused=Refused(outcome, Stage.DOWNLOAD, "said"))


def test_each_playlist_that_is_not_read_is_told_with_what_to_do() -> None:
    """Those that were refused by name, those that the end came before by number, and no others."""
    told: list[str] = []
    whole, left = Reading("w", Playlist("w"), whole=True), Reading("l", Playlist("l"))
    say_unread(told.append, [whole, refused(Outcome.PRIVATE), refused(Outcome.REMOVED, 7), left, left])
    assert told == [
        "p could not be read: private (said). Whoever may see it can read it with --cookies FILE.",
        "p could not be read beyond 7 entries: removed (said). Check the link.",
        "2 playlists were not read to the end: the same command reads on.",
    ]
    told.clear()
    say_unread(told.append, [whole])
    assert told == []


def test_nothing_was_read_where_all_that_was_named_failed() -> None:
    """Not where a list, a row or one of the playlists could be, and not where no playlist was named."""
    alone, other = SourceList("p", (), (), (Playlist("p"),)), SourceList("o", (Row("o", 1, "v", "s"),), ())
    assert nothing_read([alone], [refused(Outcome.NETWORK)])
    assert not nothing_read([alone, other], [refused(Outcome.NETWORK)])
    assert not nothing_read([alone], [refused(Outcome.NETWORK), Reading("q", Playlist("q"))])
    assert not nothing_read([alone], [refused(Outcome.NETWORK, 1)])
    assert not nothing_read([other], [])


@pytest.mark.parametrize(
    ("outcome", "asked"), [(None, True), ("network", True), ("removed", False), ("private", False)]
)
def test_a_link_is_asked_about_until_it_is_known_what_it_is(outcome: str | None, asked: bool) -> None:
    """A video that is gone costs no request."""
    link = "https://example.org/set/7"
    one = read_source(link)
    with MemoryStore() as store:
        store.add_rows(one.name, one.rows, [])
        if outcome:
            store.commit([Result(one.rows[0].video_id, Outcome(outcome), Stage.DOWNLOAD, "2026-11-24T10:00:00+00:00")])
        assert playlists_of([one], store) == ((Playlist(link, unsure=True),) if asked else ())


def test_a_playlist_is_no_query(demo_collection: Path) -> None:
    """What sounds like a whole playlist cannot be asked."""
    done = quartzlens("similar", "https://www.youtube.com/@me", "-c", demo_collection)
    assert done.returncode == 2
    assert "playlist or channel" in done.stderr


@pytest.mark.slow
def test_standard_input_again_adds_what_is_new(tmp_path: Path) -> None:
    """The same lines do nothing twice, other lines take nothing away, and a file listed in both is one video."""
    for number in range(3):
        write_tone(tmp_path / f"{number}.wav", number)
    for lines, rows in (("0.wav\n1.wav\n", 2), ("0.wav\n1.wav\n", 2), ("1.wav\n2.wav\n", 4)):
        done = quartzlens("ingest", "-", "-c", "new", "--json", input=lines, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rows"] == rows
    assert outcomes(tmp_path / "new") == [(str(number), "ok", None) for number in range(3)]


@pytest.mark.slow
def test_playlists_in_a_list_and_on_the_command_line(tmp_path: Path) -> None:
    """A limit asks for what it needs and says what is left; the same command reads on; a broken one is told."""
    for number in range(4):
        write_tone(tmp_path / "host" / f"{number}.wav", number)
    with serving(tmp_path / "host") as server:
        entries: list[dict[str, Any]] = [
            {"_type": "url", "url": f"{server.address}/files/{n}.wav", "title": f"Tone {n}"} for n in range(3)
        ]
        write_playlist(server.folder, "p", entries)
        folder, environment = tmp_path / "new", settings(tmp_path)
        single = [f"{server.address}/list/p", f"{server.address}/files/3.wav"]
        broken = f"{server.address}/list/x?say=" + quote("Private video")
        arguments = ["ingest", *single, "-c", folder, "--json"]
        first = quartzlens(*arguments, "--max-videos", "2", env=environment)
        assert first.returncode == 0, first.stderr
        (playlist,) = json.loads(first.stdout)["playlists"]
        whole = {"bad_rows": 0, "whole": True, "outcome": None, "detail": ""}
        assert playlist == {"source": single[0], "rows": 3, **whole}
        assert "was not read to the end" not in first.stderr
        assert "2 videos are left: the same command goes on" in first.stderr
        assert outcomes(folder).count(("Tone 0", "ok", None)) == 1
        last = quartzlens(*arguments, broken, env=environment)
        assert last.returncode == 0, last.stderr
        assert sorted(outcomes(folder)) == [
            ("", "private", None),
            ("3", "ok", None),
            *[(f"Tone {n}", "ok", None) for n in range(3)],
        ]


@pytest.mark.slow
def test_playlists_in_a_list_give_their_category_to_their_videos(tmp_path: Path) -> None:
    """A row of a CSV that names a playlist labels all its videos; another label later adds to their history."""
    for number in range(4):
        write_tone(tmp_path / "host" / f"{number}.wav", number)
    path, link = tmp_path / "list.csv", "https://www.youtube.com/playlist?list=PLmine"
    with serving(tmp_path / "host") as server:
        links = [f"{server.address}/files/{n}.wav" for n in range(4)]
        write_playlist(server.folder, "PLmine", [{"_type": "url", "url": one, "channel": "X"} for one in links[1:]])
        known = settings(tmp_path)
        known = environment(tmp_path / "tube", server.address) | {
            "PYTHONPATH": os.pathsep.join([str(tmp_path / "tube"), known["PYTHONPATH"]])
        }
        for category in ("food", "travel"):
            path.write_text(f"link,category,channel\n{links[0]},history,\n{link}&x=1,{category},Mine\n")
            done = quartzlens("ingest", path, "-c", tmp_path / "new", "--json", env=known)
            assert done.returncode == 0, done.stderr
            (playlist,) = json.loads(done.stdout)["playlists"]
            assert (playlist["source"], playlist["rows"], playlist["whole"]) == (f"{path} > {link}", 3, True)
            with open_collection(tmp_path / "new") as opened:
                videos, labels = opened.store.videos(), opened.store.labels()
            assert [video.category for video in videos] == ["history", *[category] * 3]
            assert [(video.channel, video.outcome) for video in videos[1:]] == [("Mine", "ok")] * 3
    assert len(labels) == 1 + 3 + 3


@pytest.mark.slow
def test_a_playlist_alone_that_cannot_be_read_ends_the_command_with_1(tmp_path: Path) -> None:
    """It is told with its outcome and what to do, in words and as JSON."""
    with serving(tmp_path) as server:
        server.answers += [403] * 9
        folder, link = tmp_path / "new", f"{server.address}/list/p"
        done = quartzlens("ingest", link, "-c", folder, "--json", env=settings(tmp_path))
    assert done.returncode == 1
    (playlist,) = json.loads(done.stdout)["playlists"]
    assert (playlist["source"], playlist["rows"], playlist["outcome"]) == (link, 0, "forbidden")
    assert f"{link} could not be read: forbidden (" in done.stderr
    assert "The same command tries again." in done.stderr
    assert "Traceback" not in done.stderr
