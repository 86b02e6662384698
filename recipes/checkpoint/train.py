"""Makes the demo checkpoint: speech, training with CTC, training with scenes beside it, report.

    python -m recipes.checkpoint.train --work DIR

Every part goes on where an earlier start with the same folder stopped; see README.md in this folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from recipes.checkpoint.bank import BANK, make_bank
from recipes.checkpoint.batches import SceneBatches, SpeechBatches
from recipes.checkpoint.fourier import use_fourier
from recipes.checkpoint.model import build_model, load_weights, save_nemo
from recipes.checkpoint.speech import HELD_OUT_VARIANTS, VARIANTS, Split, make_split, read_split, without_texts
from recipes.checkpoint.training import Plan, Trainer, make_head
from recipes.checkpoint.transcribe import held_out_error_rate

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

PARTS = ("speech", "train", "scenes", "report")
DEMO_CHECKPOINT = Path(__file__).parents[2] / "quartzlens" / "demo" / "quartznet_demo.nemo"
N_HELD_OUT = 400


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line asked for."""

    work: Path
    out: Path
    seed: int
    clips: int
    steps: int
    batch: int
    scene_steps: int
    threads: int

    @property
    def speech(self) -> Path:
        """Give the folder of the generated speech."""
        return self.work / "speech"

    @property
    def phase1(self) -> Path:
        """Give the checkpoint trained with CTC alone."""
        return self.work / "phase1.nemo"

    @property
    def phase2(self) -> Path:
        """Give the checkpoint trained with scenes as well."""
        return self.work / "phase2.nemo"


def make_speech(settings: Settings) -> None:
    """Generate the two splits."""
    make_split(settings.speech, "held", N_HELD_OUT, settings.seed, HELD_OUT_VARIANTS)
    make_split(settings.speech, "train", settings.clips, settings.seed, VARIANTS)


def read_speech(settings: Settings) -> tuple[Split, Split]:
    """Open the training split, and the held-out split without sentences that the training split has too."""
    train = read_split(settings.speech, "train")
    return train, without_texts(read_split(settings.speech, "held"), train)


def at_save(model: EncDecCTCModel, held: Split, path: Path) -> Callable[[int], None]:
    """Make the function that is called at every save: write the checkpoint, and say how well it transcribes."""

    def save(step: int) -> None:
        save_nemo(model, path)
        rate = held_out_error_rate(model, held, 64, noisy=False)
        sys.stderr.write(f"step {step}: character error rate {rate:.3f} on 64 held-out clips\n")

    return save


def train_ctc(settings: Settings) -> None:
    """Train with CTC alone, from random weights."""
    train, held = read_speech(settings)
    model = build_model(settings.seed)
    use_fourier(model)
    plan = Plan("train", settings.steps, peak_rate=3e-3)
    batches = SpeechBatches(train, settings.batch, settings.steps, settings.seed)
    latest = settings.work / "phase1_latest.nemo"
    Trainer(model, None, plan, batches, settings.work / "phase1.state").run(at_save(model, held, latest))
    latest.replace(settings.phase1)


def train_scenes(settings: Settings) -> None:
    """Go on from the CTC weights with the second head, which must tell generated sound scenes apart."""
    make_bank(settings.speech, settings.seed)
    train, held = read_speech(settings)
    bank = read_split(settings.speech, BANK)
    model = build_model(settings.seed)
    load_weights(model, settings.phase1)
    use_fourier(model)
    plan = Plan("scenes", settings.scene_steps, peak_rate=1.5e-3, scene_weight=0.5)
    speech = SpeechBatches(train, settings.batch, settings.scene_steps, settings.seed + 1)
    batches = SceneBatches(speech, train, bank, settings.seed)
    head = make_head(len({clip.voice for clip in bank.clips}), settings.seed)
    latest = settings.work / "phase2_latest.nemo"
    Trainer(model, head, plan, batches, settings.work / "phase2.state").run(at_save(model, held, latest))
    latest.replace(settings.phase2)


def run_parts(settings: Settings, last: str) -> None:
    """Run the parts up to and with `last`, leaving out those whose result is there."""
    settings.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    torch.set_flush_denormal(True)
    for part in PARTS[: PARTS.index(last) + 1]:
        if part == "speech":
            make_speech(settings)
        elif part == "train" and not settings.phase1.exists():
            train_ctc(settings)
        elif part == "scenes" and not settings.phase2.exists():
            train_scenes(settings)
        elif part == "report":
            from recipes.checkpoint.report import write_report

            write_report(settings)


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m recipes.checkpoint.train", description=__doc__)
    parser.add_argument("--work", type=Path, help="folder for the speech, the training state and the weights")
    parser.add_argument("--out", type=Path, default=DEMO_CHECKPOINT, help="where the finished checkpoint goes")
    parser.add_argument("--until", choices=PARTS, default=PARTS[-1], help="the last part to run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=20_000, help="clips of generated speech to train on")
    parser.add_argument("--steps", type=int, default=6_000, help="steps with CTC alone")
    parser.add_argument("--batch", type=int, default=8, help="clips a step")
    parser.add_argument("--scene-steps", type=int, default=2_200, help="steps with scenes beside CTC")
    parser.add_argument("--threads", type=int, default=1, help="processor threads; one is best where others work too")
    parser.add_argument("--untrained", type=Path, metavar="OUT", help="only write the untrained network of the seed")
    return parser


def main() -> None:
    """Run the command line."""
    parser = make_parser()
    given = parser.parse_args()
    if given.untrained is not None:
        save_nemo(build_model(given.seed), given.untrained)
        return
    if given.work is None:
        parser.error("--work DIR is needed: the folder for the speech and the training state")
    settings = Settings(
        given.work, given.out, given.seed, given.clips, given.steps, given.batch, given.scene_steps, given.threads
    )
    run_parts(settings, given.until)


if __name__ == "__main__":
    main()
