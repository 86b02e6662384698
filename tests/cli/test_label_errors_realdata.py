"""Labels flipped on purpose on real clips, found again by the ranking of suggested label errors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.dataset import load_dataset
from analysis.evaluation import Evaluation, evaluate
from analysis.label_quality import suggested_errors
from analysis.label_work import relabel
from quartzlens.records import Fingerprint
from store.base import Store
from store.collection import current_fingerprint, open_collection
from tests.conftest import quartzlens

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


def judged(store: Store, fingerprint: Fingerprint) -> Evaluation:
    """Every clip judged by logistic regression of the other published folds."""
    dataset = load_dataset(store, fingerprint, "fold")
    return evaluate(dataset, store.fragments(fingerprint, dataset.ids), classifier="logistic")


def test_flipped_labels_are_found_on_esc10(
    data: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Of 5 % flipped labels 80 % are in the first 10 % of the ranking where accuracy is above 70 %, else half."""
    done = quartzlens("ingest", data / "esc10" / "esc10.csv", "-c", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    rng = np.random.default_rng(0)
    with open_collection(tmp_path / "c") as opened:
        fingerprint = current_fingerprint(opened)
        assert fingerprint is not None
        accuracy = float(np.mean(judged(opened.store, fingerprint).predictions.eval("category == predicted")))
        videos = opened.store.videos()
        names = sorted({video.category or "" for video in videos})
        flips = {videos[at].id for at in rng.choice(len(videos), 20, replace=False)}
        for video in opened.store.videos(flips):
            relabel(opened.store, video.id, str(rng.choice([name for name in names if name != video.category])))
        ranked = suggested_errors(judged(opened.store, fingerprint))["id"]
    found = len(flips & set(ranked[:40])) / len(flips)
    record_property("accuracy", accuracy)
    record_property("flips found in the first tenth", found)
    assert found >= (0.8 if accuracy > 0.7 else 0.5)
