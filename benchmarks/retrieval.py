"""Whether similarity about the collection's mean ranks better: ``python -m benchmarks.retrieval COLLECTION...``.

Of each video, and of each fragment, the share of its ten nearest of other groups that have its category: by the plain
cosine, and by that of vectors less their mean. Seconds of the demo's mixed videos have the category of their part.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.dataset import load_dataset
from benchmarks import trials
from store.vectors import normalised

K = 10


def main() -> None:
    """Measure, and print a table."""
    print("| collection | what | plain cosine | about the mean |\n|---|---|---|---|")
    for folder in map(Path, sys.argv[1:]):
        made = trials.plain(folder)
        dataset = load_dataset(made.store, made.fingerprint)
        names, groups = np.array(dataset.categories, dtype=object)[dataset.y], dataset.groups.astype(str)
        fragments = made.store.fragments(made.fingerprint, dataset.ids)
        row_of = {video_id: row for row, video_id in enumerate(dataset.ids)}
        owner = np.array([row_of[video_id] for video_id in fragments.ids])
        parts = trials.segments()
        middle = fragments.bounds.mean(axis=1)
        heard = [
            trials.category_at(parts[one], second) if one in parts else names[row]
            for one, second, row in zip(fragments.ids, middle, owner, strict=True)
        ]
        told = ("videos", dataset.X, names, groups), ("fragments", fragments.matrix, np.array(heard), groups[owner])
        for what, matrix, of, group in told:
            cells = (precision(one, of, group) for one in (matrix, matrix - matrix.mean(axis=0)))
            print(f"| {folder.name} | {what} | {' | '.join(f'{cell:.3f}' for cell in cells)} |", flush=True)


def precision(matrix: NDArray[np.float32], names: NDArray[np.object_], groups: NDArray[np.str_]) -> float:
    """Share of the ten nearest of other groups that have the category."""
    unit = normalised(matrix)
    similarity = unit @ unit.T
    similarity[groups[:, None] == groups[None, :]] = -np.inf
    nearest = np.argsort(-similarity, axis=1)[:, :K]
    return float((names[nearest] == names[:, None]).mean())


if __name__ == "__main__":
    main()
