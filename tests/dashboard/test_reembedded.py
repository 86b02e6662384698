"""Every view of a collection whose encoder was changed: nothing of another encoder is shown as the present one's."""

from pathlib import Path

from tests.dashboard.conftest import View, evaluated, section, trained
from tests.dashboard.made_up import BLOCK, Wanted, embed_again, make_collection
from tests.dashboard.test_timeline import strip_of
from tests.dashboard.test_views import drawn, food_taken_for_food, texts

SMALL = Wanted(videos=24, channels=8, media=False)


def test_another_encoder_shows_on_the_next_action(view: View, tmp_path: Path) -> None:
    """An open page is of the new encoder at its next action, and tells it from the old one in words."""
    make_collection(tmp_path, SMALL)
    test = view(tmp_path, "overview")
    assert "demo checkpoint, mean of the last block, f32" in texts(test)
    embed_again(tmp_path)
    drawn(test.run())
    assert "demo checkpoint, mean of block B2, f32" in texts(test)
    assert "the last block" not in texts(test)
    (facts,) = [table.value for table in test.dataframe if "" in table.value.columns]
    assert facts.set_index("")["value"]["fingerprint"] == BLOCK.key


def test_the_choice_alone_moves_the_page(view: View, tmp_path: Path) -> None:
    """Going back to an encoder whose embeddings are all there changes collection.toml alone, and the page with it."""
    make_collection(tmp_path, SMALL)
    first = (tmp_path / "collection.toml").read_bytes()
    embed_again(tmp_path)
    test = view(tmp_path, "overview")
    assert "block B2" in texts(test)
    (tmp_path / "collection.toml").write_bytes(first)
    assert "the last block" in texts(test.run())


def test_the_overview_says_how_many_are_embedded(view: View, tmp_path: Path) -> None:
    """Where the encoder has embedded fewer videos than are kept, the overview and the frame say how many."""
    make_collection(tmp_path, SMALL)
    embed_again(tmp_path, left_out=4)
    shown = texts(drawn(view(tmp_path, "overview")))
    assert "20 of the 24 kept are embedded by demo checkpoint, mean of block B2, f32." in shown
    assert "open: 20 embeddings, exact search" in shown
    assert "of the 24 kept" not in texts(drawn(view(make_collection(tmp_path / "whole", SMALL), "overview")))


def test_an_evaluation_of_another_encoder_is_told_apart(view: View, tmp_path: Path) -> None:
    """Errors and Classifier show no figures of another encoder's evaluation: they name it and ask to evaluate anew."""
    evaluated(make_collection(tmp_path, SMALL))
    embed_again(tmp_path)
    told = "The last evaluation that is kept is of another encoder (demo checkpoint, mean of the last block, f32)."
    for name in ("errors", "classifier"):
        test = drawn(view(tmp_path, name))
        assert told in texts(test)
        assert "Out of fold" not in [heading.value for heading in test.subheader]
    test = drawn(section(view(tmp_path, "classifier"), "Runs"))
    assert test.dataframe[-1].value["encoder"].tolist() == ["demo checkpoint, mean of the last block, f32"]
    assert "ringed" not in texts(drawn(view(tmp_path, "map")))


def test_a_loss_curve_is_of_this_encoder(view: View, tmp_path: Path) -> None:
    """The curve of a training on another encoder's embeddings is not shown as the present one's."""
    make_collection(tmp_path, SMALL)
    test = drawn(trained(view(tmp_path, "classifier")))
    assert len(test.get("vega_lite_chart")) == 3  # the loss, what is beside it, each category
    embed_again(tmp_path)
    test = drawn(test.run())
    assert not test.get("vega_lite_chart")
    assert "The curve of the network's training appears here." in texts(test)


def test_the_strip_tells_the_words_of_its_own_encoder(view: View, tmp_path: Path) -> None:
    """The strip of a video's fragments has the words that were heard in them, as they are."""
    make_collection(tmp_path, SMALL)
    embed_again(tmp_path, heard="<b>the train</b> **now**")
    evaluated(tmp_path, BLOCK)
    test = food_taken_for_food(view(tmp_path, "errors"))
    fragments = strip_of(test)["fragments"]
    assert [one["heard"] for one in fragments] == ["<b>the train</b> **now**"] * len(fragments)
