"""Copies are looked for once for each state of the embeddings, and found again whatever happens to the file."""

import pandas as pd
import pytest

from analysis import copies_kept
from analysis.copies_kept import kept_copies
from analysis.duplicates import duplicate_groups, hardly_compared
from quartzlens.records import Label, LabelSource
from tests.analysis.test_duplicates import PRINT, heard, others, sound, store_of


@pytest.fixture
def sounds_store():
    """Twelve sounds of their own, one that is there twice, and one that is too short to be compared."""
    original = heard(sound(1))
    return store_of({**others(), "original": original, "copy": original + 0.7, "short": heard(sound(2, 5))})


@pytest.fixture
def counted(monkeypatch):
    """How often copies were looked for."""
    calls = []

    def looked(store, fingerprint, on_share):
        calls.append(fingerprint)
        return duplicate_groups(store, fingerprint, on_share)

    monkeypatch.setattr(copies_kept, "duplicate_groups", looked)
    return calls


def test_new_labels_find_what_was_kept(sounds_store, tmp_path, counted):
    """The same table, read from the file, as long as no embedding comes or goes; then one file is there, not two."""
    first = kept_copies(sounds_store, PRINT, tmp_path)
    assert len(first)
    pd.testing.assert_frame_equal(first, duplicate_groups(sounds_store, PRINT))
    sounds_store.add_labels([Label(first["id"].iloc[0], "food", LabelSource.PERSON, "", "2026-01-01T00:00:00+00:00")])
    pd.testing.assert_frame_equal(kept_copies(sounds_store, PRINT, tmp_path), first)
    assert len(counted) == 1
    assert hardly_compared(kept_copies(sounds_store, PRINT, tmp_path)) == hardly_compared(first) != ""
    sounds_store.remove([first["id"].iloc[0]])
    assert first["id"].iloc[0] not in set(kept_copies(sounds_store, PRINT, tmp_path)["id"])
    assert len(counted) == 2
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"PAR1nonsensePAR1", None])
def test_a_damaged_or_foreign_file_is_made_anew(sounds_store, tmp_path, content):
    """Whatever lies under the name, the answer is what the sounds say."""
    first = kept_copies(sounds_store, PRINT, tmp_path)
    (file,) = tmp_path.iterdir()
    if content is None:
        pd.DataFrame({"id": ["x"]}).to_parquet(file)
    else:
        file.write_bytes(content)
    pd.testing.assert_frame_equal(kept_copies(sounds_store, PRINT, tmp_path), first)
    assert pd.read_parquet(file)["id"].tolist() == first["id"].tolist()


def test_nothing_is_kept_where_nothing_can_be_written(sounds_store, tmp_path, counted):
    """A folder that is no folder costs the time of looking again, and no error."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    for _ in range(2):
        assert len(kept_copies(sounds_store, PRINT, blocked / "index"))
    assert len(counted) == 2


def test_without_embeddings_there_are_no_copies(sounds_store, tmp_path):
    """An empty table with its columns, and no file."""
    assert kept_copies(sounds_store, None, tmp_path).empty
    assert not list(tmp_path.iterdir())
