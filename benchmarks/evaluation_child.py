"""``python -m benchmarks.evaluation_child WORK COUNT HOW``: one evaluation in a process of its own, as a line of JSON.

HOW is a classifier, ``skorch`` or ``cleanlab`` for the plain way, or ``network``: the original one alone, of 10 epochs,
in one process and without baselines, as memory does not hang on these. Printed are ``seconds``, ``peak`` (bytes, the
high-water marks of this process and those that it started), ``before`` (bytes at the beginning, with the embeddings),
``accuracy``.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from analysis import network, out_of_fold
from analysis.classifier import make_classifier
from analysis.evaluation import evaluate
from analysis.judging import deals_of, judge
from benchmarks.overlapping import dataset_of, fragments_of
from benchmarks.plain_ways import WAYS

EPOCHS = 10


def main(work: Path, count: int, how: str) -> None:
    """Measure, and print the answer."""
    dataset = dataset_of(work, count)
    before, began, accuracy = _bytes("VmRSS"), time.perf_counter(), None
    if how in WAYS:
        told = WAYS[how](dataset)
        if how == "skorch":
            accuracy = float((np.asarray(told).argmax(axis=1) == dataset.y).mean())
    elif how == "network":
        network.MAX_EPOCHS, out_of_fold.SIDE_BY_SIDE = EPOCHS, count + 1
        make = partial(make_classifier, "original", len(dataset.categories))
        said = judge(make, dataset, deals_of(dataset, 5, 0, 1), lambda ids: fragments_of(dataset, tuple(ids)))
        accuracy = said.right[0]
    else:
        found = evaluate(dataset, lambda ids: fragments_of(dataset, tuple(ids)), classifier=how)
        accuracy = found.metrics["accuracy"]["value"]  # type: ignore[index,call-overload]
    seconds = time.perf_counter() - began
    peak = sum(_bytes("VmHWM", one) for one in ("self", *_children()))
    print(json.dumps({"seconds": seconds, "peak": peak, "before": before, "accuracy": accuracy}))


def _children() -> list[str]:
    """Process ids of those that were started and are there."""
    threads = Path("/proc/self/task").iterdir()
    return [one for thread in threads for one in (thread / "children").read_text(encoding="utf-8").split()]


def _bytes(name: str, process: str = "self") -> int:
    """A number of a process's status; Linux alone has it."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
