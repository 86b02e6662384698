"""The verdict on a video in the Errors view."""

from pathlib import Path

from analysis.evaluation import latest_evaluation
from analysis.evidence import evidence
from store.collection import open_collection
from tests.dashboard.conftest import View
from tests.dashboard.made_up import FINGERPRINT


def test_the_evidence_says_its_verdict_with_reasons(view: View, made_collection: Path) -> None:
    """The card of a video shows the verdict that the library gives, and each of its reasons."""
    test = view(made_collection, "errors")
    test.query_params["label"], test.query_params["predicted"] = "food", "food"
    test.run()
    assert not test.exception
    next(button for button in test.button if button.label == "Next").click().run()
    with open_collection(made_collection) as opened:
        found = latest_evaluation(opened.store, FINGERPRINT)
        assert found is not None
        verdict = evidence(found[1], test.query_params["video"], opened.store, FINGERPRINT).verdict
    shown = [text.value for text in test.text]
    assert str(verdict.kind).capitalize() in shown
    assert set(verdict.reasons) <= set(shown)
