"""``quartzlens explain`` and ``quartzlens labels``."""

import csv
import json
from pathlib import Path

import pytest

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Result, Row
from store.collection import open_collection
from tests.cli import in_process
from tests.cli.to_evaluate import _rows, make_to_evaluate
from tests.conftest import quartzlens
from tests.dashboard.conftest import evaluated
from tests.dashboard.made_up import FINGERPRINT, Wanted, make_collection


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 videos of four categories with an evaluation that holds errors."""
    wanted = Wanted(videos=24, channels=8, media=False)
    return evaluated(make_collection(tmp_path_factory.mktemp("labels") / "c", wanted))


def told(*arguments: str | Path) -> object:
    """What a command prints as JSON."""
    done = quartzlens(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def said(*arguments: str | Path, code: int = 0) -> str:
    """What a command prints, on both streams."""
    done = quartzlens(*arguments)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_an_explanation_as_text_and_as_json(made: Path) -> None:
    """Both tell the same verdict; JSON has every part of the evidence under documented keys."""
    found = told("explain", "v003", "-c", made)
    assert isinstance(found, dict)
    assert set(found) == {
        "run", "id", "title", "category", "predicted", "verdict", "sentence", "probabilities", "margin",
        "label_quality", "outlier_percentile", "vote", "misleading", "parted", "change", "fragments", "nearest",
        "pairs", "duplicates",
    }  # fmt: skip
    text = said("explain", "v003", "-c", made, "--run", found["run"])
    assert found["verdict"]["kind"].capitalize() in text
    assert found["sentence"] in text
    assert "Fragments that match best" in text
    assert len(found["fragments"]) == 6


def test_a_video_is_explained_by_its_link_as_well(tmp_path: Path) -> None:
    """The link that a list has, in any of its forms, leads to the same evidence as the id."""
    folder = make_collection(tmp_path, Wanted(videos=24, channels=8, media=False))
    with open_collection(folder) as collection:
        store, now = collection.store, "2026-01-01T00:00:00+00:00"
        (like,), sound = store.videos(["v003"]), store.fragments(FINGERPRINT, ["v003"])
        store.add_rows("more", [Row("more", 1, "abcdefghijk", "s", channel=like.channel, label=like.category)], [])
        embedded = Embedded(FINGERPRINT, sound.matrix.mean(axis=0) + 1, sound.matrix + 1, sound.bounds)
        store.commit([Result("abcdefghijk", Outcome.OK, Stage.STORE, now, media=like.media, embedded=embedded)])
    found = told("explain", "abcdefghijk", "-c", evaluated(folder))
    assert found == told("explain", "https://www.youtube.com/watch?v=abcdefghijk&t=5", "-c", folder)
    assert found["id"] == "abcdefghijk"  # type: ignore[index,call-overload]


def test_what_cannot_be_explained_is_said(made: Path, tmp_path: Path) -> None:
    """An unknown video, an unknown run, and a collection without an evaluation each have their message."""
    assert "did not judge a video 'x'" in said("explain", "x", "-c", made, code=1)
    assert "There is no evaluation 'r'" in said("explain", "v003", "-c", made, "--run", "r", code=2)
    bare = make_collection(tmp_path / "bare", Wanted(videos=4, channels=4, media=False))
    assert "Nothing was evaluated yet" in said("explain", "v000", "-c", bare, code=1)


def test_a_label_is_suggested_set_exported_and_undone(made: Path, tmp_path: Path) -> None:
    """The worst label is relabelled, drops out of the suggestions, is in the exported list, and can be taken back."""
    rows = told("labels", "suggest", "-c", made, "--all", "-n", "100")
    assert "the two need not agree" in said("labels", "suggest", "-c", made, "--all", "-n", "1")
    assert isinstance(rows, list)
    first = rows[0]
    assert first["quality"] == min(row["quality"] for row in rows)
    assert first["suggested"] in said("labels", "set", first["id"], first["suggested"], "-c", made)
    after = told("labels", "suggest", "-c", made, "--all", "-n", "100")
    assert isinstance(after, list)
    assert len(after) == len(rows) - 1
    assert first["suggested"] in said("labels", "history", first["id"], "-c", made)
    out = tmp_path / "labels.csv"
    assert "1 video written" in said("labels", "export", out, "-c", made, "--changed")
    with out.open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["old_category"], line["category"], line["changed"]) == (first["category"], first["suggested"], "yes")
    assert "is there already" in said("labels", "export", out, "-c", made, code=2)
    assert "What is written is .csv" in said("labels", "export", tmp_path, "-c", made, "--yes", code=2)
    assert "24 videos" in said("labels", "export", out, "-c", made, "--yes").replace("27", "24")
    assert first["category"] in said("labels", "undo", first["id"], "-c", made)
    assert "nothing to undo" in said("labels", "undo", "v001", "-c", made, code=2)


def test_who_gave_a_label_and_why_is_told_and_exported(made: Path, tmp_path: Path) -> None:
    """--by and --note are in the history and the exported list, as text; nobody takes back what another one said."""
    note = "=HYPERLINK(1) [red]x[/red]"
    said("labels", "set", "v002", "travel", "-c", made, "--by", " Ana ", "--note", note)
    (entry,) = [one for one in told("labels", "history", "v002", "-c", made) if one["source"] == "person"]  # type: ignore[attr-defined]
    assert (entry["person"], entry["note"], entry["undo"]) == ("Ana", note, False)
    assert note in said("labels", "history", "v002", "-c", made)
    out = tmp_path / "labels.csv"
    said("labels", "export", out, "-c", made)
    with out.open(newline="", encoding="utf-8") as file:
        line = next(one for one in csv.DictReader(file) if one["id"] == "v002")
    assert (line["person"], line["note"]) == ("Ana", f"'{note}")
    refused = said("labels", "undo", "v002", "-c", made, "--by", "Bo", code=2)
    assert "is Ana's, who alone takes it back: give that name if it was you" in " ".join(refused.split())
    assert "at most 500" in said("labels", "set", "v002", "food", "-c", made, "--note", "x" * 501, code=2)
    said("labels", "undo", "v002", "-c", made, "--by", "Ana")


def test_a_mistyped_category_is_asked_about(made: Path) -> None:
    """A category that no video has needs --new."""
    assert "No video has the category 'foood'; there are" in said("labels", "set", "v001", "foood", "-c", made, code=2)
    assert "foood" in said("labels", "set", "v001", "foood", "-c", made, "--new")
    said("labels", "undo", "v001", "-c", made)


def test_what_to_label_next(made: Path, tmp_path: Path) -> None:
    """Videos without labels are listed with what they are uncertain between; nothing left is said plainly."""
    folder = make_collection(tmp_path / "c", Wanted(videos=24, channels=8, media=False))
    with open_collection(folder) as opened:
        rows = [Row("other.csv", n, f"v{n:03d}", f"/videos/{n}.mp4", label="elsewhere") for n in (1, 2)]
        opened.store.add_rows("other.csv", rows, [])
    rows = told("labels", "next", "-c", folder)  # type: ignore[assignment]
    assert "`predict` asks that of a kept run" in said("labels", "next", "-c", folder)
    assert {row["id"] for row in rows} == {"v001", "v002"}  # type: ignore[index]
    assert "Every embedded video that can be heard has its label." in said("labels", "next", "-c", made)


def test_what_is_unknown_of_a_video_to_label_is_null(tmp_path: Path) -> None:
    """Neither JSON nor the table has "nan" for a video without a channel and labels, beside one that has both."""
    folder = make_to_evaluate(tmp_path / "c")
    with open_collection(folder) as opened:
        nameless = Row("list", 37, "v37", "/videos/37.mp4")
        opened.store.add_rows("list", [nameless if row.video_id == "v37" else row for row in _rows()], [])
    rows = {row["id"]: (row["channel"], row["claimed"]) for row in in_process.answer("labels", "next", "-c", folder)}
    assert rows == {"v37": (None, None), "several": ("of two kinds", "food + travel")}
    assert "nan" not in in_process.command("labels", "next", "-c", folder).out


def test_no_cell_of_the_export_is_a_formula(tmp_path: Path) -> None:
    """A title that a spreadsheet would compute is exported as text."""
    folder = make_collection(tmp_path / "c", Wanted(videos=2, channels=2, media=False))
    with open_collection(folder) as opened:
        opened.store.add_rows("bad.csv", [Row("bad.csv", 1, "bad", "/x.mp4", title='=HYPERLINK("http://x")')], [])
    out = tmp_path / "labels.csv"
    said("labels", "export", out, "-c", folder)
    with out.open(newline="", encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK" in " ".join(cells)
