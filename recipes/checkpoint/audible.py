"""How well the demo collection's categories can be heard at the last block: the measure that picks the weights."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import torch

from recipes.checkpoint.model import SAMPLE_RATE_HZ
from recipes.checkpoint.training import pool_valid

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

CLIP_SECONDS = 60.0
_SPLITS = 5
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Collection:
    """The demo collection as sound: (n,) float32 waves at 16 kHz, and each video's category and channel."""

    waves: tuple[np.ndarray, ...]
    categories: np.ndarray
    channels: np.ndarray


def decode(path: Path) -> np.ndarray:
    """Decode the first 60 s of a media file that the demo's own recipe made, to (n,) float32 mono at 16 kHz."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    parts: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts.extend(part.to_ndarray()[0] for part in resampler.resample(frame))
        parts.extend(part.to_ndarray()[0] for part in resampler.resample(None))
    return np.concatenate(parts)[: int(CLIP_SECONDS * SAMPLE_RATE_HZ)]


def read_collection(table: Path) -> Collection:
    """Read the demo collection from its `videos.csv` (columns path, category, channel; paths relative to it)."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return Collection(
        tuple(decode(table.parent / row["path"]) for row in rows),
        np.array([row["category"] for row in rows]),
        np.array([row["channel"] for row in rows]),
    )


def embed(model: EncDecCTCModel, waves: Sequence[np.ndarray]) -> np.ndarray:
    """Pool the last block over each wave's valid steps: (n, 1024) float32."""
    model.eval()
    pooled: list[np.ndarray] = []
    for wave in waves:
        with torch.inference_mode():
            length = torch.tensor([wave.size])
            mel, mel_length = model.preprocessor(input_signal=torch.from_numpy(wave)[None], length=length)
            encoded, steps = model.encoder(audio_signal=mel, length=mel_length)
            pooled.append(pool_valid(encoded, steps)[0].numpy())
    return np.stack(pooled)


def loudness_and_duration(waves: Sequence[np.ndarray]) -> np.ndarray:
    """Give what needs no network: mean and spread of the loudness in dB over 0.1 s frames, and seconds; (n, 3)."""
    rows = []
    for wave in waves:
        frames = wave[: wave.size // 1600 * 1600].reshape(-1, 1600)
        level = 10.0 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
        rows.append([level.mean(), level.std(), wave.size / SAMPLE_RATE_HZ])
    return np.array(rows)


def out_of_fold_accuracy(features: np.ndarray, collection: Collection) -> float:
    """Predict each category by logistic regression on standardised features, never with its own channel in training.

    Returns
    -------
    float
        Accuracy over stratified 5-fold splits by channel, averaged over 5 shufflings of the folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    accuracies = []
    for seed in range(_REPEATS):
        folds = StratifiedGroupKFold(_SPLITS, shuffle=True, random_state=seed)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        by_fold = cross_val_score(
            classifier, features, collection.categories, groups=collection.channels, cv=folds, scoring="accuracy"
        )
        accuracies.append(by_fold.mean())
    return float(np.mean(accuracies))
