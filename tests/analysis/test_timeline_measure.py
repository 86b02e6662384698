"""The timeline measured on videos that a person called of two categories."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.classifier import load_model, train, training_run
from analysis.dataset import load_dataset
from analysis.label_work import relabel, relabel_both
from analysis.timeline_measure import timeline_measure
from quartzlens.errors import CollectionError
from quartzlens.records import Run
from store.memory import MemoryStore
from tests.analysis.made_up_collections import fingerprint_of, labelled_store

PRINT = fingerprint_of(16)


def learned(store: MemoryStore) -> Run:
    """A regression of what has one category."""
    return training_run(train(load_dataset(store, PRINT), classifier="logistic"), PRINT, 0, store.info().labels)


def test_fragments_of_both_are_counted() -> None:
    """Shares and numbers are those of a plain count over the fragments of the videos that were called of both."""
    store = labelled_store()
    names = sorted({video.category for video in store.videos() if video.category})
    asked = [video.id for video in store.videos()][:3]
    for video_id in asked:
        relabel_both(store, video_id, names[:2])
    run = learned(store)
    found = timeline_measure(store, run, PRINT)
    assert found is not None
    pieces, model = store.fragments(PRINT, asked), load_model(run)
    said = [model.categories[at] for at in model.predict(pieces.matrix)]
    heard = [{name for name, of in zip(said, pieces.ids, strict=True) if of == one} for one in asked]
    assert (found.videos, found.fragments) == (3, len(said))
    assert found.right == pytest.approx(np.mean([name in names[:2] for name in said]))
    assert found.by_chance == pytest.approx(2 / len(names))
    assert found.whole == sum(set(names[:2]) <= one for one in heard)
    assert f"{found.fragments} fragments of 3 videos" in found.sentence


def test_a_video_that_was_learned_from_does_not_count() -> None:
    """A run that had learned from a video as of one category measures nothing by it, nor one without a model."""
    store = labelled_store()
    run = learned(store)
    names = sorted({video.category for video in store.videos() if video.category})
    first = store.videos()[0].id
    assert timeline_measure(store, run, PRINT) is None
    relabel_both(store, first, names[:2])
    assert timeline_measure(store, run, PRINT) is None
    again = learned(store)
    assert timeline_measure(store, again, PRINT) is not None
    assert timeline_measure(store, replace(again, files={}), PRINT) is None
    relabel(store, first, names[0])
    assert timeline_measure(store, again, PRINT) is None


def test_a_damaged_model_is_told() -> None:
    """What was kept and cannot be read is an error, not an empty measure."""
    store = labelled_store()
    run = learned(store)
    with pytest.raises(CollectionError):
        timeline_measure(store, replace(run, files=dict.fromkeys(run.files, b"damaged")), PRINT)
