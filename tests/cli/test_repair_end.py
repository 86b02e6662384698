"""What ``quartzlens repair`` says at its end, and what it leaves, in a process that asks no site."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.repairing import Ask, UnreachedError
from pipeline.search import Hit
from pipeline.work import Refused
from quartzlens.cli.repair import repair
from quartzlens.errors import UsageError
from quartzlens.outcomes import Outcome, Stage
from tests.pipeline.damaged_lists import Site, rows_of, stripped_list

UNREACHED = Refused(Outcome.NETWORK, Stage.DOWNLOAD, "no route (after 3 tries)")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """What is asked instead of YouTube, by commands that run in the test's folder."""
    fake = Site({})

    @contextmanager
    def asking(*_: object) -> Iterator[Ask]:
        yield fake.ask

    monkeypatch.setattr("pipeline.repairing.asking", asking)
    monkeypatch.chdir(tmp_path)
    return fake


@pytest.mark.parametrize("name", ["-x y.csv", "list.csv"])
def test_the_next_command_can_be_copied(site: Site, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A name with a dash in front and a blank is no option and one argument."""
    truth = stripped_list(Path(name))
    site.found = {title: (Hit(one, title, f"Channel {title[-1]}"),) for title, one in truth.items()}
    repair(Path(name), progress="none")
    named = "'./-x y.repaired.csv'" if name != "list.csv" else "list.repaired.csv"
    assert capsys.readouterr().out.endswith(f"\nnext: quartzlens ingest {named}\n")


@pytest.mark.parametrize("text", ["link,title\ndQw4w9WgXcQ,One\n", "link,title\nJLZlCZ0,One\n"])
def test_where_nothing_is_repaired_nothing_is_next(site: Site, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Neither without damage nor where nothing was found; and answers are kept where something was asked."""
    Path("list.csv").write_text(text)
    repair(Path("list.csv"), progress="none")
    assert "next:" not in capsys.readouterr().out
    assert Path("list.repaired.csv.searches.jsonl").exists() == (site.asked.total() == 1) == ("JLZlCZ0" in text)


def test_an_unreachable_site_ends_it(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary comes, what was answered is kept and written, and the error says what to do."""
    truth = stripped_list(Path("list.csv"))
    site.found = dict.fromkeys(truth, UNREACHED)
    with pytest.raises(UnreachedError, match="--proxy URL"):
        repair(Path("list.csv"), json_=True, progress="none")
    told = json.loads(capsys.readouterr().out)
    assert (told["stopped"], told["rows"]["failed"], site.asked.total()) == (True, 5, 5)
    assert told["searches_left"] == told["damaged_rows"]
    assert sum(row["repair"] == "failed" for row in rows_of(Path("list.repaired.csv"))) == 5


def test_a_retry_in_portions_says_what_is_left(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """What was not found is asked for again, the oldest first; what a run did not come to is left."""
    stripped_list(Path("list.csv"))
    repair(Path("list.csv"), json_=True, progress="none")
    n = json.loads(capsys.readouterr().out)["rows"]["not found"]
    for _ in range(2):
        repair(Path("list.csv"), max_videos=n // 2, retry=True, json_=True, progress="none")
        assert json.loads(capsys.readouterr().out)["searches_left"] == n - n // 2
    assert sorted(site.asked.values()) == [*[1] * (n % 2), *[2] * (n - n % 2)]
    repair(Path("list.csv"), retry=True, json_=True, progress="none")
    assert json.loads(capsys.readouterr().out)["searches_left"] == 0


def test_the_output_of_another_list_stays(site: Site) -> None:
    """Two lists do not share an output: the second is told whose it is, and changes nothing."""
    for name in ("one.csv", "two.csv"):
        Path(name).write_text(f"link,title\nJLZlCZ0,{name}\n")
    repair(Path("one.csv"), output=Path("out.csv"), progress="none")
    before = Path("out.csv").read_bytes()
    with pytest.raises(UsageError, match=r"another list, .*one\.csv: choose another output by -o"):
        repair(Path("two.csv"), output=Path("out.csv"), progress="none")
    assert Path("out.csv").read_bytes() == before
    assert site.asked.total() == 1


def test_incomplete_ids_alone_tell_no_share(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Where they are the evidence, because somebody put an id right, how many of them are incomplete is not said."""
    stripped_list(Path("list.csv"), 400)
    repair(Path("list.csv"), max_videos=1, progress="auto")
    assert "of whole ids incomplete" in capsys.readouterr().err
    with Path("list.csv").open("a") as file:
        file.write("hGyhH8mZ0Qw,Another,Channel\n")
    repair(Path("list.csv"), max_videos=1, progress="auto")
    said = capsys.readouterr().err
    assert "stripped from their beginning" in said
    assert "of whole ids incomplete" not in said
