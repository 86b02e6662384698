"""``docs/evaluate-json.md`` tells all that ``quartzlens evaluate --json`` prints, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import network
from tests.cli.in_process import answer
from tests.cli.schema import PAGE, documented, held
from tests.cli.to_evaluate import make_to_evaluate

RERUN_LACKS = {
    "leaks", "depths", "depths_missing", "depths_of_videos", "depth_choice", "learning_curve", "learning",
    "original_protocol", "settings", "run",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The made-up collection, and short trainings: what is printed has the same form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MAX_EPOCHS", 10)
        patch.setattr(network, "EPOCHS_WITHOUT_VALIDATION", 10)
        yield make_to_evaluate(tmp_path_factory.mktemp("schema") / "c")


@pytest.fixture(scope="module")
def documents(folder: Path) -> dict[str, Any]:
    """What evaluate prints by each report, with chosen weights and repeats, and with the preset."""
    logistic = ("evaluate", "-c", folder, "--classifier", "logistic")
    return {
        "full": answer(*logistic, "--report", "full", "--class-weight", "auto", "--repeats", "2"),
        "usual": answer(*logistic),
        "brief": answer("evaluate", "-c", folder, "--report", "brief", "--preset", "original", "--folds", "2"),
    }


def test_every_key_is_documented_and_every_documented_key_is_there(documents: dict[str, Any], folder: Path) -> None:
    """Documents fit the page's tables by key, type and range, and all that the tables hold is met in one of them."""
    tables = documented()
    met = {key for name, one in documents.items() for key in held(tables, "answer", one, name)}
    again = answer("evaluate", "-c", folder, "--rerun", documents["usual"]["run"])
    met |= set(held(tables, "rerun", again["rerun"], "rerun"))
    wanted = {f"{name}.{key}" for name, keys in tables.items() for key in keys}
    ways = {f"weights.{way}" for way in ("none", "balanced", "sampling")}
    assert met & ways
    assert wanted - met <= ways


def test_a_rerun_has_the_figures_and_what_it_says_of_them(documents: dict[str, Any], folder: Path) -> None:
    """Its document is that of an evaluation without the parts that the page names, and with one more."""
    again = answer("evaluate", "-c", folder, "--rerun", documents["usual"]["run"])
    assert documents["usual"].keys() - again.keys() == RERUN_LACKS - {"original_protocol"}
    assert again.keys() - documents["usual"].keys() == {"rerun"}
    assert again["rerun"]["not_made"] == ["leaks", "depths", "model"]


def test_the_promised_top_level_keys_are_there(documents: dict[str, Any]) -> None:
    """What scripts rely on is in every document, each depth with block, pooling and accuracy."""
    promised = {"baselines", "calibration", "coverage", "leaks", "groups", "depths", "learning_curve", "settings"}
    for name, one in documents.items():
        assert promised <= one.keys(), name
        assert set(one["accuracy"]) == {"value", "low", "high"}
    for name in ("usual", "full"):
        blocks = [(one["block"], one["pooling"]) for one in documents[name]["depths"]]
        assert blocks == [(block, pooling) for block in ("C1", "B1", "C2") for pooling in ("mean", "mean_std")]
        assert all(set(one["accuracy"]) == {"value", "low", "high"} for one in documents[name]["depths"])


def test_intervals_hold_their_values(documents: dict[str, Any]) -> None:
    """Wherever there are value, low and high, low <= value <= high (calibration errors apart: theirs are reflected)."""
    found = [one for one in metrics_in(documents) if not one[0].endswith(("calibration_error", ".error"))]
    assert len(found) > 300
    wrong = [name for name, one in found if not one["low"] - 1e-9 <= one["value"] <= one["high"] + 1e-9]
    assert wrong == []


def metrics_in(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, float]]]:
    """All metric objects of a document, with where they are."""
    if isinstance(value, dict) and value.keys() == {"value", "low", "high"}:
        yield name, value
    elif isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from metrics_in(one, f"{name}.{key}")


def test_links_of_the_page_lead_somewhere() -> None:
    """Every type that is a link names a heading of the page, and every table is linked to, but the whole and rerun."""
    text = PAGE.read_text()
    links = {target.replace("-", " ") for target in re.findall(r"\]\(#([^)]+)\)", text)}
    assert links | {"answer"} == documented().keys()
