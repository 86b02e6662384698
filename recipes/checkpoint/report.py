"""Measures the candidates, picks the weights that ship, and writes `report.json` beside this file."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.checkpoint.audible import (
    Collection,
    embed,
    loudness_and_duration,
    out_of_fold_accuracy,
    read_collection,
)
from recipes.checkpoint.model import SAMPLE_RATE_HZ, build_model, count_weights, load_weights
from recipes.checkpoint.speech import Split
from recipes.checkpoint.transcribe import NOISY_DB, held_out_error_rate

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

    from recipes.checkpoint.train import Settings

REPORT_FILE = Path(__file__).with_name("report.json")
VIDEOS_TABLE = Path(__file__).parents[2] / "quartzlens" / "demo" / "videos.csv"
ERROR_RATE_LIMIT = 0.30
WORTHWHILE_GAIN = 0.05
"""A smaller gain in accuracy is within the chance of 110 videos (one standard error is about 0.045)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was measured of one set of weights."""

    error_rate_clean: float
    error_rate_noisy: float
    category_accuracy: float

    def as_json(self) -> dict[str, float]:
        """Give the figures rounded for the report."""
        return {
            "character_error_rate_clean": round(self.error_rate_clean, 4),
            "character_error_rate_noisy": round(self.error_rate_noisy, 4),
            "demo_category_accuracy": round(self.category_accuracy, 4),
        }


def measure(model: EncDecCTCModel, held: Split, collection: Collection) -> Candidate:
    """Measure a set of weights on the held-out speech and on the demo collection."""
    n_clips = len(held.clips)
    return Candidate(
        held_out_error_rate(model, held, n_clips, noisy=False),
        held_out_error_rate(model, held, n_clips, noisy=True),
        out_of_fold_accuracy(embed(model, collection.waves), collection),
    )


def choose(candidates: dict[str, Candidate]) -> str:
    """Pick the weights that ship: plain CTC, unless the second phase makes the categories clearly better heard.

    Raises
    ------
    ValueError
        None of the trained weights has a character error rate below the limit.
    """
    good = [
        name
        for name in ("phase1", "phase2")
        if name in candidates and candidates[name].error_rate_clean < ERROR_RATE_LIMIT
    ]
    if not good:
        raise ValueError(f"no trained weights have a character error rate below {ERROR_RATE_LIMIT}: use more --steps")
    gain = candidates[good[-1]].category_accuracy - candidates[good[0]].category_accuracy
    return good[-1] if gain >= WORTHWHILE_GAIN else good[0]


def write_report(settings: Settings) -> None:
    """Measure untrained, CTC-only and scene-trained weights, put the chosen ones in place, write the report."""
    from recipes.checkpoint.train import read_speech

    train, held = read_speech(settings)
    collection = read_collection(VIDEOS_TABLE)
    model = build_model(settings.seed)
    candidates = {"untrained": measure(model, held, collection)}
    for path in (settings.phase1, settings.phase2):
        if path.exists():
            load_weights(model, path)
            candidates[path.stem] = measure(model, held, collection)
    chosen = choose(candidates)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings.work / f"{chosen}.nemo", settings.out)
    report = {
        **describe(settings, train, held),
        "weights": count_weights(model),
        "checkpoint_bytes": settings.out.stat().st_size,
        "checkpoint_sha256": hashlib.sha256(settings.out.read_bytes()).hexdigest(),
        "chosen": chosen,
        "candidates": {name: one.as_json() for name, one in candidates.items()},
        "demo_videos": len(collection.waves),
        "demo_loudness_and_duration_alone": round(
            out_of_fold_accuracy(loudness_and_duration(collection.waves), collection), 4
        ),
    }
    REPORT_FILE.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(json.dumps(report, indent=2) + "\n")


def describe(settings: Settings, train: Split, held: Split) -> dict[str, Any]:
    """Describe what was trained on what, and the command that does it again."""
    return {
        "command": (
            f"python -m recipes.checkpoint.train --work DIR --seed {settings.seed} --clips {settings.clips} "
            f"--steps {settings.steps} --batch {settings.batch} --scene-steps {settings.scene_steps}"
        ),
        "train": describe_split(train),
        "phase2_heard": "scenes by recipes/demo/scenes.py, of other seeds and parameters than the demo collection's",
        "held_out": {**describe_split(held), "noisy_speech_over_noise_db": list(NOISY_DB)},
    }


def describe_split(split: Split) -> dict[str, Any]:
    """Give a split's size in clips, hours and voices."""
    return {
        "clips": len(split.clips),
        "hours": round(sum(clip.length for clip in split.clips) / SAMPLE_RATE_HZ / 3600, 2),
        "voices": len({clip.voice for clip in split.clips}),
        "sentences": len({clip.text for clip in split.clips}),
    }
