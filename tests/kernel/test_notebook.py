"""``quartzlens.open``: the tables of ``export``, ids in any form, and nothing that is ignored without a word."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import quartzlens
from quartzlens.errors import UnknownVideoError, UsageError
from quartzlens.notebook import Opened
from tests.cli.in_process import command
from tests.cli.to_evaluate import make_to_evaluate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up collection."""
    return make_to_evaluate(tmp_path_factory.mktemp("notebook") / "c")


@pytest.fixture(scope="module")
def opened(folder: Path) -> Opened:
    """The made-up collection, opened."""
    return quartzlens.open(folder)


def test_videos_have_the_columns_that_are_exported(folder: Path, opened: Opened, tmp_path: Path) -> None:
    """Both have the description and every column of the lists."""
    file = tmp_path / "videos.parquet"
    assert command("export", "--what", "videos", file, "-c", folder).code == 0
    table = opened.videos()
    assert table.columns.tolist() == pd.read_parquet(file).columns.tolist()
    assert {"description", "camera"} < set(table.columns)


@pytest.mark.parametrize("form", [list, tuple, pd.Series, np.array, pd.Index])
def test_ids_are_any_row_of_texts(opened: Opened, form: type) -> None:
    """A list, a column of a table and an array are the same ids; one text is one id."""
    ids = form(["v13", "v2"])
    assert set(opened.fragments(ids)[0]["id"]) == {"v2", "v13"}
    assert set(opened.neighbours(1, ids)["id"]) == {"v2", "v13"}
    assert set(opened.fragments("v13")[0]["id"]) == set(opened.neighbours(1, "v13")["id"]) == {"v13"}


def test_an_unknown_id_is_an_error(opened: Opened) -> None:
    """No table is empty because an id is misspelt; no ids give no rows."""
    for ask in (opened.fragments, lambda ids: opened.neighbours(1, ids)):
        with pytest.raises(UnknownVideoError, match="No video 'nosuch' has an embedding"):
            ask(["v1", "nosuch"])
    fragments, vectors = opened.fragments([])
    assert (len(fragments), vectors.shape) == (0, (0, 16))


def test_nothing_that_was_asked_is_ignored(opened: Opened) -> None:
    """A second of an embedding, and an evaluation that no condition is about, are wrong usage."""
    vector = opened.embeddings()[1][0]
    with pytest.raises(UsageError, match="at_seconds is a second of a video"):
        opened.similar(vector, at_seconds=3)
    with pytest.raises(UsageError, match="evaluation typo is looked at only"):
        opened.similar("v1", run="typo")
    assert opened.similar("v1", 1, at_seconds=0)["id"].tolist() != ["v1"]
    assert opened.similar(vector, 1)["id"].tolist() == ["v1"]
