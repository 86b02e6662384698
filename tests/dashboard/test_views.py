"""Every view through the router, on collections of every kind, without a browser."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.label_work import relabel_both
from dashboard import scores
from dashboard.style import OWN_COLOURS
from quartzlens.records import BadRow, Row
from store.collection import EncoderChoice, open_collection
from tests.conftest import quartzlens
from tests.dashboard.conftest import View, evaluated, trained
from tests.dashboard.made_up import Wanted, make_collection

VIEWS = ("overview", "map", "classifier", "errors", "similar", "labels")
LONG = "a category with a name that goes on and on, far beyond what any axis or card has room for"


def texts(test: AppTest) -> str:
    """All plain text of a page."""
    return "\n".join(text.value for text in test.text)


def drawn(test: AppTest) -> AppTest:
    """A page that was drawn to its end without an error."""
    assert not test.exception, test.exception[0].message
    assert not test.error, test.error[0].value
    assert test.title
    return test


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_itself(view: View, made_collection: Path, name: str) -> None:
    """Every view of an evaluated collection is drawn, with the frame around it."""
    test = drawn(view(made_collection, name))
    assert test.title[0].value == name.capitalize()
    assert "made-collection · 72 videos" in texts(test)
    assert "open: 72 embeddings, exact search" in texts(test)


@pytest.mark.parametrize("name", VIEWS)
def test_no_collection_says_what_to_run(view: View, tmp_path: Path, name: str) -> None:
    """Where there is no collection, every view names the command that makes one."""
    test = drawn(view(tmp_path / "none", name))
    assert any(code.value.endswith(f"quartzlens ingest SOURCE -c {tmp_path / 'none'}") for code in test.code)


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_collection_says_what_to_run(view: View, tmp_path: Path, name: str) -> None:
    """An empty collection is no error: every view says how the first videos get in."""
    with open_collection(tmp_path, create=EncoderChoice()):
        pass
    test = drawn(view(tmp_path, name))
    assert any("quartzlens ingest SOURCE" in code.value for code in test.code)
    assert "embeddings, exact search" not in texts(test)


KINDS = {
    "one video": Wanted(videos=1, channels=1, media=False),
    "one category": Wanted(categories=("food",), videos=6, channels=3, media=False),
    "no labels": Wanted(videos=6, channels=3, labelled=False, media=False),
    "generated": Wanted(videos=8, channels=4, media=False, extra={"generated": "yes"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_small_and_odd_collections(view: View, tmp_path: Path, kind: str) -> None:
    """One video, one category or no labels at all: every view is drawn, and evaluating says what is missing."""
    make_collection(tmp_path, KINDS[kind])
    for name in VIEWS:
        drawn(view(tmp_path, name))
    test = view(tmp_path, "classifier")
    if kind != "generated":
        assert "At least two categories" in texts(trained(test))


def test_an_evaluated_collection_without_media(view: View, tmp_path: Path) -> None:
    """Where no sound and no picture is kept, every view is drawn, and nothing is offered to be played."""
    folder = evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False)))
    for name in VIEWS:
        test = drawn(view(folder, name))
        assert not test.get("audio")
        assert not test.get("imgs")


def test_ten_categories_with_long_names(view: View, tmp_path: Path) -> None:
    """Ten categories, one of them with a very long name, are drawn in every view."""
    categories = (*(f"category {n}" for n in range(9)), LONG)
    evaluated(make_collection(tmp_path, Wanted(categories=categories, videos=80, channels=20, media=False)))
    for name in VIEWS:
        drawn(view(tmp_path, name))
    assert len(given(view(tmp_path, "errors"))) >= 3


def test_the_overview_counts(view: View, made_collection: Path) -> None:
    """The overview tells rows, videos, kept, lost and pending, what each outcome means, and the demo's notice."""
    test = drawn(view(made_collection, "overview"))
    shown = texts(test).splitlines()
    assert [shown[shown.index(name) - 1] for name in ("rows in lists", "videos", "kept", "lost", "pending")] == [
        "75",
        "75",
        "72",
        "2",
        "1",
    ]
    outcomes = test.dataframe[0].value.set_index("outcome")
    assert outcomes.loc["too_short", "videos"] == 1
    assert outcomes.loc["too_short", "what it means"] == "less than one second of audio"
    assert "trained on generated speech" in texts(test)
    assert "quartzlens checkpoint get stt_en_quartznet15x5" in test.code[0].value


def test_rows_are_counted_as_status_counts_them(view: View, tmp_path: Path) -> None:
    """Rows that cannot be used are rows of the lists, and are told as such; those without a label are no puzzle."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, labelled=False, media=False))
    with open_collection(tmp_path) as collection:
        collection.store.add_rows("b.csv", [], [BadRow("b.csv", 1, "no link")])
    shown = texts(drawn(view(tmp_path, "overview"))).splitlines()
    told = {name: shown[shown.index(name) - 1] for name in ("rows in lists", "videos", "of the rows unusable")}
    assert told == {"rows in lists": "8", "videos": "7", "of the rows unusable": "1"}
    assert "7 videos from 8 rows in lists, 1 of them unusable" in quartzlens("status", "-c", tmp_path).stdout
    assert "7 without a label" in shown
    assert not any("with several" in line for line in shown)


def test_the_source_of_what_was_lost_is_in_sight(view: View, tmp_path: Path) -> None:
    """However long titles and details are, they take no more room than leaves some for the source."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, media=False))
    test = drawn(view(tmp_path, "overview"))
    (lost,) = [table for table in test.dataframe if "source" in table.value.columns]
    widths = {name: shape["width"] for name, shape in json.loads(lost.proto.columns).items() if shape.get("width")}
    assert set(widths) == {"title", "detail", "source"}
    assert sum(widths.values()) < 800


def test_generated_videos_are_called_so(view: View, tmp_path: Path) -> None:
    """A collection of generated videos says on its first page that they are generated."""
    make_collection(tmp_path, KINDS["generated"])
    assert "These are generated videos" in texts(view(tmp_path, "overview"))


def test_an_ingest_elsewhere_shows_on_the_next_action(view: View, tmp_path: Path) -> None:
    """What another process adds while the page is open is there after the next action, without a restart."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, media=False))
    test = view(tmp_path, "overview")
    assert "4 videos" in texts(test)
    make_collection(tmp_path, Wanted(videos=9, channels=4, media=False))
    assert "9 videos" in texts(test.run())


def test_errors_without_an_evaluation_lead_to_the_classifier(view: View, tmp_path: Path) -> None:
    """Where nothing was evaluated, Errors explains it and its button leads to the classifier."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, media=False))
    test = drawn(view(tmp_path, "errors"))
    button(test, "Go to the classifier").click().run()
    assert test.title[0].value == "Classifier"


def test_a_selected_cell_and_video_go_into_the_address(view: View, made_collection: Path) -> None:
    """The address names the cell and the video that were opened, and an unknown one falls back to the worst cell."""
    test = view(made_collection, "errors")
    test.query_params["label"], test.query_params["predicted"] = "food", "food"
    test.run()
    button(test, "Next").click().run()
    assert test.query_params["label"] == "food"
    assert test.query_params["video"].startswith("v")
    test.query_params["label"] = "<script>"
    assert not test.run().exception


def test_charts_hold_titles_as_data(view: View, hostile_collection: Path) -> None:
    """Of a chart's specification, a stranger's words reach values alone: no expression, no field, no column."""
    values = {"domain", "sort"}
    for name in ("overview", "map", "errors"):
        for spec in specs(view(hostile_collection, name)):
            found = {key for key, text in strings(json.loads(spec)) if "alert(" in text or ":red[" in text}
            assert found <= values


def strings(spec: object, key: str = "") -> Iterator[tuple[str, str]]:
    """All strings of a specification, keys among them, each with the key that it stands under."""
    if isinstance(spec, dict):
        for name, inner in spec.items():
            yield "a key", name
            yield from strings(inner, name)
    elif isinstance(spec, list):
        for inner in spec:
            yield from strings(inner, key)
    elif isinstance(spec, str):
        yield key, spec


def test_two_categories_are_not_told_of_chance(view: View, tmp_path: Path) -> None:
    """With two categories every error goes to the other one, so nothing is said of chance."""
    evaluated(make_collection(tmp_path, Wanted(categories=("food", "travel"), videos=24, channels=8, media=False)))
    test = drawn(view(tmp_path, "errors"))
    assert "Most confused beyond chance" not in [heading.value for heading in test.subheader]
    assert "times chance" not in texts(test)


def food_taken_for_food(test: AppTest) -> AppTest:
    """Errors with a cell open that holds several videos."""
    test.query_params["label"], test.query_params["predicted"] = "food", "food"
    return test.run()


def test_published_folds_are_called_so(view: View, tmp_path: Path) -> None:
    """An evaluation on folds of a list says so, with the column, in both views that show its figures."""
    evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False)), fold_column="part")
    for name in ("classifier", "errors"):
        shown = texts(view(tmp_path, name))
        assert "published folds (column part)" in shown
        assert "folds by channel" not in shown


@pytest.mark.parametrize(
    ("by", "said"),
    [("channel", "folds by channel"), ("Country", "folds by Country"), ("video", "folds, each video for itself")],
)
def test_folds_are_told_by_what_they_kept_together(made_collection: Path, by: str, said: str) -> None:
    """What no two folds share is what the evaluation says, not always channels."""
    with open_collection(made_collection) as collection:
        run = collection.store.runs()[-1]
    assert run.results["groups"]["by"] == "channel"  # type: ignore[index, call-overload]
    assert scores.folds(replace(run, results={**run.results, "groups": {"by": by}})) == f"{run.results['folds']} {said}"


def test_several_categories_are_undecided_until_a_person_says_both(view: View, tmp_path: Path) -> None:
    """The Overview counts videos of several categories that wait for a decision, and leads to where it is made."""
    make_collection(tmp_path, Wanted(videos=8, channels=4, media=False))
    with open_collection(tmp_path) as collection:
        rows = [Row("b.csv", n, f"v{n:03d}", f"/videos/{n}.mp4", label="other") for n in (1, 2)]
        collection.store.add_rows("b.csv", rows, [])
    assert "2 with several: decide in Labels" in texts(view(tmp_path, "overview"))
    with open_collection(tmp_path) as collection:
        for n in (1, 2):
            relabel_both(collection.store, f"v{n:03d}", ("food", "other"))
            assert (f"{2 - n} with several: decide in Labels" in texts(view(tmp_path, "overview"))) == (n == 1)


def test_videos_without_embeddings_lead_to_the_overview(view: View, tmp_path: Path) -> None:
    """Where a collection is, a view without anything to show leads to Add videos, and advises no demo into it."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list.csv", [Row("list.csv", 1, "a", "/videos/a.mp4")], [])
    test = drawn(view(tmp_path, "map"))
    assert not any("quartzlens demo" in code.value for code in test.code)
    button(test, "Add videos in the Overview").click().run()
    assert drawn(test).title[0].value == "Overview"
    test = drawn(view(tmp_path / "none", "map"))
    assert any("quartzlens demo" in code.value for code in test.code)


def test_nothing_plays_by_itself_on_coming_back(view: View, made_collection: Path) -> None:
    """What was played in one view is over in the next, and still over on coming back."""
    test = view(made_collection, "errors")
    before = len(test.get("audio"))
    next(button for button in test.button if button.label.startswith("Play ")).click().run()
    assert len(test.get("audio")) == before + 1
    test.switch_page("views/map.py").run()
    test.switch_page("views/errors.py").run()
    assert len(test.get("audio")) == before


def test_errors_leads_to_similar(view: View, made_collection: Path) -> None:
    """The button of a video's evidence opens Similar with that video."""
    test = food_taken_for_food(view(made_collection, "errors"))
    button(test, "Next").click().run()
    video = test.query_params["video"]
    button(test, "Similar videos").click().run()
    assert test.title[0].value == "Similar"
    assert test.query_params["video"] == video


def test_the_same_colours_in_every_view(view: View, made_collection: Path) -> None:
    """Food has its one colour in every chart that colours by category."""
    for name in ("overview", "map", "errors"):
        test = view(made_collection, name)
        assert any(OWN_COLOURS["food"] in spec for spec in [*specs(test), *given(test)])


def test_intervals_stand_beside_the_figures(view: View, made_collection: Path) -> None:
    """The accuracy has its interval in its name, each category's figures have theirs as lines and beside them."""
    test = view(made_collection, "classifier")
    assert re.search(r"^accuracy \(0\.\d\d to [01]\.\d\d\)$", texts(test), re.MULTILINE)
    table = next(frame.value for frame in test.dataframe if "precision" in frame.value)
    assert list(table)[2:] == ["precision", "precision, 95 %", "recall", "recall, 95 %", "f1", "f1, 95 %"]
    assert table["recall, 95 %"].str.fullmatch(r"\d\.\d\d to \d\.\d\d").all()
    (spec,) = [one for one in map(json.loads, specs(test)) if "yOffset" in one["layer"][0]["encoding"]]
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rule", "circle", "text"]


def test_an_evaluation_from_before_intervals_is_shown_as_it_is(view: View, tmp_path: Path) -> None:
    """An older run has plain numbers for each category and no intervals: these are drawn, without empty columns."""
    folder = evaluated(make_collection(tmp_path / "old", Wanted(videos=24, channels=8, media=False)))
    with open_collection(folder) as collection:
        (run,) = collection.store.runs(collection.store.runs()[-1].id)
        results = dict(run.results) | {name: {"value": 0.5} for name in ("accuracy", "precision_macro", "recall_macro")}
        each = {name: {"precision": 0.75, "recall": 0.25, "n": 6} for name in results["categories"]}  # type: ignore[union-attr]
        older = replace(
            run, id=f"{run.id}-older", created_at="2099-01-01T00:00:00+00:00", results=results | {"per_category": each}
        )
        collection.store.add_run(older)
    test = drawn(view(folder, "classifier"))
    assert "\naccuracy\n" in texts(test)
    table = next(frame.value for frame in test.dataframe if "precision" in frame.value)
    assert list(table) == ["category", "videos", "precision", "recall"]
    assert table["recall"].tolist() == [0.25] * len(table)


def test_an_error_is_a_sentence(view: View, tmp_path: Path) -> None:
    """A damaged collection is told as a sentence with what to do, shown as text, without a traceback."""
    make_collection(tmp_path, Wanted(videos=4, channels=4, media=False))
    (tmp_path / "collection.toml").write_text("not toml [")
    test = view(tmp_path, "overview")
    assert not test.exception
    assert len(test.error) == 1


def button(test: AppTest, label: str):  # type: ignore[no-untyped-def]
    """The button of this label."""
    return next(button for button in test.button if button.label == label)


def specs(test: AppTest) -> list[str]:
    """Vega-Lite specifications of a page."""
    return [chart.proto.spec for chart in test.get("vega_lite_chart")]


def given(test: AppTest) -> list[str]:
    """What the parts of a page that are plain JavaScript were given, as JSON."""
    return [one.proto.json for one in test.get("bidi_component") if one.proto.json]


def listed(test: AppTest) -> list[str]:
    """Titles of the videos that a cell of Errors lists, in their order."""
    return [video["title"] for data in map(json.loads, given(test)) for video in data.get("videos", [])]
