"""Batches for training: which clips, disturbed how, over which scene. Each depends on the seed and its step alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from recipes.checkpoint.augment import augment, mix
from recipes.checkpoint.model import LABELS
from recipes.checkpoint.speech import Split

NO_SCENE = -1
SPEECH_OVER_SCENE_DB = (0.0, 18.0)
_BATCHES_SORTED_TOGETHER = 16
_LETTERS = {letter: number for number, letter in enumerate(LABELS)}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one training step hears.

    waves: (b, n) float32, zero-padded; lengths: (b,) int64, in values; letters: (sum of letter_counts,) int64, all
    texts one after another; letter_counts: (b,) int64, 0 where nobody speaks; scenes: (b,) int64, `NO_SCENE` where no
    scene is to be told.
    """

    waves: torch.Tensor
    lengths: torch.Tensor
    letters: torch.Tensor
    letter_counts: torch.Tensor
    scenes: torch.Tensor


def encode_text(text: str) -> list[int]:
    """Give the numbers of a text's letters.

    >>> encode_text("a b'")
    [1, 0, 2, 27]
    """
    return [_LETTERS[letter] for letter in text]


def collate(waves: list[np.ndarray], texts: list[str], scenes: list[int]) -> Batch:
    """Put (n,) float32 waves, their texts and scenes into one batch."""
    lengths = [wave.size for wave in waves]
    padded = np.zeros((len(waves), max(lengths)), dtype=np.float32)
    for row, wave in enumerate(waves):
        padded[row, : wave.size] = wave
    letters = [encode_text(text) for text in texts]
    return Batch(
        torch.from_numpy(padded),
        torch.tensor(lengths),
        torch.tensor([number for numbers in letters for number in numbers], dtype=torch.long),
        torch.tensor([len(numbers) for numbers in letters]),
        torch.tensor(scenes),
    )


class SpeechBatches:
    """Batches of speech, half of it disturbed; clips of like length come together, to pad little.

    The share of disturbed clips rises from none to `disturbed_share` over the first third of the steps: a network
    that first hears clean speech finds the letters sooner.
    """

    def __init__(self, split: Split, batch: int, steps: int, seed: int, disturbed_share: float = 0.5) -> None:
        self._split, self._batch, self._steps, self._seed = split, batch, steps, seed
        self._disturbed_share = disturbed_share
        self._lengths = np.array([clip.length for clip in split.clips])
        self._order = lru_cache(maxsize=2)(self._epoch)

    def _epoch(self, epoch: int) -> np.ndarray:
        """Order the clips of one pass: (n_batches, batch) int64."""
        rng = np.random.default_rng([self._seed, 1, epoch])
        n_batches = self._lengths.size // self._batch
        order = rng.permutation(self._lengths.size)[: n_batches * self._batch]
        pool = self._batch * _BATCHES_SORTED_TOGETHER
        for start in range(0, order.size, pool):
            part = order[start : start + pool]
            order[start : start + pool] = part[np.argsort(self._lengths[part], kind="stable")]
        return order.reshape(n_batches, self._batch)[rng.permutation(n_batches)]

    def indices(self, step: int) -> np.ndarray:
        """Tell which clips step number `step` hears, (batch,) int64."""
        epoch, position = divmod(step, self._lengths.size // self._batch)
        return np.asarray(self._order(epoch)[position])

    def __call__(self, step: int) -> Batch:
        """Make the batch of a step."""
        rng = np.random.default_rng([self._seed, 2, step])
        share = self._disturbed_share * min(1.0, 3.0 * step / self._steps)
        clips = [int(index) for index in self.indices(step)]
        waves = [augment(rng, self._split.waveform(index), share) for index in clips]
        return collate(waves, [self._split.clips[index].text for index in clips], [NO_SCENE] * len(clips))


class SceneBatches:
    """Batches of which half is plain speech, a quarter speech over a scene, a quarter a scene alone.

    Parameters
    ----------
    speech : SpeechBatches
        Tells which spoken clips a step hears.
    split : Split
        The spoken clips.
    bank : Split
        Takes of scenes, each longer than any spoken clip; the name of the scene stands as the voice.
    seed : int
        Seed of what is drawn here.
    """

    def __init__(self, speech: SpeechBatches, split: Split, bank: Split, seed: int) -> None:
        self._speech, self._split, self._bank, self._seed = speech, split, bank, seed
        names = sorted({clip.voice for clip in bank.clips})
        self._numbers = [names.index(clip.voice) for clip in bank.clips]

    def __call__(self, step: int) -> Batch:
        """Make the batch of a step."""
        rng = np.random.default_rng([self._seed, 3, step])
        waves: list[np.ndarray] = []
        texts: list[str] = []
        scenes: list[int] = []
        for position, index in enumerate(self._speech.indices(step)):
            wave, text, scene = self._one(rng, position % 4, int(index))
            waves.append(wave)
            texts.append(text)
            scenes.append(scene)
        return collate(waves, texts, scenes)

    def _one(self, rng: np.random.Generator, kind: int, index: int) -> tuple[np.ndarray, str, int]:
        """Make one entry: kinds 0 and 1 are speech, 2 is speech over a scene, 3 a scene alone."""
        spoken, text = self._split.waveform(index), self._split.clips[index].text
        if kind < 2:
            return augment(rng, spoken, 0.4), text, NO_SCENE
        take = int(rng.integers(len(self._numbers)))
        scene = self._bank.waveform(take)
        start = int(rng.integers(0, scene.size - spoken.size + 1))
        scene = scene[start : start + spoken.size]
        if kind == 3:
            return augment(rng, scene, 0.0), "", self._numbers[take]
        return augment(rng, mix(spoken, scene, rng.uniform(*SPEECH_OVER_SCENE_DB)), 0.0), text, self._numbers[take]
