"""What the dashboard shows of videos that are not there: those that were lost, and those that were removed."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from analysis.evaluation import cell, latest_evaluation
from analysis.survivorship import survivorship
from dashboard.style import GREY, OWN_COLOURS, on_both
from dashboard.survived import kept_table
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Result, Row
from store.collection import EncoderChoice, open_collection
from store.removal import remove_videos
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_journeys import Serve, opened
from tests.dashboard.test_views import VIEWS, drawn, food_taken_for_food, listed, specs, texts

WHEN = "2026-01-01T00:00:00+00:00"
FOOD = "food of **many** <b>kinds</b>"


def unequal(folder: Path) -> Path:
    """24 videos kept, half of each category, and 30 lost, 28 of them of one."""
    make_collection(folder, Wanted(categories=(FOOD, "travel"), videos=24, channels=24, media=False))
    lost = [
        Row("more.csv", n + 1, f"gone{n}", "s", channel=f"gone {n}", label=(FOOD, "travel")[n > 27]) for n in range(30)
    ]
    with open_collection(folder) as collection:
        collection.store.add_rows("more.csv", lost, [])
        collection.store.commit([Result(one.video_id, Outcome.PRIVATE, Stage.SOURCE, WHEN) for one in lost])
    return folder


def cell_of(folder: Path) -> list[str]:
    """Ids of the videos of food that were taken for food."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    return [str(one) for one in cell(found[1].predictions, "food", "food")["id"]]


def confusion_of(folder: Path) -> list[list[int]]:
    """The matrix that Errors draws."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    return found[1].confusion.tolist()


def headings(test: AppTest) -> list[str]:
    """All headings of panels."""
    return [heading.value for heading in test.subheader]


def test_the_overview_shows_who_survived(view: View, tmp_path: Path) -> None:
    """Where videos were lost there is the sentence, and a row a category with its share, interval and counts."""
    test = drawn(view(unequal(tmp_path), "overview"))
    assert "Kept of each category" in headings(test)
    with open_collection(tmp_path) as collection:
        found = survivorship(collection.store.videos())
    assert found.sentence.startswith(f"{FOOD} lost 70 % of its videos, travel 14 %: more than chance explains")
    assert found.sentence in texts(test)
    table = kept_table(found).set_index("category")
    assert list(table.index) == [FOOD, "travel", "no category"]
    assert table.loc[FOOD, ["percent", "counts", "pending"]].tolist() == ["30 %", "12 kept, 28 lost", 0]
    assert table.loc["no category", ["percent", "counts", "pending"]].tolist() == ["0 %", "0 kept, 2 lost", 1]
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()
    assert any('"counts"' in spec for spec in specs(test))


def test_nothing_is_said_of_survivors_where_all_survived(view: View, tmp_path: Path) -> None:
    """Without a loss there is neither the sentence nor the picture."""
    with open_collection(tmp_path, create=EncoderChoice()) as collection:
        collection.store.add_rows("list", [Row("list", 1, "v", "s", label="food")], [])
    test = drawn(view(tmp_path, "overview"))
    assert "Kept of each category" not in headings(test)
    assert not any('"counts"' in spec for spec in specs(test))


def test_categories_have_their_colours(view: View, made_collection: Path) -> None:
    """The bars of what was kept are of the categories' own colours."""
    (spec,) = [json.loads(spec) for spec in specs(drawn(view(made_collection, "overview"))) if '"counts"' in spec]
    scale = next(layer["encoding"]["color"]["scale"] for layer in spec["layer"] if "color" in layer["encoding"])
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    expected = {"food": OWN_COLOURS["food"], "travel": OWN_COLOURS["travel"], "no category": GREY}
    assert {name: colours[name] for name in expected} == {name: on_both(shade) for name, shade in expected.items()}


def test_a_removed_video_is_shown_as_removed(view: View, tmp_path: Path) -> None:
    """An evaluation keeps its numbers; a judged video that left is named as removed, and is nobody's neighbour."""
    folder = evaluated(make_collection(tmp_path, Wanted(videos=24, channels=8)))
    before = confusion_of(folder)
    judged = cell_of(folder)
    with open_collection(folder) as collection:
        remove_videos(collection, judged[:1])
    for name in VIEWS:
        drawn(view(folder, name))
    test = drawn(food_taken_for_food(view(folder, "errors")))
    assert f"{judged[0]} · removed from the collection" in texts(test)
    assert listed(test) == [f"Video number {int(one[1:])} of the collection" for one in judged[1:]]
    assert f"Video number {int(judged[0][1:])} of the collection" not in texts(test)
    assert confusion_of(folder) == before
    with open_collection(folder) as collection:
        remove_videos(collection, judged)
    assert "No video of the collection is in this cell." in texts(drawn(food_taken_for_food(view(folder, "errors"))))


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 900])
def test_the_numbers_lie_beside_the_bars(
    page: Page, serve: Serve, tmp_path_factory: pytest.TempPathFactory, width: int
) -> None:
    """In a wide and in a narrow window the counts are whole, right of their bars, and shown as text."""
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, serve(unequal(tmp_path_factory.mktemp("unequal") / "unequal-collection")))
    panel = page.locator('[class*="st-key-panel-outcomes"]')
    chart = panel.locator('[data-testid="stVegaLiteChart"]')
    counts = chart.get_by_text("12 kept, 28 lost", exact=True)
    expect(counts).to_be_visible()
    expect(panel.get_by_text(f"{FOOD} lost 70 %")).to_be_visible()
    text, percent, whole = (one.bounding_box() for one in (counts, chart.get_by_text("30 %", exact=True), chart))
    assert text is not None
    assert percent is not None
    assert whole is not None
    bars = [one.bounding_box() for one in chart.locator(".mark-rect path").all()]
    assert len(bars) == 6
    assert max(bar["x"] + bar["width"] for bar in bars if bar) < percent["x"]
    assert percent["x"] + percent["width"] < text["x"]
    assert text["x"] + text["width"] <= whole["x"] + whole["width"]
