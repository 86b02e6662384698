"""Embedding by another block from the Classifier's Depth: there and back again."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import children, depth_embed
from dashboard.background import How
from quartzlens.records import Fingerprint, Json
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated, section
from tests.dashboard.made_up import BLOCK, FINGERPRINT, Wanted, embed_again, make_collection
from tests.dashboard.test_views import button, drawn, texts

SMALL = Wanted(videos=24, channels=8, media=False)
ALL = ["B1, mean", "B1, mean and deviation", "B2, mean", "B2, mean and deviation", "C3, mean", "C3, mean and deviation"]


def depths(folder: Path, encoder: Fingerprint, blocks: Sequence[str]) -> None:
    """Store an evaluation that measured these blocks."""
    with open_collection(evaluated(folder, encoder)) as collection:
        (run,) = collection.store.runs(collection.store.runs()[-1].id)
        accuracy = {"value": 0.5, "low": 0.4, "high": 0.6}
        facts: dict[str, Json] = {"n": 24, "accuracy": accuracy, "per_category": {}, "work": None, "dimension": 64}
        rows: list[Json] = [
            {"block": block, "position": position, "pooling": pooling, **facts}
            for position, block in enumerate(blocks)
            for pooling in ("mean", "mean_std")
        ]
        collection.store.add_run(replace(run, id="measured", results={**run.results, "depths": rows}))


def depth(view: View, folder: Path) -> AppTest:
    """The section Depth of the Classifier."""
    return drawn(section(view(folder, "classifier"), "Depth"))


def block(test: AppTest) -> tuple[list[str], str]:
    """What the box offers, and the one that it holds, as its words."""
    (box,) = (one for one in test.selectbox if one.label == "Block")
    return list(box.options), box.options[box.index or 0]


def test_the_block_in_use_is_marked_and_not_embedded_by_again(view: View, tmp_path: Path) -> None:
    """The box begins with the block in use and says so; the button waits for another."""
    depths(make_collection(tmp_path, SMALL), FINGERPRINT, ("B1", "B2", "C3"))
    test = depth(view, tmp_path)
    assert block(test) == ([*ALL[:4], "C3, mean (in use)", ALL[5]], "C3, mean (in use)")
    assert button(test, "Embed by this block").disabled
    next(one for one in test.selectbox if one.label == "Block").set_value(("B2", "mean"))
    assert not button(drawn(test.run()), "Embed by this block").disabled


@pytest.mark.parametrize("anew", [False, True])
def test_there_is_a_way_back_to_the_last_block(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, anew: bool
) -> None:
    """After an embedding by an earlier block all blocks are offered, with and without an evaluation of it."""
    depths(make_collection(tmp_path, SMALL), FINGERPRINT, ("B1", "B2", "C3"))
    embed_again(tmp_path)
    if anew:
        evaluated(tmp_path, BLOCK)
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(depth_embed, "begin", lambda *words: begun.append(words))
    test = depth(view, tmp_path)
    assert block(test) == ([*ALL[:2], "B2, mean (in use)", *ALL[3:]], "B2, mean (in use)")
    next(one for one in test.selectbox if one.label == "Block").set_value(("", "mean"))
    button(test.run(), "Embed by this block").click().run()
    how = ("--block", "", "--pooling", "mean", "--progress", "json")
    assert begun == [("reembed", "-c", str(tmp_path), *how)]


def test_what_is_embedded_is_offered_where_nothing_was_measured(view: View, tmp_path: Path) -> None:
    """Without any evaluation the box has what the collection is embedded by; with one encoder there is no box."""
    make_collection(tmp_path, SMALL)
    assert "Block" not in [one.label for one in depth(view, tmp_path).selectbox]
    embed_again(tmp_path)
    test = depth(view, tmp_path)
    assert "There is no evaluation yet" in texts(test)
    assert block(test) == (["B2, mean (in use)", "the last block, mean"], "B2, mean (in use)")


def test_an_embedding_that_ended_well_is_told(view: View, tmp_path: Path) -> None:
    """Depth says by what the collection is embedded now, beside the request to evaluate."""
    evaluated(make_collection(tmp_path, SMALL))
    embed_again(tmp_path)
    assert "Embedded by" not in texts(depth(view, tmp_path))
    work = children.background("reembed")
    work.start("checkpoint", "list")
    deadline = time.monotonic() + 60
    while work.how is How.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    said = texts(depth(view, tmp_path))
    assert "Embedded by B2, mean." in said
    assert "The last evaluation that is kept is of another encoder" in said
