"""The working set: one session's own, in the address unless it is very large, and respected by any table."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard import set_name
from quartzlens.records import Row
from store.collection import open_collection
from tests.dashboard.conftest import View
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import drawn, listed, texts

LOST = "The working set of this address was too large for it, or videos were removed since: select it again."


def page() -> None:
    """Draw a chip and a table that respects the working set, with a button for each thing that can be done to it."""
    import pandas as pd
    import streamlit as st

    from dashboard import working_set

    st.button("keep two", on_click=working_set.keep, args=(["b", "a, c"],))
    st.button("keep many", on_click=working_set.keep, args=([f"v{n:03}" for n in range(0, 153, 3)],))
    st.button("keep none", on_click=working_set.keep, args=([],))
    st.button("leave", on_click=lambda: st.query_params.clear())
    working_set.chip()
    table = working_set.narrowed(pd.DataFrame({"id": ["a, c", "b", "v003", "v004"]}))
    st.code(" | ".join(table["id"]))


def fresh() -> AppTest:
    """The page in a new session."""
    return AppTest.from_function(page, default_timeout=120)


def pressed(test: AppTest, label: str) -> AppTest:
    """The page after a click."""
    return next(button for button in test.button if button.label == label).click().run()


def shown(test: AppTest) -> str:
    """Ids of the table that is drawn."""
    assert not test.exception
    return str(test.code[0].value)


def test_a_table_is_narrowed_to_the_working_set() -> None:
    """Of a table the videos of the working set are left; all of it where there is none, or where it was cleared."""
    test = fresh().run()
    assert shown(test) == "a, c | b | v003 | v004"
    assert not test.text
    assert shown(pressed(test, "keep two")) == "a, c | b"
    assert test.text[0].value == "working set: 2 videos"
    assert shown(pressed(test, "Clear")) == "a, c | b | v003 | v004"
    assert shown(pressed(pressed(test, "keep two"), "keep none")) == "a, c | b | v003 | v004"


def test_a_small_one_is_in_the_address_whatever_its_ids_hold() -> None:
    """Up to fifty ids stand in the address, each by itself; another session that has it has the same working set."""
    test = pressed(fresh().run(), "keep two")
    assert test.query_params["set"] == ["a, c", "b"]
    other = fresh()
    other.query_params["set"] = ["b"]
    assert shown(other.run()) == "b"
    assert shown(pressed(other, "leave")) == "b"
    assert other.query_params["set"] == "b"


def test_one_of_unknown_videos_has_a_key_that_only_its_session_knows() -> None:
    """Of more than fifty ids that are no videos of the collection another session says that it does not know them."""
    test = pressed(fresh().run(), "keep many")
    assert shown(test) == "v003"
    key = test.query_params["kept"]
    assert len(key) == 8
    assert "set" not in test.query_params
    other = fresh()
    other.query_params["kept"] = key
    assert shown(other.run()) == "a, c | b | v003 | v004"
    assert other.text[0].value == LOST
    pressed(other, "Clear")
    assert "kept" not in other.query_params
    assert not other.text


def test_a_large_one_is_in_the_address_as_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """More than fifty videos go with the address into another session, also after others came; not after one went."""
    make_collection(tmp_path, Wanted(videos=160, channels=8, media=False))
    monkeypatch.setenv("QUARTZLENS_COLLECTION", str(tmp_path))
    test = pressed(fresh().run(), "keep many")
    name = test.query_params["kept"]
    assert "set" not in test.query_params
    other = fresh()
    other.query_params["kept"] = name
    assert shown(other.run()) == "v003"
    assert other.text[0].value == "working set: 51 videos"
    with open_collection(tmp_path) as collection:
        collection.store.add_rows("more.csv", [Row("more.csv", 1, "new", "new")], [])
    later = fresh()
    later.query_params["kept"] = name
    assert shown(later.run()) == "v003"
    assert shown(pressed(later, "keep two")) == "a, c | b"
    assert "kept" not in later.query_params
    with open_collection(tmp_path) as collection:
        collection.store.remove(["v001"])
    last = fresh()
    last.query_params["kept"] = name
    assert shown(last.run()) == "a, c | b | v003 | v004"
    assert last.text[0].value == LOST


@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.data())
def test_a_name_tells_whom_it_was_given(ids: list[str], data: st.DataObject) -> None:
    """Whichever videos it is of, a name is read as these, however many came after them."""
    held = data.draw(st.sets(st.sampled_from(ids), min_size=1))
    later = data.draw(st.lists(st.text(), max_size=20))
    name = set_name.named(frozenset(held), ids)
    assert set_name.read(name, [*ids, *later]) == held


@given(st.text())
def test_any_text_is_read_as_no_name(text: str) -> None:
    """What is no name, or one of other videos, is told from one."""
    assert set_name.read(text, [f"v{number}" for number in range(100)]) is None
    assert set_name.read(set_name.named(frozenset({"a"}), ["b", "a"]) + text, ["a", "b"]) is None


def test_a_name_unpacks_no_more_than_a_bit_a_video() -> None:
    """A link that unpacks to a gigabyte is refused after a few bytes; of very many videos a name is the key alone."""
    import base64
    import tracemalloc
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(4_000_000), 9)).decode()[: set_name.MOST_CHARACTERS]
    tracemalloc.start()
    assert set_name.read(f"00000000{bomb}", ["a"] * 100) is None
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    many = [f"v{number}" for number in range(200_000)]
    half = frozenset(np.random.default_rng(0).choice(many, 100_000, replace=False).tolist())
    assert len(set_name.named(half, many)) == 8


def test_a_cell_without_the_working_set_says_what_hides_its_videos(view: View, made_collection: Path) -> None:
    """Where no video of the working set is in a cell, that is said, and nothing of the whole collection."""
    test = view(made_collection, "errors")
    test.query_params["label"], test.query_params["predicted"] = "food", "food"
    test.query_params["set"] = ["v000"]
    shown = texts(drawn(test.run()))
    assert "No video of the working set is in this cell: clear the working set to see all." in shown
    assert "No video of the collection" not in shown


def test_errors_lists_the_working_set_alone(view: View, made_collection: Path) -> None:
    """What was chosen on the map narrows the videos of a cell, and a chip says so and clears it."""
    test = view(made_collection, "errors")
    test.query_params["label"], test.query_params["predicted"] = "food", ""
    test = test.run()
    whole = listed(test)
    assert len(whole) > 1
    test.query_params["set"] = ["v001"]
    test = test.run()
    assert not test.exception
    assert listed(test) == [title for title in whole if title == "Video number 1 of the collection"]
    assert any("working set" in one.value for one in test.text)
