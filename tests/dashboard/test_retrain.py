"""Evaluating anew from the Labels view: by the settings and folds of the last evaluation, whatever these were."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis.evaluation import Evaluation, read_evaluation
from analysis.label_work import relabel
from dashboard.retrain import like
from quartzlens.cli.evaluate import _check
from quartzlens.cli.evaluating import Asked, run_evaluation
from quartzlens.records import Json, Row, Run, Video
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, trained
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import button, drawn

PARTS = "first", "second", "third"
ANEW = "Evaluate anew and see what changed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small collection with its evaluation and, after that, a new label."""
    made = evaluated(make_collection(tmp_path / "anew", Wanted(videos=48, channels=16, media=False)))
    with open_collection(made) as opened:
        relabel(opened.store, "v000", "travel")
    return made


def last(folder: Path) -> tuple[Run, Evaluation]:
    """The last evaluation."""
    with open_collection(folder) as opened:
        run = opened.store.runs(opened.store.runs()[-1].id)[0]
    return run, read_evaluation(run)


def with_settings(folder: Path, **settings: Json) -> tuple[Run, Evaluation]:
    """The last evaluation as if it had been asked for with other settings."""
    run, evaluation = last(folder)
    return replace(run, settings={**run.settings, **settings}), evaluation


def asked_by(words: list[str]) -> Asked:
    """What the command line would be asked for by these words, where it may be."""
    given = dict(zip(words[3::2], words[4::2], strict=True))
    asked = Asked(
        classifier=given["--classifier"],
        fold_column=given.get("--fold-column"),
        repeats=int(given["--repeats"]),
        preset=given.get("--preset"),
        after=given.get("--after"),
    )
    _check(asked)
    return asked


@pytest.mark.parametrize(
    "settings",
    [
        {"fold_column": "part"},
        {"fold_column": "part", "repeats": 3},
        {"repeats": 3},
        {"classifier": "original", "preset": "original"},
        {},
    ],
)
def test_the_command_is_that_of_the_last_evaluation(folder: Path, settings: dict[str, Json]) -> None:
    """Fold column, preset and repeats are asked for again; its folds, where it dealt once by itself; all allowed."""
    run, evaluation = with_settings(folder, **settings)
    asked = asked_by(like(run, evaluation).words_for(folder))
    assert asked.classifier == run.settings["classifier"]
    assert asked.fold_column == settings.get("fold_column")
    assert asked.preset == settings.get("preset")
    assert asked.repeats == settings.get("repeats", 1)
    assert asked.after == (None if {"fold_column", "repeats"} & settings.keys() else "last")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "With the settings and the folds of the last evaluation"),
        ({"fold_column": "p_art"}, "the folds of the list's column p\\_art"),
        ({"repeats": 3}, "Its folds are not kept, as videos were dealt to them several times"),
    ],
)
def test_the_button_promises_what_is_kept(view: View, tmp_path: Path, settings: dict[str, Json], said: str) -> None:
    """Whose folds they will be stands at the button; where they are dealt anew, that does."""
    folder = evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False)), **settings)
    with open_collection(folder) as opened:
        relabel(opened.store, "v000", "travel")
    assert said in button(drawn(view(folder, "labels")), ANEW).help


def test_folds_of_a_column_are_those_of_the_evaluation_anew(view: View, tmp_path: Path) -> None:
    """An evaluation by published folds is followed by one of the same column, every video in the fold that it had."""
    folder, _ = in_parts(tmp_path)
    with open_collection(folder) as opened:
        run_evaluation(opened, Asked("logistic", fold_column="part", report="brief"))
        relabel(opened.store, "v000", "travel")
    (before, judged), page = last(folder), view(folder, "labels")
    drawn(trained(page, ANEW))
    after, anew = last(folder)
    assert after.id != before.id
    assert after.settings["fold_column"] == "part"
    folds = [one.predictions.set_index("id")["fold"].to_dict() for one in (judged, anew)]
    assert folds[0] == folds[1]


def test_what_changed_stays_while_labels_come(view: View, folder: Path) -> None:
    """Who labels during an evaluation or after it sees what it changed until that is closed, and the next offer."""
    page = drawn(trained(view(folder, "labels"), ANEW))
    assert "What changed" in headings(page)
    with open_collection(folder) as opened:
        relabel(opened.store, "v001", "travel")
    page = drawn(page.run())
    assert "What changed" in headings(page)
    assert button(page, ANEW)
    button(page, "Close").click().run()
    assert "What changed" not in headings(drawn(page))
    assert button(page, ANEW)


def test_classifier_shows_what_labels_evaluated_anew(view: View, folder: Path) -> None:
    """The run that Classifier had shown leaves its place in the address, so that it shows the new one."""
    page = view(folder, "labels")
    page.query_params["classifier.run"], page.query_params["classifier.section"] = last(folder)[0].id, "Depth"
    drawn(trained(drawn(page.run()), ANEW))
    assert "classifier.run" not in page.query_params
    assert "classifier.section" in page.query_params


def headings(page: AppTest) -> list[str]:
    """The headings of a page's panels."""
    return [one.value for one in page.subheader]


def test_published_folds_are_chosen_in_the_form(view: View, tmp_path: Path) -> None:
    """A column of the list gives every video its fold: folds are not counted then, repeats by other seeds are."""
    folder, part_of = in_parts(tmp_path)
    page = drawn(view(folder, "classifier"))
    page.selectbox(key="classifier").set_value("knn")
    page = drawn(page.selectbox(key="published").set_value("part").run())
    assert [box.disabled for box in page.number_input] == [True, False, False]
    drawn(trained(drawn(page.number_input(key="repeats").set_value(2).run())))
    run, judged = last(folder)
    assert run.settings["repeats"] == 2
    assert run.settings["fold_column"] == "part"
    parts = pd.crosstab(judged.predictions["id"].map(part_of), judged.predictions["fold"])
    assert (np.count_nonzero(parts, axis=0) == 1).all()
    assert len(parts) == len(PARTS) == len(parts.columns)


def in_parts(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A collection whose list has a column of parts, and the part of each video."""
    folder = make_collection(tmp_path / "column", Wanted(videos=48, channels=16, media=False))
    with open_collection(folder) as opened:
        rows = [_in_part(video) for video in opened.store.videos() if video.category]
        opened.store.add_rows("list.csv", rows, [])
    return folder, {row.video_id: row.extra["part"] for row in rows}


def _in_part(video: Video) -> Row:
    """The row of a video with the part of its channel: of every four channels in a row, one is of each category."""
    number = int(video.id[1:])
    part = {"part": PARTS[number % 16 // 4 % 3]}
    return Row("list.csv", number + 1, video.id, video.source, video.title, "", video.channel, video.category, part)
