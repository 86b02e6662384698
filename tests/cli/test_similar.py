"""``quartzlens similar`` and the notebook's: among chosen videos, for fragments, from a moment."""

import json
from pathlib import Path

import pytest

from quartzlens import open as open_for_notebooks
from quartzlens.errors import UsageError
from store.collection import open_collection
from tests.conftest import quartzlens
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import Wanted, make_collection


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 videos of four categories with an evaluation that holds errors, and a column of the list."""
    wanted = Wanted(videos=24, channels=8, media=False, extra={"View Count": "1000"})
    return evaluated(make_collection(tmp_path_factory.mktemp("similar") / "c", wanted))


def told(*arguments: str | Path) -> list[dict[str, object]]:
    """What the command prints as JSON."""
    done = quartzlens("similar", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_conditions_choose_among_the_neighbours(made: Path) -> None:
    """Options and one joined by `and` say the same; the keys are those of a search without them."""
    conditions = ("--where", "category in (food, travel)", "--where", "right=no")
    rows = told("v001", "-c", made, *conditions)
    assert rows == told("v001", "-c", made, "--where", "category in (food, travel) and right=no")
    assert set(rows[0]) == {"id", "title", "category", "similarity", "percentile"}
    with open_collection(made) as opened:
        (run,) = opened.store.runs()
    assert rows == told("v001", "-c", made, *conditions, "--run", run.id)
    table = open_for_notebooks(made).similar("v001", where="category in (food, travel) and right=no")
    assert [row["id"] for row in rows] == table["id"].tolist()
    assert 0 < len(rows) < 10
    assert {row["category"] for row in rows} <= {"food", "travel"}


def test_a_moment_finds_fragments(made: Path) -> None:
    """--fragments --at tells where each begins and ends, as the notebook's table does, and never the query's own."""
    arguments = ("v002", "-c", made, "-k", "5", "--fragments", "--at", "12.5", "--where", "'view count'>=1e3")
    rows = told(*arguments)
    table = open_for_notebooks(made).similar("v002", 5, "'view count'>=1e3", at_seconds=12.5, fragments=True)
    assert [(row["id"], row["start_seconds"]) for row in rows] == list(
        zip(table["id"], table["start_seconds"], strict=True)
    )
    assert len(rows) == 5
    assert all(row["end_seconds"] == row["start_seconds"] + 5 for row in rows)  # type: ignore[operator]
    assert "v002" not in {row["id"] for row in rows}
    assert rows[0]["heard"] is None
    shown = quartzlens("similar", *arguments)
    assert "seconds" in shown.stdout
    assert f"{rows[0]['start_seconds']:.0f}-{rows[0]['end_seconds']:.0f}" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--where", "category=foood"), 2, "there are art_music, food, history, travel"),
        (("--where", "category"), 2, "cannot be read at its end"),
        (("--run", "x", "--where", "right=no"), 2, "No evaluation is called x: there are evaluate-"),
        (("--run", "x", "--where", "category=food"), 2, "looked at only for conditions on prediction, fold, right"),
        (("--at", "30.5"), 2, "0:00 to 0:30 was heard"),
        (("--where", "title~\x1b[31mnowhere"), 0, "Nothing that is embedded matches"),
    ],
)
def test_what_cannot_be_found_is_said(made: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """A mistake in a condition is wrong usage with the way out; that nothing matches is no error."""
    done = quartzlens("similar", "v001", "-c", made, *arguments)
    assert done.returncode == code
    assert said in (done.stderr if code else done.stdout)
    assert "\x1b" not in done.stdout


def test_a_notebook_searches_with_an_embedding(made: Path) -> None:
    """An embedding of its own finds the video that it is of, and a wrong condition is the same error as anywhere."""
    opened = open_for_notebooks(made)
    ids, matrix = opened.embeddings()
    assert opened.similar(matrix[3], 1)["id"].tolist() == [ids[3]]
    with pytest.raises(UsageError, match="did you mean category"):
        opened.similar(ids[0], where="catgory=food")
