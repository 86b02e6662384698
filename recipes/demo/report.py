"""What the finished demo collection is like, measured on its files: `python -m recipes.demo.report OUT_DIR`.

The files are decoded as any user's would be. How well simple measures tell the category is estimated out of fold, with
folds that never split a channel; the number to compare with is the share of the largest category.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.signal import stft
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recipes.demo.synth import SAMPLE_RATE_HZ

_BANDS, _COEFFICIENTS = 40, 20
_FOLD_SEEDS = range(5)


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of `videos.csv` with what its file holds."""

    row: dict[str, str]
    seconds: float
    loudness_dbfs: float
    peak: float
    longest_silence_seconds: float
    n_pictures: int
    cepstrum: NDArray[np.float64]


def measure(path: Path, row: dict[str, str]) -> Measured:
    """Decode one file, both tracks, and measure it."""
    with av.open(str(path)) as file:
        n_pictures = sum(1 for _ in file.decode(video=0))
        file.seek(0)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    sound = np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.float64)
    loudness = 10.0 * np.log10(np.mean(sound**2) + 1e-12)
    return Measured(
        row,
        len(sound) / SAMPLE_RATE_HZ,
        float(loudness),
        float(np.abs(sound).max()),
        _longest_silence(sound),
        n_pictures,
        cepstrum_statistics(sound),
    )


def _longest_silence(sound: NDArray[np.float64], floor_dbfs: float = -70.0) -> float:
    size = SAMPLE_RATE_HZ // 10
    powers = np.mean(sound[: len(sound) // size * size].reshape(-1, size) ** 2, axis=1)
    longest = current = 0
    for quiet in powers < 10.0 ** (floor_dbfs / 10.0):
        current = current + 1 if quiet else 0
        longest = max(longest, current)
    return longest / 10.0


def cepstrum_statistics(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the mean and standard deviation over time of 20 cepstral coefficients: (40,) float64."""
    _, _, spectrum = stft(sound, fs=SAMPLE_RATE_HZ, nperseg=400, noverlap=240, nfft=512)
    energies = np.log(_mel_bank() @ np.abs(spectrum) ** 2 + 1e-10)
    coefficients = dct(energies, axis=0, norm="ortho")[:_COEFFICIENTS]
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)])


def _mel_bank() -> NDArray[np.float64]:
    """Give (40, 257) float64: triangles whose corners are evenly spaced in mel."""
    top = 2595.0 * np.log10(1.0 + 8_000.0 / 700.0)
    corners = 700.0 * (10.0 ** (np.linspace(0.0, top, _BANDS + 2) / 2595.0) - 1.0)
    bins = np.linspace(0.0, 8_000.0, 257)
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def accuracy_by_channel(table: NDArray[np.float64], videos: list[Measured], *, forest: bool) -> float:
    """Give the out-of-fold accuracy of a simple classifier, the mean of five divisions into five folds by channel."""
    labels = np.array([video.row["category"] for video in videos])
    channels = np.array([video.row["channel"] for video in videos])
    hits = []
    for seed in _FOLD_SEEDS:
        trees = RandomForestClassifier(100, max_depth=4, random_state=seed)
        model = trees if forest else LogisticRegression(max_iter=2000)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        predicted = cross_val_predict(make_pipeline(StandardScaler(), model), table, labels, groups=channels, cv=folds)
        hits.append(float(np.mean(predicted == labels)))
    return round(float(np.mean(hits)), 3)


def summarise(videos: list[Measured], total_bytes: int) -> dict[str, Any]:
    """Give the report: counts, lengths, levels, and how well simple measures tell the category."""
    loudness = np.array([[video.loudness_dbfs] for video in videos])
    seconds = np.array([[video.seconds] for video in videos])
    cepstra = np.array([video.cepstrum for video in videos])
    measures = {"loudness": loudness, "seconds": seconds, "loudness_and_seconds": np.hstack([loudness, seconds])}
    measures["container"] = np.array([[float(video.row["path"].endswith("mp4"))] for video in videos])
    measures["cepstrum_statistics"] = cepstra
    categories = Counter(video.row["category"] for video in videos)
    return {
        "videos": len(videos),
        "mixed": sum(video.row["mixed"] == "yes" for video in videos),
        "total_megabytes": round(total_bytes / 1e6, 2),
        "total_seconds": round(float(seconds.sum()), 1),
        "seconds": _spread(seconds),
        "loudness_dbfs": _spread(loudness),
        "highest_peak": round(max(video.peak for video in videos), 3),
        "longest_silence_seconds": max(video.longest_silence_seconds for video in videos),
        "fewest_pictures": min(video.n_pictures for video in videos),
        "categories": dict(sorted(categories.items())),
        "channels": dict(sorted(Counter(video.row["channel"] for video in videos).items())),
        "containers": dict(sorted(Counter(Path(video.row["path"]).suffix[1:] for video in videos).items())),
        "majority_share": round(max(categories.values()) / len(videos), 3),
        "accuracy_by_channel": {
            name: {
                "logistic_regression": accuracy_by_channel(table, videos, forest=False),
                "random_forest": accuracy_by_channel(table, videos, forest=True),
            }
            for name, table in measures.items()
        },
    }


def _spread(values: NDArray[np.float64]) -> dict[str, float]:
    return {
        "lowest": round(float(values.min()), 2),
        "mean": round(float(values.mean()), 2),
        "highest": round(float(values.max()), 2),
    }


def write_report(collection_dir: Path, report_path: Path) -> None:
    """Measure every video that `videos.csv` names, print the report and write it as JSON."""
    with (collection_dir / "videos.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    videos = [measure(collection_dir / row["path"], row) for row in rows]
    total_bytes = sum((collection_dir / row["path"]).stat().st_size for row in rows)
    text = json.dumps(summarise(videos, total_bytes), indent=2)
    report_path.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    write_report(Path(sys.argv[1]), Path(__file__).with_name("report.json"))
