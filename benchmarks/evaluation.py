"""How long an evaluation takes, beside the plain way of a notebook, after a few new labels, and of 100,000 videos."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from analysis.dataset import Dataset
from analysis.evaluation import Evaluation, evaluate
from analysis.intervals import Resamples
from analysis.label_quality import suggested_errors
from analysis.leaks import leak_report
from analysis.probes import facts_of
from analysis.reuse import earlier_deal
from benchmarks.depths import seconds_of_all
from benchmarks.evaluation_child import EPOCHS
from benchmarks.overlapping import dataset_of, fragments_of
from benchmarks.report import Table
from benchmarks.sizes import size
from benchmarks.timing import seconds_of

_RELABELLED = 10


def tables(work: Path) -> list[Table]:
    """3,400 videos with all that is reported of them, the plain ways beside it; and many videos."""
    dataset = dataset_of(work, size(3_400, 300))
    first, evaluation = _steps(dataset)
    rows = [*first, *_beside(dataset, evaluation), *_again(dataset, evaluation)]
    return [
        Table("An evaluation, step by step", _note(dataset, evaluation), ("what", "s"), rows),
        _plain_table(work, dataset),
        _large_table(work),
    ]


def _note(dataset: Dataset, evaluation: Evaluation) -> str:
    accuracy: Any = evaluation.metrics["accuracy"]
    groups = len(set(dataset.groups.tolist()))
    return (
        f"{len(dataset.ids):,} generated videos of 12 fragments in {groups:,} channels, {dataset.X.shape[1]:,} "
        f"dimensions, {len(dataset.categories)} overlapping categories: the original network, five folds, all "
        f"baselines and 2,000 draws of groups; accuracy {accuracy['value']:.2f}. Under 60 s for all of it is wanted on "
        f"two cores.{_busy()}"
    )


def _busy() -> str:
    """What is to be said where others had the machine's cores at the same time."""
    load = os.getloadavg()[0]
    return f" The machine was busy (load {load:.0f}), so seconds are too many." if load > 1.5 * _cores() else ""


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _steps(dataset: Dataset) -> tuple[list[tuple[str, str]], Evaluation]:
    """Seconds of each step of one evaluation, and the evaluation."""
    marks = [("folds", time.perf_counter())]
    evaluation = _judged(dataset, on_step=lambda name: marks.append((name, time.perf_counter())))
    marks.append(("", time.perf_counter()))
    spans = pairwise(marks)
    named = {"folds": "five networks, videos and fragments", "metrics": "metrics, intervals, paired tests"}
    rows = [(named.get(name, f"baseline: {name}"), f"{end - began:.1f}") for (name, began), (_, end) in spans]
    return [*rows, ("**all of it**", f"{marks[-1][1] - marks[0][1]:.1f}")], evaluation


def _judged(dataset: Dataset, **more: Any) -> Evaluation:
    return evaluate(dataset, lambda ids: fragments_of(dataset, tuple(ids)), **more)


def _beside(dataset: Dataset, evaluation: Evaluation) -> list[tuple[str, str]]:
    """What a usual report adds, and the ranking of labels."""
    fold_of = evaluation.folds["fold_1"].to_numpy(dtype=np.int64)
    resamples, k = Resamples.of(dataset.groups), len(dataset.categories)

    def leaks() -> object:
        """The leak report without a random split."""
        about: Any = {"channels": dataset.channels, "copies": dataset.copies_found, "facts": facts_of(dataset.videos)}
        return leak_report(dataset.ids, dataset.X, dataset.y, k, fold_of, resamples, **about)

    added: dict[str, Callable[[], object]] = {
        "beside it: leaks": leaks,
        "labels that look wrong, from that evaluation": lambda: suggested_errors(evaluation),
    }
    rows = [(name, f"{seconds_of(action):.1f}") for name, action in added.items()]
    return [*rows, ("beside it: depths, 8 blocks by both poolings", f"{seconds_of_all(len(dataset.ids)):.1f}")]


def _again(dataset: Dataset, evaluation: Evaluation) -> list[tuple[str, str]]:
    """The same again, and after some new labels, in the folds of before."""
    y = dataset.y.copy()
    few = np.random.default_rng(0).choice(len(y), _RELABELLED, replace=False)
    y[few] = (y[few] + 1) % len(dataset.categories)

    def again(now: Dataset) -> str:
        """Seconds of another evaluation that takes over what it can."""
        deals = earlier_deal(evaluation.earlier, now, 0)
        return f"{seconds_of(lambda: _judged(now, deals=deals, earlier=evaluation.earlier)):.1f}"

    return [
        ("again, nothing changed", again(dataset)),
        (f"again, {_RELABELLED} videos relabelled, in the same folds", again(replace(dataset, y=y))),
    ]


def _plain_table(work: Path, dataset: Dataset) -> Table:
    """Each in a process of its own, so that threads and settings of one do not reach another."""
    count = len(dataset.ids)
    names = {
        "original": "quartzlens: grouped folds, fragments, five baselines, intervals",
        "skorch": "StratifiedKFold and skorch: probabilities alone",
        "logistic": "quartzlens, logistic regression, all as above",
        "cleanlab": "cross_val_predict and find_label_issues: which labels alone",
    }
    rows = [(named, *_measured(work, count, how)) for how, named in names.items()]
    note = (
        f"The same {count:,} videos, one after the other. The plain ways part channels, as they do unless told "
        f"of them, so theirs is the accuracy of a random split.{_busy()}"
    )
    return Table("Beside a notebook", note, ("what", "s", "accuracy", "peak", "beyond the embeddings"), rows)


def _large_table(work: Path) -> Table:
    count = size(100_000, 600)
    names = {
        "logistic": "logistic regression, all baselines and intervals",
        "network": f"the original network alone, stopped after {EPOCHS} epochs",
    }
    rows = [(named, *_measured(work, count, how)) for how, named in names.items()]
    note = (
        f"{count:,} generated videos of 12 fragments, five folds, each in a process of its own; "
        "fragments are read a thousand videos at a time. Copies are looked for before (see duplicates)."
        f"{_busy()}"
    )
    return Table("Many videos", note, ("what", "s", "accuracy", "peak", "beyond the embeddings"), rows)


def _measured(work: Path, count: int, how: str) -> tuple[str, str, str, str]:
    command = [sys.executable, "-m", "benchmarks.evaluation_child", str(work), str(count), how]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    facts = json.loads(answer.stdout.splitlines()[-1])
    accuracy = "" if facts["accuracy"] is None else f"{facts['accuracy']:.3f}"
    sizes = (facts["peak"], facts["peak"] - facts["before"])
    return f"{facts['seconds']:.1f}", accuracy, *(f"{one / 2**20:,.0f} MB" for one in sizes)  # type: ignore[return-value]
