"""Repeats of folds, and fragments that are read a part at a time."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import judging
from analysis.classifier import make_classifier
from analysis.dataset import load_dataset
from analysis.judging import deals_of, judge, reader_of
from quartzlens.errors import UsageError
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)
STORE = labelled_store(channels=4, per_channel=2, apart=0.7)
DATA = load_dataset(STORE, PRINT)


def logistic(seed):
    """Untrained."""
    return make_classifier("logistic", 3, seed)


def test_repeats_deal_anew_and_give_the_mean():
    """Probabilities of two repeats are the means of either alone, of videos and of fragments; folds are counted on."""
    deals, heard = deals_of(DATA, 4, 0, 2), []
    assert not np.array_equal(deals[0][0], deals[1][0])
    read = reader_of(STORE.fragments(PRINT))
    both = judge(logistic, DATA, deals, read, lambda *now: heard.append(now))
    first, second = (judge(logistic, DATA, [deal], read) for deal in deals)
    np.testing.assert_allclose(both.by_video, (first.by_video + second.by_video) / 2, atol=1e-6)
    np.testing.assert_allclose(both.by_fragment, (first.by_fragment + second.by_fragment) / 2, atol=1e-6)
    assert both.right == first.right + second.right
    assert heard == [(n, 8) for n in range(1, 9)]


def test_fragments_read_in_parts_are_those_read_at_once(monkeypatch):
    """How many videos are read at a time changes nothing, whether they come from memory or from the store."""
    deals = deals_of(DATA, 3, 0, 1)
    once = judge(logistic, DATA, deals, reader_of(STORE.fragments(PRINT)))
    monkeypatch.setattr(judging, "VIDEOS_AT_ONCE", 2)
    parts = judge(logistic, DATA, deals, lambda ids: STORE.fragments(PRINT, ids))
    for name in ("by_video", "owner", "bounds", "by_fragment"):
        np.testing.assert_array_equal(getattr(once, name), getattr(parts, name))
    assert once.owner.tolist() == np.repeat(np.arange(24), 3).tolist()


def test_published_folds_are_the_same_in_all_repeats_and_choices_are_told():
    """Only seeds differ then; the class weights that were chosen are told for each fold."""
    published = replace(DATA, folds=deals_of(DATA, 4, 0, 1)[0][0])
    deals = deals_of(published, 2, 7, 2)
    assert [seed for _, seed in deals] == [7, 1007]
    np.testing.assert_array_equal(deals[0][0], deals[1][0])
    make = lambda seed: make_classifier("logistic", 3, seed, class_weight="auto")  # noqa: E731
    assert len(judge(make, published, deals[:1], reader_of(STORE.fragments(PRINT))).chosen) == 4


def test_no_repeat_and_one_fold_are_wrong_usage():
    """Both are said in a sentence."""
    with pytest.raises(UsageError, match="0 repeats"):
        deals_of(DATA, 5, 0, 0)
    with pytest.raises(UsageError, match="at least 2"):
        deals_of(DATA, 1, 0, 1)
