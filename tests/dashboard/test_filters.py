"""The filters of the Similar view, and its fragments: what they leave is what is found, and it is in the address."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.evaluation import latest_evaluation
from analysis.near_fragments import fragments_near
from analysis.neighbours import Moment
from dashboard import filters
from quartzlens import open as open_for_notebooks
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import BLOCK, FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_views import drawn, texts


def button(test: AppTest, label: str) -> Any:
    """The first button of a label."""
    return next(one for one in test.button if one.label.startswith(label))


def picker(test: AppTest, label: str) -> Any:
    """The box of a label, whatever kind it is of."""
    return next(one for one in (*test.selectbox, *test.number_input, *test.text_input) if one.label == label)


def found(test: AppTest) -> list[str]:
    """Titles of the results, in the order of the page."""
    return [one.label.removeprefix("Play ") for one in test.button if one.label.startswith("Play ")]


def addressed(view: View, folder: Path, **address: str) -> AppTest:
    """The Similar view as a browser opens it by an address."""
    test = view(folder, "overview")
    for name, value in address.items():
        test.query_params[name] = value
    return drawn(test.switch_page("views/similar.py").run())


@pytest.fixture
def similar(view: View, made_collection: Path) -> AppTest:
    """The Similar view of the made-up collection, searching with its first video."""
    return drawn(view(made_collection, "similar"))


def test_what_is_found_is_what_the_filters_are_true_of(similar: AppTest, made_collection: Path) -> None:
    """Boxes and the line of conditions hold together, as the notebook's `where`; taken back, all is found again."""
    everything, opened = found(similar), open_for_notebooks(made_collection)
    picker(similar, "Predicted").set_value("food").run()
    picker(similar, "Right or wrong").set_value("wrong").run()
    wrong = opened.similar("v000", 10, "prediction=food and right=no")
    assert len(wrong) > 0
    assert found(drawn(similar)) == list(wrong["title"])
    picker(similar, "Right or wrong").set_value("right").run()
    picker(similar, "Seconds under").set_value(31)
    picker(similar, "Other conditions").set_value("channel!='Channel 1' and fold>=0").run()
    where = "prediction=food and right=yes and length<31 and channel!='Channel 1' and fold>=0"
    table = opened.similar("v000", 10, where)
    assert len(table) > len(wrong)
    assert found(drawn(similar)) == list(table["title"])
    assert f"of {len(opened.similar('v000', 99, where))} of 72 videos" in texts(similar)
    button(similar, "Clear the filters").click().run()
    assert found(drawn(similar)) == everything
    assert "of 72 videos" not in texts(similar)


def test_an_address_restores_the_filters(view: View, made_collection: Path) -> None:
    """A copied address has the same boxes filled, and finds the same."""
    wanted = {"category": "travel", "prediction": "food", "channel": "Channel 3", "fold": "1", "over": "10"}
    test = addressed(view, made_collection, video="v005", where="length<=30", **wanted)
    labels = ("Label", "Predicted", "Channel", "Fold", "Seconds over")
    assert [str(picker(test, label).value) for label in labels] == list(wanted.values())
    where = "category=travel and prediction=food and channel='Channel 3' and fold=1 and length>10 and length<=30"
    assert found(test) == list(open_for_notebooks(made_collection).similar("v005", 10, where)["title"])


def test_a_mistake_in_a_condition_is_told_and_nothing_is_found(similar: AppTest) -> None:
    """What cannot be read, and a value that no video has, are told as on the command line."""
    picker(similar, "Other conditions").set_value("catgory=food").run()
    assert "There is no column catgory; did you mean category?" in texts(drawn(similar))
    assert found(similar) == []
    picker(similar, "Other conditions").set_value("title~nowhere").run()
    assert "No other video matches." in texts(drawn(similar))
    assert "of 0 of 72 videos" in texts(similar)


def test_a_value_of_an_old_address_is_told_not_dropped(view: View, made_collection: Path) -> None:
    """A category that is gone is an error that names those that there are, never a search without the filter."""
    test = addressed(view, made_collection, category="cooking")
    assert "No video has category=cooking; there are art_music, food, history, travel." in texts(test)
    assert found(test) == []


def test_of_many_channels_the_first_are_offered_and_any_is_taken(
    view: View, made_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box of more values than a browser is sent says so, and a value that is not offered filters as well."""
    assert len(picker(addressed(view, made_collection), "Channel").options) == 16
    monkeypatch.setattr(filters, "MOST_LISTED", 5)
    test = addressed(view, made_collection, video="v005", channel="Channel 9")
    assert picker(test, "Channel").options == ["Channel 0", "Channel 1", "Channel 10", "Channel 11", "Channel 12"]
    assert picker(test, "Channel").proto.help == "The first 5 of 16 are offered; any other can be typed."
    assert not picker(test, "Label").proto.help
    assert found(test) == list(open_for_notebooks(made_collection).similar("v005", 10, "channel='Channel 9'")["title"])


def test_without_an_evaluation_only_what_is_known_can_be_chosen(view: View, tmp_path: Path) -> None:
    """No box asks for predictions that there are not; the line of conditions says what is missing."""
    test = drawn(view(make_collection(tmp_path, Wanted(videos=24, channels=8, media=False)), "similar"))
    labels = [one.label for one in test.selectbox]
    assert labels[:2] == ["Label", "Channel"]
    assert not {"Predicted", "Right or wrong", "Fold"} & set(labels)
    picker(test, "Other conditions").set_value("right=no").run()
    assert "run `quartzlens evaluate`" in texts(drawn(test))
    evaluated(tmp_path)
    drawn(test.run())
    assert "Predicted" in [one.label for one in test.selectbox]
    assert found(test)


def test_operators_are_shown_as_they_are_typed(similar: AppTest) -> None:
    """The help of the conditions has its operators in code, which Streamlit does not turn into other signs."""
    (shown,) = [one.proto.help for one in similar.text_input if one.label == "Other conditions"]
    assert all(f"`{operator}`" in shown for operator in ("<=", ">=", "!=", "!~"))


def test_fragments_are_found_from_a_moment(similar: AppTest, made_collection: Path) -> None:
    """Fragments have their seconds and play from there; a moment is searched with, and from one result to the next."""
    next(one for one in similar.button_group if "Fragments" in str(one.options)).set_value("Fragments").run()
    picker(similar, "Search with").set_value("10").run()
    with open_collection(made_collection) as collection:
        table = fragments_near(collection.store, FINGERPRINT, Moment("v000", 10.0), 10)
    assert found(drawn(similar)) == list(table["title"])
    seconds = [f"0:{start:02.0f} to 0:{start + 5:02.0f}" for start in table["start_seconds"]]
    assert [line for line in texts(similar).splitlines() if line in set(seconds)] == list(seconds)
    button(similar, "Play ").click().run()
    player = similar.get("audio")[-1]
    assert player.proto.start_time == table["start_seconds"][0]
    button(similar, "Search with this moment").click().run()
    drawn(similar)
    assert picker(similar, "Video: type a part of a title or an id").value == table["id"][0]
    assert similar.query_params["at"] == f"{table['start_seconds'][0]:g}"
    picker(similar, "Video: type a part of a title or an id").set_value("v003").run()
    assert picker(drawn(similar), "Search with").value == ""
    assert "at" not in similar.query_params


def test_what_was_heard_stands_with_a_fragment(view: View, tmp_path: Path) -> None:
    """Words of the decoder are in quotes, and the page says how sure they are."""
    folder = make_collection(tmp_path, Wanted(videos=12, channels=4, media=False))
    embed_again(folder, heard="**train** station")
    with open_collection(folder) as collection:
        assert latest_evaluation(collection.store, BLOCK) is None
    test = addressed(view, folder, find="Fragments")
    assert " · “**train** station”" in texts(test)
    assert "unsure and often wrong" in texts(test)


def test_one_video_alone_has_no_other(view: View, tmp_path: Path) -> None:
    """Where nothing else is embedded, the page says so, for videos and for fragments."""
    make_collection(tmp_path, Wanted(videos=1, channels=1, media=False))
    for find in ("Videos", "Fragments"):
        assert "There is no other video." in texts(addressed(view, tmp_path, find=find))


def test_the_address_of_a_stretch_finds_fragments_like_it(view: View, made_collection: Path) -> None:
    """Where the timeline's "Similar moments" leads, Similar shows the fragments nearest to that moment."""
    test = view(made_collection, "similar")
    test.query_params["video"], test.query_params["at"] = "v001", "20"
    test.session_state["find"] = "Fragments"
    test = drawn(test.run())
    assert drawn(test).title[0].value == "Similar"
    with open_collection(made_collection) as collection:
        table = fragments_near(collection.store, FINGERPRINT, Moment("v001", 20.0), 10)
    assert found(test) == list(table["title"])
