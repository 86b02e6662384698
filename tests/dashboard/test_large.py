"""Every view of collections with many categories, and of very many videos, without a browser."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.cells import Rank, behind, ranked
from analysis.evaluation import Evaluation, latest_evaluation
from dashboard import cells, errors_matrix
from store.collection import open_collection
from tests.dashboard.conftest import View
from tests.dashboard.large import Large, category, lay_out, make_large
from tests.dashboard.test_views import VIEWS, drawn, given, listed, specs, texts

MANY_CATEGORIES = Large(2_000, categories=200, channels=800)
MANY_VIDEOS = Large(100_000)


@pytest.fixture(scope="session")
def many_categories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 videos of 200 categories, evaluated."""
    return make_large(tmp_path_factory.mktemp("categories") / "many-categories", MANY_CATEGORIES)


@pytest.fixture(scope="session")
def many_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 videos of eight categories, evaluated."""
    folder = make_large(tmp_path_factory.mktemp("videos") / "many-videos", MANY_VIDEOS)
    lay_out(folder)
    return folder


def judged(folder: Path) -> Evaluation:
    """The evaluation that a collection keeps."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    return found[1]


def matrix(test: AppTest) -> dict:  # type: ignore[type-arg]
    """What the confusion matrix of Errors was given."""
    return next(data for data in map(json.loads, given(test)) if "rows" in data and "names" in data)


def opened(test: AppTest, label: str, predicted: str) -> AppTest:
    """Errors with this cell open."""
    test.query_params["label"], test.query_params["predicted"] = label, predicted
    return drawn(test.run())


def title(video_id: str) -> str:
    """Title of a video by its id."""
    return f"Video number {int(video_id[1:])} of many"


@pytest.mark.parametrize("view_name", VIEWS)
def test_two_hundred_categories_are_drawn(view: View, many_categories: Path, view_name: str) -> None:
    """Every view of a collection of 200 categories is drawn to its end."""
    test = drawn(view(many_categories, view_name))
    assert "many-categories · 2,000 videos" in texts(test)


def test_of_two_hundred_categories_the_matrix_shows_those_with_most_errors(view: View, many_categories: Path) -> None:
    """The matrix has 20 by 20 cells, says of how many categories, and any other cell can still be opened."""
    test, evaluation = view(many_categories, "errors"), judged(many_categories)
    data = matrix(drawn(test))
    assert data["names"] == errors_matrix.shown_categories(evaluation)
    assert [len(row["cells"]) for row in data["rows"]] == [errors_matrix.MOST_CATEGORIES] * 20
    assert "the 20 of 200 categories with most errors" in texts(test)
    hidden = next(category(n) for n in range(200) if category(n) not in data["names"])
    table = ranked(evaluation, behind(evaluation.predictions, hidden), Rank.CONFIDENCE)
    assert listed(opened(test, hidden, "")) == [title(one) for one in table["id"].head(cells.PAGE)]


def test_two_hundred_categories_have_twenty_colours(view: View, many_categories: Path) -> None:
    """The map's legend names what it can tell apart, and the table of figures names all categories."""
    spec = next(json.loads(one) for one in specs(drawn(view(many_categories, "map"))) if '"brush"' in one)
    domains = [layer["encoding"]["color"]["scale"]["domain"] for layer in spec["layer"]]
    assert all(len(domain) <= 21 for domain in domains)
    test = drawn(view(many_categories, "classifier"))
    (table,) = [frame.value for frame in test.dataframe if "precision" in frame.value]
    assert table["category"].tolist() == [category(n) for n in range(200)]
    assert "The 20 of 200 with the lowest f1; the table has all." in texts(test)


@pytest.mark.slow
def test_every_view_of_a_hundred_thousand_videos_is_drawn(view: View, many_videos: Path) -> None:
    """Who goes through the views finds each drawn, the videos counted, the map of all, and ten neighbours of one."""
    test = drawn(view(many_videos, "overview"))
    shown = texts(test).splitlines()
    assert [shown[shown.index(what) - 1] for what in ("rows in lists", "videos", "kept")] == ["100,000"] * 3
    for view_name in VIEWS[1:]:
        drawn(test.switch_page(f"views/{view_name}.py").run())
        assert "many-videos · 100,000 videos" in texts(test)
        assert "open: 100,000 embeddings" in texts(test)
        if view_name == "map":
            assert "UMAP of 100,000 videos" in texts(test)
            assert "The shades count all 100,000 points" in texts(test)
        if view_name == "similar":
            assert len([one for one in test.button if str(one.key).startswith("open-similar-")]) == 10


@pytest.mark.slow
def test_a_cell_of_a_hundred_thousand_videos_lists_the_first(view: View, many_videos: Path) -> None:
    """The matrix counts all videos; a cell lists its first fifty in their order, and leads to the rest."""
    evaluation = judged(many_videos)
    test = drawn(view(many_videos, "errors"))
    data = matrix(test)
    assert data["n"] == "100,000"
    counts = [[int(cell["main"].replace(",", "")) for cell in row["cells"]] for row in data["rows"]]
    assert counts == evaluation.confusion.tolist()
    for label, predicted in ((category(0), category(1)), (category(0), category(0)), (category(2), "")):
        table = ranked(evaluation, behind(evaluation.predictions, label, predicted), Rank.CONFIDENCE)
        opened(test, label, predicted)
        assert listed(test) == [title(one) for one in table["id"].head(cells.PAGE)]
        assert f"· {len(table):,}" in texts(test).splitlines()
        assert any(button.label == f"Show more ({len(table) - cells.PAGE:,})" for button in test.button)
