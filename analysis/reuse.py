"""What an evaluation can take over from one before: its folds, and what models said that would be trained the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.dataset import Dataset
from analysis.judging import Deal, Said
from analysis.metrics import probability_columns
from analysis.splits import folds_without_choice
from quartzlens.records import Json


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """An evaluation of before, as far as it can be taken over.

    Attributes
    ----------
    predictions, fragments, folds, settings
        As in ``analysis.evaluation.Evaluation``.
    """

    predictions: pd.DataFrame
    fragments: pd.DataFrame
    folds: pd.DataFrame
    settings: Mapping[str, Json]


def earlier_deal(earlier: Earlier, dataset: Dataset, seed: int) -> tuple[Deal, ...] | None:
    """The folds of an evaluation before, for the videos that are judged now: what differs then is the labels' doing.

    None where a video is new, or kept together with others than then; where it was dealt several times, or by published
    folds that part copies; or where, by the labels of now, a category would lie in a single fold.
    """
    then = earlier.folds
    if "fold_1" not in then or "fold_2" in then:
        return None
    row_of = {video_id: row for row, video_id in enumerate(then["id"])}
    rows = [row_of.get(video_id, -1) for video_id in dataset.ids]
    if -1 in rows or then["group"].to_numpy(dtype=object)[rows].tolist() != dataset.groups.tolist():
        return None
    fold_of = then["fold_1"].to_numpy(dtype=np.int64)[rows]
    if pd.Series(fold_of).groupby(dataset.groups).nunique().max() > 1:  # published folds that part copies
        return None
    spread = all(len(set(fold_of[dataset.y == category])) > 1 for category in np.unique(dataset.y))
    return ((fold_of, seed),) if spread and not folds_without_choice(dataset.y, fold_of) else None


def fold_keys(dataset: Dataset, deal: Deal, how: Sequence[str]) -> dict[int, str]:
    """A digest, for each fold, of all that its model's answers depend on.

    That is the videos learned from in their order, with labels and groups, the videos judged, the embeddings of both,
    the seed, and ``how`` the model is made (classifier, class weight, versions).
    """
    fold_of, seed = deal
    rows = [sha256(row.tobytes()).digest() for row in dataset.X]
    told = [
        "\0".join((video_id, dataset.categories[category], group)).encode(errors="surrogatepass")
        for video_id, category, group in zip(dataset.ids, dataset.y, dataset.groups, strict=True)
    ]
    start = sha256("\0".join([*how, str(seed), *dataset.categories]).encode(errors="surrogatepass"))
    judged = [video_id.encode() for video_id in dataset.ids]
    keys = {}
    for fold in np.unique(fold_of):
        digest = start.copy()
        for row, inside in enumerate((fold_of == fold).tolist()):
            digest.update(rows[row] + (b"judged" + judged[row] if inside else b"learned" + told[row]))
        keys[int(fold)] = digest.hexdigest()
    return keys


def taken_over(earlier: Earlier, keys: Mapping[int, str], dataset: Dataset, deal: Deal) -> dict[int, Said]:
    """What was said before of the folds that have the same key now, by fold."""
    kept = earlier.settings.get("fold_keys")
    same = [fold for fold, key in keys.items() if isinstance(kept, list) and key in kept]
    if not same:
        return {}
    columns, fold_of = probability_columns(earlier.predictions), deal[0]
    by_id = dict(zip(earlier.predictions["id"], earlier.predictions[columns].to_numpy(np.float32), strict=True))
    heard = earlier.fragments
    row_of = {video_id: row for row, video_id in enumerate(dataset.ids)}
    owner = np.array([row_of.get(video_id, -1) for video_id in heard["id"]], dtype=np.int64)
    bounds, said = heard[["start_seconds", "end_seconds"]].to_numpy(np.float32), heard[columns].to_numpy(np.float32)
    fold_of_fragment: NDArray[np.int64] = np.append(fold_of, fold_of.min() - 1)[owner]
    found = {}
    for fold in same:
        own, videos = fold_of_fragment == fold, np.flatnonzero(fold_of == fold)
        by_video = np.stack([by_id[dataset.ids[row]] for row in videos])
        found[fold] = Said(by_video, owner[own], bounds[own], said[own])
    return found
