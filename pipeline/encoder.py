"""The encoder: 16 kHz sound in, embeddings out. NeMo's own modules in torch are the reference engine."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint
from pipeline.pooling import fragment_edges, mean_pool
from quartzlens.errors import UsageError
from quartzlens.records import Embedded, Fingerprint


class Encoder(Protocol):
    """What the runner needs of an engine."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What makes this encoder's embeddings comparable; cheap, nothing is loaded for it."""
        ...

    def encode(self, audio: NDArray[np.float32]) -> Embedded:
        """Embeddings of one clip, (n,) float32 at 16 kHz, at least 1 s; deterministic bit for bit on one machine."""
        ...


class NemoEncoder:
    """NeMo's front end and ``ConvASREncoder`` in torch on the CPU, the whole clip at once, mean over the valid steps.

    The front end normalises over the whole utterance, so fragments are pooled out of the one output and never
    encoded alone (NeMo ``FilterbankFeatures``, ``normalize: per_feature``). Modules load at the first ``encode``.

    Raises UsageError for a pooling or a precision that this engine does not have.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        start_seconds: float = 0.0,
        clip_seconds: float = 60.0,
        pooling: str = "mean",
        precision: str = "f32",
    ) -> None:
        if (pooling, precision) != ("mean", "f32"):
            raise UsageError(f"pooling {pooling!r} in precision {precision!r} is not known; use 'mean' in 'f32'.")
        self._checkpoint = checkpoint
        self._modules: tuple[Any, Any] | None = None
        self._fingerprint = Fingerprint(
            checkpoint_sha256=checkpoint.sha256,
            front_end=checkpoint.front_end,
            start_seconds=float(start_seconds),
            clip_seconds=float(clip_seconds),
            pooling=pooling,
            precision=precision,
            dimension=checkpoint.dimension,
            checkpoint_name=checkpoint.name,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """Checkpoint, front end, seconds, pooling and precision of every embedding that comes out."""
        return self._fingerprint

    @property
    def clip_gflop(self) -> float:
        """Work for 60 s of sound, in GFLOP."""
        return self._checkpoint.clip_gflop

    def encode(self, audio: NDArray[np.float32]) -> Embedded:
        """Embeddings of one clip, (n,) float32 at 16 kHz: pooled (d,), fragments (f, d) and their bounds in seconds."""
        steps = self.steps(audio)
        step_seconds = self._checkpoint.step_seconds
        edges = fragment_edges(len(steps), step_seconds)
        embedding, fragments = mean_pool(steps, edges)
        ends = edges * step_seconds + self._fingerprint.start_seconds
        bounds = np.stack([ends[:-1], ends[1:]], axis=1).astype(np.float32)
        return Embedded(self._fingerprint, embedding, fragments, bounds)

    def steps(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Valid output steps of the last block, (t, d) float32: padding steps are left out."""
        import torch

        preprocessor, encoder = self._load()
        with torch.inference_mode():
            signal = torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32))[None]
            mel, n_frames = preprocessor(input_signal=signal, length=torch.tensor([signal.shape[1]]))
            output, n_steps = encoder(audio_signal=mel, length=n_frames)
        return np.ascontiguousarray(output[0, :, : int(n_steps[0])].numpy().T)

    def _load(self) -> tuple[Any, Any]:
        if self._modules is None:
            self._modules = self._checkpoint.build()
        return self._modules
