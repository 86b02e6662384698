"""Runs in the Classifier view lead on: a run to its errors, videos that changed to Errors and the working set."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from analysis.dataset import load_dataset
from analysis.evaluation import evaluate, evaluation_run
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, section
from tests.dashboard.made_up import FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_views import button, drawn, texts

Serve = Callable[[Path], str]


def compared(folder: Path) -> Path:
    """A collection with an evaluation of logistic regression, and then one of nearest neighbours."""
    evaluated(make_collection(folder, Wanted(videos=40, channels=8, media=False)))
    with open_collection(folder) as collection:
        store = collection.store
        judged = evaluate(load_dataset(store, FINGERPRINT), store.fragments(FINGERPRINT), classifier="knn")
        store.add_run(evaluation_run(judged, FINGERPRINT, 0, store.info().labels))
    return folder


def ids(folder: Path) -> list[str]:
    """Ids of the runs, oldest first."""
    with open_collection(folder) as collection:
        return [run.id for run in collection.store.runs()]


def runs(view: View, folder: Path) -> AppTest:
    """The section Runs of the Classifier."""
    return drawn(section(view(folder, "classifier"), "Runs"))


def select(test: AppTest, beginning: str, *rows: int) -> list[dict[str, object]]:
    """Select rows of the table whose key begins so, as a click on their boxes does; all of its rows."""
    table = next(one for one in test.dataframe if (one.key or "").startswith(beginning))
    test.session_state[str(table.key)] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    drawn(test.run())
    return table.value.to_dict("records")


def test_a_run_leads_to_its_errors(view: View, tmp_path: Path) -> None:
    """The run that is selected opens in Errors, whichever is the newest; before, a sentence says how."""
    test = runs(view, compared(tmp_path))
    assert "Select an evaluation" in texts(test)
    rows = select(test, "runs-", 1)
    older = ids(tmp_path)[0]
    assert rows[1]["run"] == older
    button(test, "Open in Errors").click().run()
    assert drawn(test).title[0].value == "Errors"
    assert test.query_params["run"] == older
    assert "This address is of an earlier evaluation." in texts(test)


def test_a_run_leads_to_its_figures(view: View, tmp_path: Path) -> None:
    """Figures of an older run are shown and are in the address, so that a copied one shows the same; and the newest."""
    test = runs(view, compared(tmp_path))
    older, newest = ids(tmp_path)
    assert test.query_params["run"] == newest
    select(test, "runs-", 1)
    drawn(button(test, "Show its figures").click().run())
    assert test.query_params["run"] == older
    assert f"{older} · logistic" in texts(test)
    copied = view(tmp_path, "classifier")
    copied.query_params["run"] = older
    copied.query_params["section"] = "How sure"
    assert "This address is of an earlier evaluation." in texts(drawn(copied.run()))
    assert copied.query_params["run"] == older
    drawn(button(test, "See the errors").click().run())
    assert test.query_params["run"] == older
    drawn(button(copied, "Show the newest").click().run())
    assert copied.query_params["run"] == newest
    assert "This address is of an earlier evaluation." not in texts(copied)


def test_a_new_run_takes_no_others_selection(view: View, tmp_path: Path) -> None:
    """After a new evaluation, which moves all rows down, nothing is selected."""
    test = runs(view, compared(tmp_path))
    select(test, "runs-", 0)
    assert "Open in Errors" in [one.label for one in test.button]
    evaluated(tmp_path)
    assert "Open in Errors" not in [one.label for one in drawn(test.run()).button]


def test_a_run_of_another_encoder_says_why_it_leads_nowhere(view: View, tmp_path: Path) -> None:
    """Errors shows evaluations of the present encoder alone: there is a sentence in place of the button."""
    embed_again(compared(tmp_path))
    test = runs(view, tmp_path)
    select(test, "runs-", 0)
    assert "Its errors are not shown: it is of another encoder than the present one." in texts(test)
    assert "Open in Errors" not in [one.label for one in test.button]


def test_videos_that_changed_become_the_working_set(view: View, tmp_path: Path) -> None:
    """Without a selection it is all of them, else those selected; the chip of the page counts them."""
    test = runs(view, compared(tmp_path))
    button(test, "Use as working set").click().run()
    rows = select(test, "now-wrong")
    assert test.session_state["working_set"] == {row["id"] for row in rows}
    assert "They are the working set." in texts(test)
    select(test, "now-wrong", 1)
    button(test, "Use as working set").click().run()
    assert test.session_state["working_set"] == {rows[1]["id"]}
    assert "working set: 1 video" in texts(drawn(test))


def test_a_video_that_changed_opens_in_errors(view: View, tmp_path: Path) -> None:
    """One that is selected opens in its cell of the later evaluation; of two none is offered."""
    test = runs(view, compared(tmp_path))
    select(test, "now-wrong", 0, 1)
    assert "Open in Errors" not in [one.label for one in test.button]
    row = select(test, "now-wrong", 1)[1]
    button(test, "Open in Errors").click().run()
    assert drawn(test).title[0].value == "Errors"
    there = {name: test.query_params[name] for name in ("run", "video", "label", "predicted")}
    cell = {"label": row["label"], "predicted": row["says now"]}
    assert there == {"run": ids(tmp_path)[1], "video": row["id"], **cell}


@pytest.mark.browser
def test_keys_alone_lead_from_a_run_to_its_errors(page: Page, serve: Serve, tmp_path: Path) -> None:
    """Arrows and Shift with Space select a run, and Enter on the button opens it."""
    opened(page, f"{serve(compared(tmp_path / 'keys'))}/classifier?section=Runs")
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    page.locator('.st-key-panel-runs canvas[data-testid="data-grid-canvas"]').focus()
    for key in ("ArrowDown", "ArrowDown", "Shift+Space"):
        page.keyboard.press(key)
        page.wait_for_timeout(200)  # the grid takes a key when it has drawn the last
    way = page.get_by_role("button", name="Open in Errors")
    expect(way).to_be_visible()
    settled(page)
    way.press("Enter")
    expect(page.locator("h1")).to_have_text("Errors")
    expect(page.get_by_text("This address is of an earlier evaluation.")).to_be_visible()
