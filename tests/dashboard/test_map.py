"""The map through the router, on collections of every kind, without a browser."""

import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from analysis.projected_points import Progress
from analysis.projection import Projection
from dashboard import map_drawn, map_work
from dashboard.map_colours import coloured
from dashboard.style import GREY, category_colours
from quartzlens.errors import QuartzlensError
from store.collection import EncoderChoice, open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import HOSTILE, Wanted, make_collection
from tests.dashboard.test_views import button, drawn, food_taken_for_food, specs, texts
from tests.dashboard.test_working_set import LOST

EVERYWHERE = {"x": [-1e6, 1e6], "y": [1e6, -1e6]}


def asked(test: AppTest, **address: str | float) -> AppTest:
    """The page with other choices, or with these words in its address."""
    for name, value in address.items():
        if name in {"set", "kept", "video"}:
            test.query_params[name] = value
        else:
            test.session_state[name] = value
    return drawn(test.run())


def data(test: AppTest) -> pd.DataFrame:
    """What the map draws."""
    return datasets(test)[-1]


def datasets(test: AppTest) -> list[pd.DataFrame]:
    """What the map draws, the points last."""
    (chart,) = test.get("vega_lite_chart")
    found = [pa.ipc.open_stream(one.data.data).read_pandas() for one in chart.proto.datasets]
    return sorted(found, key=lambda frame: "id" in frame)


def test_a_box_becomes_the_working_set(view: View, made_collection: Path) -> None:
    """The panel lists what is inside a box, fifty at most, with the wrong ones counted; opening one plays it."""
    test = view(made_collection, "map")
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE, "pick": [], "legend": []}}
    test.run()
    shown = texts(test)
    assert "Working set: 72 videos" in shown
    assert "22 more: make the selection smaller to see them." in shown
    assert "18 art_music, 18 food, 18 history, 18 travel · " in shown
    assert "kept" in test.query_params
    assert not test.get("audio")
    next(button for button in test.button if button.label.startswith("Open ")).click().run()
    assert test.query_params["video"] == "v000"
    assert len(test.get("audio")) == 1
    button(test, "Close").click().run()
    assert "video" not in test.query_params
    button(test, "Clear").click().run()
    assert "Nothing selected" in texts(test)
    assert "kept" not in test.query_params


def test_the_same_box_is_not_taken_twice(view: View, made_collection: Path) -> None:
    """A working set that was cleared stays cleared, with its box no longer drawn; a click alone opens a point."""
    test = view(made_collection, "map")
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE}}
    button(test.run(), "Clear").click().run()
    test.session_state["map_chart-1"] = {"selection": {"brush": {}, "pick": [{"id": "v003"}]}}
    test.run()
    assert "Working set" not in texts(test)
    assert test.query_params["video"] == "v003"


@pytest.mark.parametrize(
    "colour", ["category", "prediction", "right or wrong", "confidence", "channel", "loud", "year"]
)
def test_every_colour_is_drawn(view: View, tmp_path: Path, colour: str) -> None:
    """Any fact or column of the list colours the points, and each point has a value of it."""
    wanted = Wanted(videos=24, channels=8, media=False, extra={"loud": "very", "year": "2021"})
    test = asked(view(evaluated(make_collection(tmp_path, wanted)), "map"), colour=colour)
    assert test.selectbox[0].value == colour
    (spec,) = [json.loads(spec) for spec in specs(test)]
    values = data(test)["colour"]
    assert values.notna().all()
    if colour == "confidence":
        assert spec["layer"][-1]["encoding"]["color"]["condition"]["type"] == "quantitative"
    else:
        assert set(values) <= set(spec["layer"][-1]["encoding"]["color"]["scale"]["domain"])


def test_points_are_sized_by_a_number(view: View, made_collection: Path) -> None:
    """The surest video has the largest point, the least sure one the smallest."""
    test = asked(view(made_collection, "map"), size="confidence", colour="confidence")
    drawn_points = data(test).sort_values("colour")
    assert drawn_points["area"].is_monotonic_increasing
    assert drawn_points["area"].iloc[0] < drawn_points["area"].iloc[-1]


def test_a_search_highlights_and_can_be_kept(view: View, made_collection: Path) -> None:
    """What holds the text stands out from the rest, in whatever case; a text that nothing holds says so."""
    test = asked(view(made_collection, "map"), search="NUMBER 7")
    assert "Found: 3 videos" in texts(test)
    points = data(test)
    assert set(points.loc[points["shade"] > 0.5, "id"]) == {"v007", "v070", "v071"}
    button(test, "Use as working set").click().run()
    assert test.query_params["set"] == ["v007", "v070", "v071"]
    assert "Working set: 3 videos" in texts(test)
    assert "No title, channel or id holds this text." in texts(asked(test, search="no such"))


def test_the_working_set_goes_with_a_person(view: View, made_collection: Path) -> None:
    """Chosen on the map it narrows what Errors lists, which says so, and it is there on return."""
    test = asked(view(made_collection, "map"), search="number 7", colour="channel")
    button(test, "Use as working set").click().run()
    test = drawn(test.switch_page("views/errors.py").run())
    assert "working set: 3 videos" in texts(test)
    assert "Working set: 3 videos" in texts(drawn(test.switch_page("views/map.py").run()))
    button(test, "Clear").click().run()
    food_taken_for_food(drawn(test.switch_page("views/errors.py").run()))
    button(test, "Next").click().run()
    assert drawn(test).query_params["video"]


def test_an_address_brings_its_working_set(view: View, made_collection: Path) -> None:
    """Ids in the address are the working set; those that are not on the map are counted, and a key alone says so."""
    test = view(made_collection, "map")
    test.query_params["set"] = ["v001", "v002", "gone"]
    shown = texts(drawn(test.run()))
    assert "Working set: 2 videos" in shown
    assert "1 of the working set is not on this map, 1 of them not in the collection any more." in shown
    two = texts(asked(view(made_collection, "map"), set=["v001", "gone", "lost0"]))
    assert "2 of the working set are not on this map, 1 of them not in the collection any more." in two
    other = asked(view(made_collection, "map"), kept="0123abcd")
    assert LOST in texts(other)


def test_fragments_are_points_that_play_from_there(view: View, made_collection: Path) -> None:
    """Every fragment is a point that names its seconds; a click opens the video there."""
    test = asked(view(made_collection, "map"), points="Fragments")
    assert "UMAP of 432 fragments · trustworthiness 0." in texts(test)
    points = data(test)
    assert len(points) == 432
    assert points["clock"].head(2).tolist() == ["0:00 to 0:05", "0:05 to 0:10"]
    test.session_state["map_chart-1"] = {"selection": {"pick": [{"id": "v004", "start_seconds": 10.0}]}}
    drawn(test.run())
    assert (test.query_params["video"], test.query_params["at"]) == ("v004", "10")
    assert test.get("audio")[0].proto.start_time == 10
    assert data(test)["chosen"].sum() == 1
    test.session_state["map_chart-1"] = {"selection": {"brush": EVERYWHERE}}
    assert "Working set: 72 videos" in texts(drawn(test.run()))


@pytest.mark.parametrize("at", ["\u00b2", "9" * 400, "nan", "inf", "-1", "<b>1</b>"])
def test_an_address_names_any_second(view: View, made_collection: Path, at: str) -> None:
    """What is no second of a video plays from its beginning: whatever an address holds, the map is drawn."""
    test = view(made_collection, "map")
    test.query_params["at"] = at
    asked(test, video="v003")
    assert [one.proto.start_time for one in test.get("audio")] == [0]


def test_the_layout_can_be_chosen(view: View, made_collection: Path) -> None:
    """Neighbours, least distance and seed lay the map out, and are told."""
    test = asked(view(made_collection, "map"), neighbours=5, min_dist=0.5, seed=3)
    assert "5 neighbours · seed 3" in texts(test)
    assert [number.value for number in test.number_input][:3] == [5, 0.5, 3]


STATES = {
    "one video": (Wanted(videos=1, channels=1, media=False), "1 video: too few for a map"),
    "five videos": (
        Wanted(videos=5, channels=5, media=False),
        "5 videos · trustworthiness 0.67 · 4 neighbours",
    ),
    "no labels": (Wanted(videos=6, channels=3, labelled=False, media=False), "No video has a label yet"),
    "no evaluation": (Wanted(videos=8, channels=4, media=False), "Nothing was evaluated yet"),
}


@pytest.mark.parametrize("kind", STATES)
def test_what_is_missing_is_said(view: View, tmp_path: Path, kind: str) -> None:
    """One video, few videos, no labels or no evaluation: each is drawn and says what it is and what comes next."""
    wanted, words = STATES[kind]
    make_collection(tmp_path, wanted)
    test = drawn(view(tmp_path, "map"))
    assert words in texts(test)
    assert "ringed" not in texts(test)


def test_nothing_embedded_says_what_to_run(view: View, tmp_path: Path) -> None:
    """Of an empty collection the map says that nothing is embedded, with the command that changes it."""
    with open_collection(tmp_path, create=EncoderChoice()):
        pass
    test = drawn(view(tmp_path, "map"))
    assert "Nothing is embedded yet." in texts(test)
    assert any("quartzlens ingest" in code.value for code in test.code)


def test_a_new_video_moves_no_other(view: View, tmp_path: Path) -> None:
    """A video that comes later is placed among the others, which stay; the map says so, and can be drawn anew."""
    make_collection(tmp_path, Wanted(videos=20, channels=4, media=False))
    test = view(tmp_path, "map")
    before = data(test).set_index("id")[["x", "y"]]
    make_collection(tmp_path, Wanted(videos=22, channels=4, media=False))
    after = data(drawn(test.run())).set_index("id")[["x", "y"]]
    assert after.loc[before.index].equals(before)
    assert "2 videos placed among the others" in texts(test)
    button(test, "Draw anew").click().run()
    assert "placed among" not in texts(drawn(test))


def test_many_points_are_drawn_as_shades_and_a_draw(
    view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the most dots, shades count all points and the dots are a draw; a box selects from all of them."""
    monkeypatch.setattr(map_drawn, "MOST_DOTS", 70)
    monkeypatch.setattr(map_drawn, "DRAWN_DOTS", 20)
    test = drawn(view(made_collection, "map"))
    cells, dots = datasets(test)
    assert cells["n"].sum() == 72
    assert len(dots) == 20
    assert "The shades count all 72 points; the dots are a draw of 20 of them." in texts(test)
    test.session_state["map_chart"] = {"selection": {"brush": EVERYWHERE}}
    assert "Working set: 72 videos" in texts(drawn(test.run()))
    found = asked(test, search="number 7", video="v001")
    cells, dots = datasets(found)
    assert set(dots["id"]) == {"v007", "v070", "v071", "v001"}
    assert "the dots are all of those that stand out" in texts(found)


def test_the_map_has_a_table(view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened, the table has a row for each point with title, channel, label, prediction and what colours it."""
    monkeypatch.setattr(map_drawn, "MOST_ROWS", 10)
    test = asked(view(made_collection, "map"), map_table=True, colour="confidence")
    (table,) = [frame.value for frame in test.dataframe]
    assert list(table) == ["title", "channel", "label", "prediction", "confidence"]
    assert len(table) == 10
    assert "The first 10 of 72: select fewer to see the others." in texts(test)
    (table,) = [frame.value for frame in asked(test, search="number 70", points="Fragments").dataframe]
    assert table["title"].unique().tolist() == ["Video number 70 of the collection"]
    assert table["seconds"].tolist()[:2] == ["0:00 to 0:05", "0:05 to 0:10"]


def test_a_map_can_be_stopped_and_gone_on_with(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that was stopped says so, with a way to go on."""
    make_collection(tmp_path, Wanted(videos=8, channels=4, media=False))
    monkeypatch.setattr(map_work.Work, "_told", _stopped_at_once)
    test = drawn(view(tmp_path, "map"))
    assert "Drawing the map was stopped." in texts(test)
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(tmp_path)])
    button(test, "Go on").click().run()
    assert "UMAP of 8 videos" in texts(drawn(test))


def _stopped_at_once(work: map_work.Work, share: float, doing: str, told=map_work.Work._told) -> None:  # type: ignore
    """Somebody stops it as soon as it tells how far it is."""
    work.stop()
    told(work, share, doing)


def test_work_tells_how_far_it_is_and_what_went_wrong() -> None:
    """Work in its thread tells its share, and what it raises is raised to who waits for it."""

    def failing(tell: Progress) -> Projection:
        tell(0.5, "half")
        raise QuartzlensError("broken")

    work = map_work.Work(failing)
    assert work.ended(60.0)
    assert (work.share, work.doing, work.failed) == (0.5, "half", True)
    with pytest.raises(QuartzlensError, match="broken"):
        work.result()


def test_a_map_that_failed_is_tried_again(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong while a map is laid out is told as a sentence, and the next action tries once more."""
    make_collection(tmp_path, Wanted(videos=8, channels=4, media=False))

    def broken(*_args: object, **_options: object) -> Projection:
        raise QuartzlensError("The index is broken.")

    with monkeypatch.context() as patch:
        patch.setattr(map_work, "cached_projection", broken)
        test = view(tmp_path, "map")
        assert not test.exception
        assert "The index is broken" in test.error[0].value
    assert "UMAP of 8 videos" in texts(drawn(test.run()))


def test_strangers_words_stay_data(view: View, hostile_collection: Path) -> None:
    """Titles, channels and categories that pose as markup reach the map as data, by whatever they are coloured."""
    test = view(hostile_collection, "map")
    for colour in ("channel", "prediction"):
        asked(test, colour=colour, set="v000")
        (spec,) = specs(test)
        assert HOSTILE[0] not in json.dumps(json.loads(spec)["layer"][-1]["encoding"]["tooltip"])
        assert HOSTILE[0] in texts(test)


def test_a_point_tells_what_it_is(view: View, made_collection: Path) -> None:
    """The card over a point has its title, channel, label and prediction."""
    (spec,) = specs(drawn(view(made_collection, "map")))
    told = json.loads(spec)["layer"][-1]["encoding"]["tooltip"]
    assert [tip.get("title", tip["field"]) for tip in told] == ["title", "channel", "label", "prediction"]


def test_more_than_twenty_values_are_grouped() -> None:
    """The twenty most frequent values have a colour each; the others are grey together and are counted."""
    column = pd.Series([f"value {n}" for n in range(26) for _ in range(26 - n)])
    found = coloured(column, "channel", {})
    assert list(found.shades)[-1] == "6 others"
    assert found.shades["6 others"] == GREY
    assert len(set(found.shades.values())) == 21
    assert found.column[column == "value 25"].eq("6 others").all()
    assert found.column[column == "value 0"].eq("value 0").all()


def test_categories_keep_their_colours() -> None:
    """Of many categories those with a colour of their own keep it, and those that are grey everywhere are grouped."""
    names = [f"category {n:02d}" for n in range(30)]
    colours = category_colours(names)
    found = coloured(pd.Series(names), "category", colours)
    assert all(colours[name] == shade for name, shade in found.shades.items() if not name.endswith("others"))
    assert [shade for name, shade in found.shades.items() if name.endswith("others")] == [GREY]


def test_numbers_of_few_values_are_categories_in_their_order() -> None:
    """A column of a few numbers has a colour for each, in the order of the numbers; what is unknown is told as such."""
    found = coloured(pd.Series([10.0, 2.0, 2.0, float("nan")]), "year", {})
    assert list(found.shades) == ["2", "10", "unknown"]
    assert coloured(pd.Series(range(30), dtype="float64"), "year", {}).shades == {}
