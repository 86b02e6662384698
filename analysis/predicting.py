"""What a run's classifier says of videos that nobody labelled, and which of it should not be trusted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.metrics import probability_names
from analysis.runs import read_table
from analysis.same_embeddings import SAME
from analysis.weights import SavedClassifier
from quartzlens.errors import CollectionError, EncoderMismatchError, UsageError
from quartzlens.figures import how_many, percent
from quartzlens.records import Embeddings, Fingerprint, Label, Run
from store.base import Store
from store.labels import current_categories
from store.vectors import finite

COLUMNS = ("id", "title", "predicted", "probability", "outlier", "trusted", "why")
NEIGHBOURS = 10
OUTLIER = 99.0
DRAWN = 1000
_BLOCK = 500


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a classifier said of n videos.

    Attributes
    ----------
    table
        One row a video: ``id``, ``title``, ``predicted``, ``probability`` (of what is predicted), ``outlier`` (0..100:
        the share of the videos learned from that lie nearer to the others than this one does; NaN where fewer than two
        are left), ``trusted`` (bool), ``why`` (why not; empty where it is), and one float32 column for each category
        with its probability, named as in an evaluation's tables.
    trust
        How it was decided by probability.
    unlearned
        Categories of videos of the collection that the classifier never learned, sorted: it gives them another one.
    """

    table: pd.DataFrame
    trust: "Trust"
    unlearned: tuple[str, ...] = ()

    @property
    def untrusted_share(self) -> float:
        """The share of the n videos that the classifier should not be trusted on, 0..1; 0 of none."""
        return float(1 - self.table["trusted"].mean()) if len(self.table) else 0.0


def predict(
    store: Store,
    run: Run,
    model: SavedClassifier,
    fingerprint: Fingerprint,
    asked: Embeddings,
    titles: Mapping[str, str],
    wanted: float = 0.8,
    copies: pd.DataFrame | None = None,
    silent: Collection[str] = (),
) -> Predicted:
    """Predict categories of embeddings of ``fingerprint``, and say which predictions should not be trusted.

    A prediction is not trusted where its probability is below the one from which on the run was right as often as
    ``wanted`` on videos that its models had not seen (the run's table of accuracy against coverage); where the video
    lies farther from those learned from (by the cosine to the 10th nearest) than 99 % of them lie from one another; and
    where the classifier learned from the video itself or from its sound: another video's embedding is the same, or both
    are in one group of ``copies`` (the table of ``analysis.duplicates.duplicate_groups``). Nor are those
    of ``silent``, and those whose label is a category that the classifier never learned.

    Raises
    ------
    UsageError
        ``wanted`` is no share.
    EncoderMismatchError
        The run is of another encoder.
    """
    if not 0 < wanted <= 1:
        raise UsageError(f"An accuracy of {wanted:g} was asked for: it is more than 0, and 1 at most.")
    check_encoder(store, run, fingerprint)
    if damaged := [asked.ids[row] for row in np.flatnonzero(~finite(asked.matrix))]:
        raise CollectionError(
            f"The embeddings of {how_many(len(damaged), 'video')} are damaged ({', '.join(damaged[:5])}): "
            "`quartzlens check --repair` tells what can be done."
        )
    shares = model.predict_proba(asked.matrix) if asked.ids else np.zeros((0, len(model.categories)), np.float32)
    learned, trust = learned_from(store, run), trust_of(run, wanted)
    nearest, outlier = outliers(store, fingerprint, asked, learned)
    table = pd.DataFrame(
        {
            "id": np.array(asked.ids, dtype=object),
            "title": np.array([titles.get(video, "") for video in asked.ids], dtype=object),
            "predicted": np.array(model.categories, dtype=object)[shares.argmax(axis=1)],
            "probability": shares.max(axis=1, initial=0.0).astype(np.float64),
            "outlier": outlier,
        }
    )
    heard = _in_group_with(learned, copies) | {asked.ids[row] for row in np.flatnonzero(nearest >= SAME)}
    unlearned = _unlearned(store, model.categories)
    other = {one: f"its label '{label}' was never learned" for one, label in unlearned.items()}
    at_once = {**other, **dict.fromkeys(silent, "nothing to hear")}
    why = [_why(row, trust, learned, heard, at_once) for row in table.to_dict("records")]
    table["trusted"] = np.array([not reason for reason in why], dtype=bool)
    table["why"] = np.array(why, dtype=object)
    columns = pd.DataFrame(dict(zip(column_names(model.categories), shares.T, strict=True)))
    return Predicted(pd.concat([table, columns], axis=1), trust, tuple(sorted({*unlearned.values()})))


def check_encoder(store: Store, run: Run, fingerprint: Fingerprint) -> None:
    """Raise EncoderMismatchError where a run is of another encoder than ``fingerprint``; the message names both."""
    if run.fingerprint_key == fingerprint.key:
        return
    names = {encoder.key: str(encoder) for encoder in store.info().encoders}
    raise EncoderMismatchError(
        f"Run {run.id} learned from embeddings of {names.get(run.fingerprint_key, run.fingerprint_key)}, and those "
        f"asked about are of {fingerprint}: choose a run of this encoder (`quartzlens runs`), or go back by "
        "`quartzlens reembed`."
    )


def learned_from(store: Store, run: Run) -> frozenset[str]:
    """Ids of the videos that a run's classifier may have learned from, of those that are still there.

    An evaluation names them; of a training they are all that had one category by the labels that it saw (it set some of
    them aside to be tested on).
    """
    if "predictions.parquet" in run.files:
        return frozenset(map(str, read_table(run, "predictions.parquet")["id"]))
    history: dict[str, list[Label]] = {}
    for label in store.labels()[: run.labels_seen]:
        history.setdefault(label.video_id, []).append(label)
    return frozenset(video for video, given in history.items() if len(current_categories(given)) == 1)


def _unlearned(store: Store, categories: Sequence[str]) -> dict[str, str]:
    """Id -> label of the videos whose label is none of these categories."""
    labels = {video.id: video.category for video in store.videos() if video.category is not None}
    return {one: label for one, label in labels.items() if label not in categories}


def _in_group_with(learned: Collection[str], copies: pd.DataFrame | None) -> set[str]:
    """Videos that have the sound of one that was learned from, those included."""
    if copies is None:
        return set()
    groups = copies.loc[copies["id"].isin(list(learned)), "group"]
    return set(copies.loc[copies["group"].isin(groups), "id"])


def outliers(
    store: Store, fingerprint: Fingerprint, asked: Embeddings, learned: Collection[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How near each video lies to one learned from, and how far from them all, itself left out.

    Returns
    -------
    nearest
        Cosine to the nearest, (n,); NaN where there is none.
    outlier
        (n,) 0..100, NaN where fewer than two are left: by the cosine to the 10th nearest (or the farthest, where they
        are fewer) the share of those learned from, or of a fixed draw of 1,000, that lie nearer to the others.
    """
    known = store.embeddings(fingerprint, learned)
    if not known.ids:
        return np.full(len(asked.ids), np.nan), np.full(len(asked.ids), np.nan)
    k = max(1, min(NEIGHBOURS, len(known.ids) - 1))
    nearest, own = _nearness(store, fingerprint, asked, known.ids, k)
    if len(known.ids) < 2:
        return nearest, np.full(len(asked.ids), np.nan)
    some = np.arange(len(known.ids))
    if len(some) > DRAWN:
        some = np.sort(np.random.default_rng(0).choice(some, DRAWN, replace=False))
    drawn = Embeddings(tuple(known.ids[row] for row in some), known.matrix[some])
    theirs = np.sort(_nearness(store, fingerprint, drawn, known.ids, k)[1])
    # Similarities that differ by rounding alone are equal: a video is not farther than its own copy.
    nearer: NDArray[np.float64] = 100.0 - 100.0 * np.searchsorted(theirs, own + 1e-6, side="right") / len(theirs)
    return nearest, nearer


def _nearness(
    store: Store, fingerprint: Fingerprint, asked: Embeddings, among: Collection[str], k: int
) -> NDArray[np.float64]:
    """Cosine of each video to the nearest and to the k-th nearest of others: (2, n), NaN where there are none."""
    found = np.full((2, len(asked.ids)), np.nan)
    for start in range(0, len(asked.ids), _BLOCK):
        answers = store.search(fingerprint, asked.matrix[start : start + _BLOCK], k + 1, within=among)
        for at, neighbours in enumerate(answers, start):
            if others := [one.similarity for one in neighbours if one.video_id != asked.ids[at]]:
                found[:, at] = others[0], others[:k][-1]
    return found


@dataclass(frozen=True, slots=True)
class Trust:
    """From which probability on a run's predictions are trusted.

    Attributes
    ----------
    wanted
        The accuracy that is wanted of what is trusted.
    threshold
        The probability from which on the run's predictions of videos that its models had not seen were right so often;
        0 where the run does not tell, infinite where they never were.
    share
        The share of those videos that reached it; None where the run does not tell.
    sentence
        All this in words.
    """

    wanted: float
    threshold: float
    share: float | None
    sentence: str


def trust_of(run: Run, wanted: float) -> Trust:
    """Read from a run's table of accuracy against coverage from which probability on it is right as often as wanted."""
    table: Any = run.results.get("coverage") or []
    if not table:
        said = (
            f"Run {run.id} has no table of accuracy against coverage, as evaluations have: probabilities are not "
            "judged, only distances."
        )
        return Trust(wanted, 0.0, None, said)
    enough = [row for row in table if row["accuracy"]["value"] >= wanted]
    if not enough:
        least = min(row["share"] for row in table)
        said = (
            f"On videos that it had not seen the run was never right {percent(wanted)} of the time, not even on the "
            f"{percent(least)} that it was surest of: by probability nothing is trusted."
        )
        return Trust(wanted, float("inf"), 0.0, said)
    most = max(enough, key=lambda row: row["share"])
    said = (
        f"From a probability of {most['threshold']:.2f} on the run was right {percent(most['accuracy']['value'])} of "
        f"the time on videos that it had not seen; {percent(most['share'])} of them reached it."
    )
    return Trust(wanted, float(most["threshold"]), float(most["share"]), said)


def _why(
    row: Mapping[Any, Any], trust: Trust, learned: Collection[str], heard: Collection[str], at_once: Mapping[str, str]
) -> str:
    """Why a prediction is not to be trusted; empty where it is.

    ``heard`` have the sound of one of ``learned``; ``at_once`` has reasons that do not depend on what is predicted.
    """
    reasons = [at_once[row["id"]]] if row["id"] in at_once else []
    if row["id"] in learned:
        reasons.append("the classifier learned from it")
    elif row["id"] in heard:
        reasons.append("the classifier learned from its sound")
    if row["probability"] < trust.threshold:
        reasons.append("not sure enough")
    if row["outlier"] > OUTLIER:
        reasons.append("unlike the videos learned from")
    return ", ".join(reasons)


def column_names(categories: Sequence[str]) -> list[str]:
    """Names of the columns with probabilities: the category, but for names that the table uses otherwise.

    >>> column_names(["food", "title"])
    ['food', 'title (category)']
    """
    names = probability_names(categories)
    taken = {*COLUMNS, *categories}
    for at, name in enumerate(names):
        while name in COLUMNS or (name != categories[at] and name in taken):
            name += " (category)"  # noqa: PLW2901 - until it is free
        names[at] = name
    return names
