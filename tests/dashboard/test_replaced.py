"""Another collection in the same folder is seen as such by a server that runs on."""

from pathlib import Path

from store.backup import back_up, restore
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import Wanted, make_collection
from tests.dashboard.test_views import VIEWS, drawn, texts


def test_another_collection_in_the_folder_is_another(view: View, tmp_path: Path) -> None:
    """Of one that takes the place of another, with the same revisions, nothing of the other is shown any more."""
    folder = make_collection(tmp_path / "c", Wanted(videos=12, channels=4, media=False))
    assert "UMAP of 12 videos" in texts(drawn(view(folder, "map")))
    folder.rename(tmp_path / "away")
    make_collection(folder, Wanted(categories=("cats", "dogs"), videos=16, channels=8, media=False))
    test = drawn(view(folder, "map"))
    assert "UMAP of 16 videos" in texts(test)
    assert "open: 16 embeddings" in texts(test)


def test_a_backup_that_was_put_back_is_shown(view: View, tmp_path: Path) -> None:
    """After a restore the evaluation that came after the backup is gone, and every view is drawn without it."""
    folder = make_collection(tmp_path / "c", Wanted(videos=24, channels=8, media=False))
    back_up(folder, tmp_path / "b")
    evaluated(folder)
    assert "Which categories are confused" in [one.value for one in drawn(view(folder, "errors")).subheader]
    restore(tmp_path / "b", folder, replace=True)
    for name in VIEWS:
        drawn(view(folder, name))
    assert "none was evaluated on these embeddings yet" in texts(view(folder, "errors"))
