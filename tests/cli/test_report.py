"""``quartzlens report``: what it refuses, what it keeps, and how much it puts into the file."""

from pathlib import Path

import pytest

from store.collection import open_collection
from tests.cli.in_process import command
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import Wanted, make_collection


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 videos with sound, and an evaluation."""
    return evaluated(make_collection(tmp_path_factory.mktemp("made") / "c", Wanted(videos=24, channels=8)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("r.txt",), "What is written is .html"),
        (("r.html", "--confusions", "20", "--videos", "20"), "60 videos in all at most"),
        (("r.html", "--run", "nowhere"), "No run is called 'nowhere'"),
    ],
)
def test_wrong_usage_is_told_and_writes_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    """Another ending, more than one page can hold, an unknown run."""
    monkeypatch.chdir(tmp_path)
    done = command("report", *arguments, "-c", made)
    assert (done.code, said in done.err) == (2, True), done.err
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_written_over_with_yes_alone(made: Path, tmp_path: Path) -> None:
    """What is there stays until somebody says yes; what is said is the size and the run, and nothing lies beside it."""
    out = tmp_path / "r.html"
    out.write_text("mine")
    done = command("report", out, "-c", made)
    assert (done.code, "add --yes" in done.err, out.read_text()) == (2, True, "mine")
    done = command("report", out, "-c", made, "--yes", "--confusions", "1", "--videos", "1")
    with open_collection(made) as opened:
        run = opened.store.runs()[-1].id
    assert (done.code, done.out) == (0, f"{out.stat().st_size / 1e6:.1f} MB in {out}, of {run}.\n")
    assert list(tmp_path.iterdir()) == [out]


def test_more_videos_make_a_larger_file(made: Path, tmp_path: Path) -> None:
    """Sound is most of a report: a video of half a minute with its pair adds less than 500 kB."""
    sizes = []
    for number, (sound, confusions) in enumerate((("--no-sound", "1"), ("--sound", "1"), ("--sound", "2"))):
        out = tmp_path / f"{number}.html"
        assert command("report", out, "-c", made, sound, "--videos", "1", "--confusions", confusions).code == 0
        sizes.append(out.stat().st_size)
    assert sizes[0] < 150_000 < sizes[1] < sizes[2] < sizes[0] + 2 * 500_000


def test_without_confusions_there_are_figures_alone(made: Path, tmp_path: Path) -> None:
    """Nothing is asked for, so nothing is to be heard."""
    out = tmp_path / "r.html"
    assert command("report", out, "-c", made, "--confusions", "0", "--run", "last").code == 0
    assert "None were asked for." in out.read_text()
    assert "<article" not in out.read_text()
