"""The training loop: AdamW, one cycle of the learning rate, bfloat16 where it pays, state kept for a later start."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, ctc_loss

from recipes.checkpoint.batches import NO_SCENE, Batch
from recipes.checkpoint.model import EMBEDDING_DIM, LABELS
from recipes.checkpoint.progress import Progress

if TYPE_CHECKING:
    from nemo.collections.asr.models import EncDecCTCModel

_WARM_SHARE = 0.12
_FINAL_RATE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How one phase trains: its length, the peak learning rate, the weight of the scene loss."""

    name: str
    steps: int
    peak_rate: float
    scene_weight: float = 0.0
    save_every: int = 500


def rate_at(step: int, plan: Plan) -> float:
    """Give the learning rate of a step: a linear rise, then half a cosine down.

    >>> plan = Plan("p", 100, 1.0)
    >>> rate_at(12, plan), round(rate_at(100, plan), 3)
    (1.0, 0.01)
    """
    done = step / plan.steps
    if done < _WARM_SHARE:
        return plan.peak_rate * max(done / _WARM_SHARE, 0.02)
    fall = 0.5 * (1.0 + math.cos(math.pi * (done - _WARM_SHARE) / (1.0 - _WARM_SHARE)))
    return plan.peak_rate * (_FINAL_RATE_SHARE + (1.0 - _FINAL_RATE_SHARE) * fall)


def make_head(n_scenes: int, seed: int) -> nn.Linear:
    """Make the second head that tells scenes apart from the pooled last block; it is not part of the checkpoint."""
    torch.manual_seed(seed)
    return nn.Linear(EMBEDDING_DIM, n_scenes)


def pool_valid(encoded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Average (b, d, steps) over each row's valid steps: (b, d) float32."""
    valid = torch.arange(encoded.shape[-1])[None, :] < lengths[:, None]
    return (encoded.float() * valid[:, None, :]).sum(-1) / lengths[:, None].clamp(min=1)


def batch_loss(model: EncDecCTCModel, head: nn.Linear | None, batch: Batch, scene_weight: float) -> torch.Tensor:
    """Give the loss of a batch: CTC per letter, and with a head the cross entropy of the scenes."""
    with torch.no_grad():
        mel, mel_lengths = model.preprocessor(input_signal=batch.waves, length=batch.lengths)
    with torch.autocast("cpu", torch.bfloat16):
        encoded, lengths = model.encoder(audio_signal=mel, length=mel_lengths)
        log_probs = model.decoder(encoder_output=encoded)
    loss = ctc_loss(
        log_probs.float().transpose(0, 1), batch.letters, lengths.long(), batch.letter_counts,
        blank=len(LABELS), reduction="none", zero_infinity=True,
    )  # fmt: skip
    total = loss.sum() / batch.letter_counts.clamp(min=1).sum()
    if head is None:
        return total
    logits = head(pool_valid(encoded, lengths))
    return total + scene_weight * cross_entropy(logits, batch.scenes, ignore_index=NO_SCENE)


class Trainer:
    """Trains a model by a plan, going on where an earlier start with the same state file stopped.

    Parameters
    ----------
    model : EncDecCTCModel
        Trained in place.
    head : nn.Linear or None
        The second head of the scene phase.
    plan : Plan
        Length and rates.
    batches : Callable[[int], Batch]
        Step number to batch; must depend on the step alone, so that a later start repeats nothing and skips nothing.
    state_file : Path
        Where the state is kept.
    """

    def __init__(
        self,
        model: EncDecCTCModel,
        head: nn.Linear | None,
        plan: Plan,
        batches: Callable[[int], Batch],
        state_file: Path,
    ) -> None:
        self._model, self._head, self._plan, self._batches, self._state_file = model, head, plan, batches, state_file
        self._parts = nn.ModuleList([model] if head is None else [model, head])
        self._optimiser = torch.optim.AdamW(
            self._parts.parameters(), plan.peak_rate, betas=(0.9, 0.98), weight_decay=1e-3
        )

    def run(self, at_save: Callable[[int], None]) -> None:
        """Train to the end of the plan; `at_save` is called with the step count at every save."""
        first = self._restore()
        progress = Progress(self._plan.name, self._plan.steps, first)
        mean_loss: float | None = None
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self._batches, first)
            for step in range(first, self._plan.steps):
                batch, coming = coming.result(), pool.submit(self._batches, step + 1)
                loss = self._step(step, batch)
                mean_loss = loss if mean_loss is None else 0.98 * mean_loss + 0.02 * loss
                progress.advance(f"loss {mean_loss:.3f}")
                if (step + 1) % self._plan.save_every == 0 or step + 1 == self._plan.steps:
                    self._save(step + 1)
                    at_save(step + 1)

    def _step(self, step: int, batch: Batch) -> float:
        """Take one step, and give its loss."""
        self._model.train()
        for group in self._optimiser.param_groups:
            group["lr"] = rate_at(step, self._plan)
        loss = batch_loss(self._model, self._head, batch, self._plan.scene_weight)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parts.parameters(), 2.0)
        self._optimiser.step()
        return float(loss)

    def _save(self, step: int) -> None:
        """Keep the state, in one step, so that a stop in between leaves the earlier one."""
        state = {"step": step, "parts": self._parts.state_dict(), "optimiser": self._optimiser.state_dict()}
        partial = self._state_file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._state_file)

    def _restore(self) -> int:
        """Load the kept state, if there is one, and give the number of steps done."""
        if not self._state_file.exists():
            return 0
        state: dict[str, Any] = torch.load(self._state_file, weights_only=True)
        self._parts.load_state_dict(state["parts"])
        self._optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])
