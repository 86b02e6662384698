"""The Classifier view: what an evaluation is worth, how far to believe it, and what changed since the last."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate, evaluation_run, read_evaluation, with_model
from analysis.label_work import relabel_both
from analysis.timeline_measure import timeline_measure
from dashboard.training_form import _columns
from quartzlens.records import Label, LabelSource, Video
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, section, trained
from tests.dashboard.made_up import FINGERPRINT, Wanted, make_collection
from tests.dashboard.test_sound import tables
from tests.dashboard.test_views import button, drawn, specs, texts

SECTIONS = ("Figures", "How sure", "Leaks", "Depth", "More videos", "Runs")
SMALL = Wanted(videos=24, channels=8, media=False)


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("collection", ["made_collection", "hostile_collection"])
def test_every_section_is_drawn(view: View, request: pytest.FixtureRequest, collection: str, name: str) -> None:
    """Each has something to show or to say, whatever the categories are called."""
    test = drawn(section(view(request.getfixturevalue(collection), "classifier"), name))
    chosen = {"Figures": "Out of fold", "Depth": "Which depth hears it?", "Runs": "Runs"}
    assert name not in chosen or chosen[name] in [heading.value for heading in test.subheader]


@pytest.mark.parametrize("name", SECTIONS)
def test_before_any_evaluation_every_section_says_what_to_do(view: View, tmp_path: Path, name: str) -> None:
    """A friendly sentence instead of empty charts."""
    test = drawn(section(view(make_collection(tmp_path, SMALL), "classifier"), name))
    expected = "Every training and evaluation is kept" if name == "Runs" else "There is no evaluation yet"
    assert expected in texts(test)
    assert not specs(test)


def test_columns_are_looked_for_once_until_the_collection_changes() -> None:
    """Of very many videos what all their rows say is not gone through at each drawing."""
    walks: list[str] = []

    class Videos(dict[str, Video]):
        """Notes who goes through them."""

        def values(self):  # type: ignore[no-untyped-def]
            """All of them."""
            walks.append("all")
            return super().values()

    known = {str(n): Video(str(n), "/a.mp4", extra={"part": "ab"[n % 2], "own": str(n)}) for n in range(4)}
    now = replace(tables(0, "/a.mp4"), by_id=Videos(known), stamp=("these four",))
    assert [_columns(now.stamp, now) for _ in range(2)] == [["part"], ["part"]]
    assert walks == ["all"]
    later = replace(now, by_id={}, stamp=("none of them",))
    assert _columns(later.stamp, later) == []


@pytest.mark.parametrize("classifier", ["original", "logistic"])
def test_evaluating_keeps_one_run_with_what_was_chosen(view: View, tmp_path: Path, classifier: str) -> None:
    """The run has the chosen settings, and its figures, interval and baselines are on the page."""
    test = view(make_collection(tmp_path, SMALL), "classifier")
    test.selectbox[0].set_value(classifier)
    next(box for box in test.number_input if box.label == "Seed").set_value(3)
    test = drawn(trained(test))
    with open_collection(tmp_path) as opened:
        (run,) = opened.store.runs(opened.store.runs()[-1].id)
    assert (run.kind, run.seed, run.settings["classifier"]) == ("evaluate", 3, classifier)
    judged = read_evaluation(run)
    value = judged.metrics["accuracy"]["value"]  # type: ignore[index, call-overload]
    assert f"{value:.3f}" in texts(test)
    beside = next(frame.value for frame in test.dataframe if "bootstrap_p" in frame.value)
    assert beside["name"].tolist()[0] == classifier
    assert "title and description alone" in beside["name"].tolist()
    assert "8 groups only" in texts(test)
    button(test, "See the errors").click().run()
    assert test.title[0].value == "Errors"


def test_a_second_evaluation_shows_what_new_labels_changed(view: View, tmp_path: Path) -> None:
    """By the folds of the first: the two are compared with intervals, and the labels are named as what differs."""
    test = view(evaluated(make_collection(tmp_path, SMALL)), "classifier")
    with open_collection(tmp_path) as opened:
        opened.store.add_labels([Label("v000", "travel", LabelSource.PERSON, "", "2026-01-03T00:00:00+00:00")])
    test.selectbox[0].set_value("logistic")
    test = drawn(section(trained(test), "Runs"))
    with open_collection(tmp_path) as opened:
        first, second = (run for one in opened.store.runs() for run in opened.store.runs(one.id))
    assert second.settings["after"] == first.id
    folds = [read_evaluation(run).folds["fold_1"].tolist() for run in (first, second)]
    assert folds[0] == folds[1]
    assert "1 video of those compared had another label" in texts(test)
    changes = texts(test) + "".join(heading.value for heading in test.subheader)
    assert "Now right: " in changes
    assert "Now wrong: " in changes
    shown = next(frame.value for frame in test.dataframe if "difference" in frame.value)
    assert "log loss" in shown["name"].tolist()


def test_evaluations_of_one_minute_are_told_apart(view: View, tmp_path: Path) -> None:
    """Of three whose time, classifier and accuracy read the same, the chosen ones are those that are compared."""
    folder = evaluated(make_collection(tmp_path, SMALL))
    with open_collection(folder) as opened:
        (first,) = opened.store.runs(opened.store.runs()[0].id)
        for name in ("b", "c"):
            opened.store.add_run(replace(first, id=name))
    test = section(view(folder, "classifier"), "Runs")
    options = test.selectbox(key="to").options
    assert [one.rpartition(" (")[2] for one in options] == ["c)", "b)", f"{first.id})"]
    assert [one.rpartition(" (")[2] for one in test.selectbox(key="from").options] == ["b)", f"{first.id})", "c)"]
    test.selectbox(key="to").set_value(options[2]).run()
    assert drawn(test).selectbox(key="to").value == first.id
    assert "Choose two different evaluations." not in texts(test)


def more_runs(folder: Path, *names: str) -> None:
    """Store the first evaluation again under these ids, each newer than all others."""
    with open_collection(folder) as opened:
        (first,) = opened.store.runs(opened.store.runs()[0].id)
        for name in names:
            opened.store.add_run(replace(first, id=name))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_newest_two_are_compared(view: View, tmp_path: Path, *, elsewhere: bool) -> None:
    """After a new evaluation an open page compares what its address, opened anew, does, also if it looked elsewhere."""
    more_runs(evaluated(make_collection(tmp_path, SMALL)), "b", "c")
    test = section(view(tmp_path, "classifier"), "Runs")
    assert [test.selectbox(key=end).value for end in ("from", "to")] == ["b", "c"]
    if elsewhere:
        section(test, "Figures")
    more_runs(tmp_path, "d")
    test = drawn(section(test, "Runs"))
    assert [test.selectbox(key=end).value for end in ("from", "to")] == ["c", "d"]
    assert not {"from", "to"} & set(test.query_params)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_a_person_compares_stays(view: View, tmp_path: Path, *, elsewhere: bool) -> None:
    """A new evaluation does not move a box that a person chose in, which the address names; the other goes on."""
    more_runs(evaluated(make_collection(tmp_path, SMALL)), "b", "c")
    with open_collection(tmp_path) as opened:
        oldest = opened.store.runs()[0].id
    test = section(view(tmp_path, "classifier"), "Runs")
    test.selectbox(key="from").set_value(oldest).run()
    if elsewhere:
        section(test, "Figures")
    more_runs(tmp_path, "d")
    test = drawn(section(test, "Runs"))
    assert [test.selectbox(key=end).value for end in ("from", "to")] == [oldest, "d"]


def test_the_whole_report_fills_every_section(view: View, tmp_path: Path) -> None:
    """After the slow report nothing asks for more but what the collection lacks: profiles of the depths."""
    test = view(make_collection(tmp_path, Wanted(videos=64, channels=32, media=False)), "classifier")
    test.selectbox[0].set_value("knn")
    test.selectbox[1].set_value("full")
    test = drawn(trained(test))
    assert "A random split would show" in texts(section(test, "Leaks"))
    assert "Choose the report" not in texts(test)
    assert "training videos accuracy went from" in texts(section(test, "More videos"))
    assert "None of these videos has a depth profile" in texts(section(test, "Depth"))


def test_the_timeline_is_measured_by_videos_of_both(view: View, tmp_path: Path) -> None:
    """Where a person called videos of two categories, How sure tells how often their seconds are heard as these."""
    make_collection(tmp_path, Wanted(videos=40, channels=8, media=False))
    with open_collection(tmp_path) as collection:
        store = collection.store
        for video_id in ("v000", "v004"):
            relabel_both(store, video_id, ["food", "travel"])
        dataset = load_dataset(store, FINGERPRINT)
        judged = with_model(
            evaluate(dataset, store.fragments(FINGERPRINT), classifier="logistic"), dataset, classifier="logistic"
        )
        run = evaluation_run(judged, FINGERPRINT, 0, store.info().labels)
        store.add_run(run)
        measured = timeline_measure(store, run, FINGERPRINT)
    assert measured is not None
    assert measured.videos == 2
    assert measured.sentence in texts(drawn(section(view(tmp_path, "classifier"), "How sure")))
