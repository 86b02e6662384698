"""A bank of sound scenes for the second phase, made by the generators of the demo collection.

The generators are those of `recipes/demo/scenes.py`; the seeds, and so all parameters that a scene draws, are not those
of the demo collection: they start with a word of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from recipes.checkpoint.speech import Made, as_int16, write_split

BANK = "scenes"
TAKES_PER_SCENE = 80
TAKE_SECONDS = 8.0
_SEED_WORD = tuple(b"checkpoint")


def scene_names() -> tuple[str, ...]:
    """Give the names of the scenes, sorted."""
    from recipes.demo.scenes import SCENES

    return tuple(sorted(SCENES))


def make_take(number: int, seed: int) -> Made:
    """Make take `number`: 8 s of the scene whose turn it is; nothing is said, and the scene's name is the voice."""
    from recipes.demo.scenes import SCENES

    names = scene_names()
    name = names[number % len(names)]
    rng = np.random.default_rng([*_SEED_WORD, seed, number])
    return as_int16(SCENES[name](rng, TAKE_SECONDS)), "", name


def make_bank(folder: Path, seed: int) -> None:
    """Make the bank, unless it is there, in two processes."""

    def make(numbers: range) -> Iterable[Made]:
        with ProcessPoolExecutor(2) as pool:
            yield from pool.map(make_take, numbers, [seed] * len(numbers), chunksize=4)

    write_split(folder, BANK, TAKES_PER_SCENE * len(scene_names()), make)
