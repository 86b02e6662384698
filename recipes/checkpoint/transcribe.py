"""Greedy decoding and the character error rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from recipes.checkpoint.augment import disturb
from recipes.checkpoint.batches import NO_SCENE, collate
from recipes.checkpoint.model import LABELS
from recipes.checkpoint.speech import Split

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

NOISY_DB = (5.0, 15.0)
_BATCH = 16


def edit_distance(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn one text into the other.

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = np.arange(len(other) + 1)
    for i, letter in enumerate(one, start=1):
        above = row
        replaced = above[:-1] + (np.array(list(other), dtype="U1") != letter)
        row = np.concatenate([[i], np.minimum(replaced, above[1:] + 1)])
        offsets = np.arange(row.size)
        row = np.minimum.accumulate(row - offsets) + offsets  # insertions, from left to right
    return int(row[-1])


def character_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Divide the errors of all texts by the letters of what was said."""
    errors = sum(edit_distance(one, other) for one, other in zip(said, heard, strict=True))
    return errors / sum(len(text) for text in said)


def read_greedily(best: np.ndarray) -> str:
    """Turn the best label of each step, (steps,) int, into text: repeats fall together, then blanks fall out."""
    kept = best[np.concatenate([[True], best[1:] != best[:-1]])] if best.size else best
    return "".join(LABELS[number] for number in kept if number < len(LABELS))


def transcribe(model: EncDecCTCModel, waves: Sequence[np.ndarray]) -> list[str]:
    """Transcribe (n,) float32 waves at 16 kHz, in float32, without dither; the model is left in evaluation mode."""
    model.eval()
    texts: list[str] = []
    for start in range(0, len(waves), _BATCH):
        batch = collate(list(waves[start : start + _BATCH]), [""] * _BATCH, [NO_SCENE] * _BATCH)
        with torch.inference_mode():
            _, lengths, best = model.forward(input_signal=batch.waves, input_signal_length=batch.lengths)
        texts.extend(read_greedily(row[:length].numpy()) for row, length in zip(best, lengths, strict=True))
    return texts


def held_out_waves(split: Split, n_clips: int, noisy: bool) -> list[np.ndarray]:
    """Give the first held-out clips, clean, or disturbed at `NOISY_DB` by generators of their own."""
    waves = [split.waveform(index) for index in range(min(n_clips, len(split.clips)))]
    if not noisy:
        return waves
    return [disturb(np.random.default_rng([77, index]), wave, *NOISY_DB) for index, wave in enumerate(waves)]


def held_out_error_rate(model: EncDecCTCModel, split: Split, n_clips: int, noisy: bool) -> float:
    """Measure the character error rate on held-out clips, sorted by length to pad little."""
    waves = held_out_waves(split, n_clips, noisy)
    order = np.argsort([wave.size for wave in waves], kind="stable")
    heard = transcribe(model, [waves[index] for index in order])
    return character_error_rate([split.clips[index].text for index in order], heard)
