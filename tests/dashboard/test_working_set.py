"""The working set: one session's own, in the address where it is small, and respected by any table."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import View
from tests.dashboard.test_views import drawn, listed, texts


def page() -> None:
    """Draw a chip and a table that respects the working set, with a button for each thing that can be done to it."""
    import pandas as pd
    import streamlit as st

    from dashboard import working_set

    st.button("keep two", on_click=working_set.keep, args=(["b", "a, c"],))
    st.button("keep many", on_click=working_set.keep, args=([f"v{n}" for n in range(51)],))
    st.button("keep none", on_click=working_set.keep, args=([],))
    st.button("leave", on_click=lambda: st.query_params.clear())
    working_set.chip()
    table = working_set.narrowed(pd.DataFrame({"id": ["a, c", "b", "v1", "z"]}))
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
    assert shown(test) == "a, c | b | v1 | z"
    assert not test.text
    assert shown(pressed(test, "keep two")) == "a, c | b"
    assert test.text[0].value == "working set: 2 videos"
    assert shown(pressed(test, "Clear")) == "a, c | b | v1 | z"
    assert shown(pressed(pressed(test, "keep two"), "keep none")) == "a, c | b | v1 | z"


def test_a_small_one_is_in_the_address_whatever_its_ids_hold() -> None:
    """Up to fifty ids stand in the address, each by itself; another session that has it has the same working set."""
    test = pressed(fresh().run(), "keep two")
    assert test.query_params["set"] == ["a, c", "b"]
    other = fresh()
    other.query_params["set"] = ["b"]
    assert shown(other.run()) == "b"
    assert shown(pressed(other, "leave")) == "b"
    assert other.query_params["set"] == "b"


def test_a_large_one_has_a_key_that_only_its_session_knows() -> None:
    """Of more than fifty ids the address has a short key; another session says that it does not know it."""
    test = pressed(fresh().run(), "keep many")
    assert shown(test) == "v1"
    key = test.query_params["kept"]
    assert len(key) == 8
    assert "set" not in test.query_params
    other = fresh()
    other.query_params["kept"] = key
    assert shown(other.run()) == "a, c | b | v1 | z"
    assert other.text[0].value == "The working set of this address was too large for it: select it again."
    pressed(other, "Clear")
    assert "kept" not in other.query_params
    assert not other.text


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
