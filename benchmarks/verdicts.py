"""How good verdicts, timelines and suggested label errors are: ``python -m benchmarks.verdicts DEMO ESC10``.

DEMO is a collection made by ``quartzlens demo -c DEMO``, ESC10 one made by ``quartzlens ingest $DATA/esc10/esc10.csv -c
ESC10``. The truth: the demo's segments.csv tells which seconds of its mixed videos are of which category; labels are
flipped and clips of ESC-10 planted on purpose, anew in each trial. Thresholds are chosen on half of the channels and
judged on the other half, and the other way round; what ships is chosen on all.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.dataset import load_dataset
from analysis.evaluation import Evaluation, evaluate, probability_columns
from analysis.evidence import background, evidence
from analysis.evidence_timeline import categories_of
from analysis.verdict import Grounds, Kind, Thresholds, verdict
from benchmarks import trials
from benchmarks.trials import Trial

TRUTHS = {Kind.LABEL_WRONG: "flipped", Kind.TWO_CATEGORIES: "mixed", Kind.UNKNOWN: "foreign"}
GRIDS: dict[str, Sequence[float]] = {
    "change": (0, 1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 10, 12),
    "gain": (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8),
    "quality": (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3),
    "outlier": (80, 85, 90, 92, 94, 95, 96, 97, 98, 99, 99.5),
}
MARGINS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)


@dataclass(frozen=True, slots=True)
class Case:
    """One video of one trial."""

    grounds: Grounds
    truth: str
    channel: str


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("esc10", type=Path)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--classifier", default="original")
    given = parser.parse_args()
    made = [trials.trial(given.demo, given.esc10, seed) for seed in range(given.trials)]
    cases = [case for number, one in enumerate(made) for case in cases_of(one, given.classifier, number)]
    shipped = chosen(cases)
    told = {
        "classifier": given.classifier,
        "trials": given.trials,
        "truths": dict(Counter(case.truth for case in cases)),
        "timeline": timeline_accuracy(trials.plain(given.demo), trials.segments(), given.classifier),
        "chosen on all": {name: getattr(shipped, name) for name in (*GRIDS, "margin")},
        "shipped": judged(cases, lambda _: Thresholds()),
        "half to choose, half to judge": crossed(cases),
    }
    print(json.dumps(told, indent=1))


def cases_of(one: Trial, classifier: str, seed: int) -> list[Case]:
    """The grounds of all verdicts of a trial, with the truth."""
    dataset = load_dataset(one.store, one.fingerprint)
    fragments = one.store.fragments(one.fingerprint, dataset.ids)
    evaluation = evaluate(dataset, fragments, classifier=classifier, seed=seed)
    known = background(one.store, one.fingerprint, evaluation)
    channel_of = {video.id: video.channel or video.id for video in one.store.videos()}
    cases = []
    for video_id in dataset.ids:
        found = evidence(evaluation, video_id, one.store, one.fingerprint, known)
        seen = found.timeline
        figures_of = (found.margin, found.label_quality, found.vote, found.outlier, seen.parted, found.change)
        grounds = Grounds(seen.category, seen.predicted, *figures_of)
        cases.append(Case(grounds, one.truths.get(video_id, "plain"), channel_of[video_id]))
    return cases


def timeline_accuracy(
    one: Trial, segments: Mapping[str, list[tuple[float, float, str]]], classifier: str
) -> dict[str, float]:
    """Share of fragments whose most probable category is the true one; beside it that of the video's own prediction."""
    dataset = load_dataset(one.store, one.fingerprint)
    evaluation = evaluate(dataset, one.store.fragments(one.fingerprint, dataset.ids), classifier=classifier)
    predicted = dict(zip(evaluation.predictions["id"], evaluation.predictions["predicted"], strict=True))
    label = dict(zip(evaluation.predictions["id"], evaluation.predictions["category"], strict=True))
    right: dict[str, list[bool]] = {"mixed": [], "mixed, by whole video": [], "plain": [], "plain, by whole video": []}
    for video_id, middle, heard in heard_in(evaluation):
        parts = segments.get(video_id)
        true = trials.category_at(parts, middle) if parts else label[video_id]
        kind = "mixed" if parts else "plain"
        right[kind].append(heard == true)
        right[f"{kind}, by whole video"].append(predicted[video_id] == true)
    return {name: round(float(np.mean(hits)), 3) for name, hits in right.items()} | {"n mixed": len(right["mixed"])}


def heard_in(evaluation: Evaluation) -> list[tuple[str, float, str]]:
    """Video, middle second and most probable category of every fragment."""
    table, names = evaluation.fragments, categories_of(evaluation)
    best = table[probability_columns(table)].to_numpy().argmax(axis=1)
    middle = (table["start_seconds"] + table["end_seconds"]) / 2
    return [(str(a), float(b), names[c]) for a, b, c in zip(table["id"], middle, best, strict=True)]


def chosen(cases: Sequence[Case]) -> Thresholds:
    """Thresholds with the best mean F1 of the kinds whose truth is known, one after the other, until none improves."""
    best = Thresholds(change=3.0, gain=0.5, quality=0.1, outlier=96.0, margin=0.0)
    score = mean_f1(cases, best)
    for _ in range(4):
        before = score
        for name, grid in GRIDS.items():
            tried = [replace(best, **{name: value}) for value in grid]
            scores = [mean_f1(cases, one) for one in tried]
            if max(scores) > score:
                score, best = max(scores), tried[int(np.argmax(scores))]
        if score == before:
            break
    return replace(best, margin=boundary(cases))


def boundary(cases: Sequence[Case]) -> float:
    """The widest margin below which no more than half of the plain videos are judged as labelled."""
    plain = [case.grounds for case in cases if case.truth == "plain"]
    unsure = [
        margin
        for margin in MARGINS
        if (below := [one.category == one.predicted for one in plain if one.margin < margin]) and np.mean(below) <= 0.5
    ]
    return max(unsure, default=MARGINS[0])


def mean_f1(cases: Sequence[Case], thresholds: Thresholds) -> float:
    """Mean F1 of the kinds whose truth is known."""
    found = judged(cases, lambda _: thresholds)
    return float(np.mean([found[str(kind)]["f1"] for kind in TRUTHS]))


def crossed(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """Figures on each half of the channels with the thresholds chosen on the other, five divisions together."""
    channels = sorted({case.channel for case in cases})
    pairs = []
    for seed in range(5):
        half = set(np.random.default_rng(seed).permutation(channels)[: len(channels) // 2].tolist())
        of_half = {side: [case for case in cases if (case.channel in half) == side] for side in (True, False)}
        for side, judges in of_half.items():
            thresholds = chosen(of_half[not side])
            pairs += [(case, verdict(case.grounds, thresholds).kind) for case in judges]
    return figures(pairs)


def judged(cases: Sequence[Case], thresholds: Callable[[Case], Thresholds]) -> dict[str, dict[str, float]]:
    """Precision and recall of each kind."""
    return figures([(case, verdict(case.grounds, thresholds(case)).kind) for case in cases])


def figures(pairs: Sequence[tuple[Case, Kind]]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of the kinds whose truth is known; of the others how many there are, and are errors."""
    told: dict[str, dict[str, float]] = {}
    for kind in Kind:
        given = [case for case, said in pairs if said is kind]
        if kind in TRUTHS:
            hits = sum(case.truth == TRUTHS[kind] for case in given)
            there = sum(case.truth == TRUTHS[kind] for case, _ in pairs)
            precision, recall = hits / max(len(given), 1), hits / max(there, 1)
            both = 2 * precision * recall / max(precision + recall, 1e-9)
            told[str(kind)] = {"n": len(given), "precision": precision, "recall": recall, "f1": both}
        else:
            wrong = [case.grounds.category != case.grounds.predicted for case in given]
            told[str(kind)] = {"n": len(given), "judged otherwise than labelled": float(np.mean(wrong or [0]))}
    return {name: {key: round(float(value), 3) for key, value in one.items()} for name, one in told.items()}


if __name__ == "__main__":
    main()
