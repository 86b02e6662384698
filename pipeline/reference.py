"""The reference engine: NeMo's own front end and ``ConvASREncoder`` in torch, on the CPU or on a CUDA device."""

import queue
import re
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint
from pipeline.encoder import EncoderSettings, embedded_of, fingerprint_of, network_of
from pipeline.pooling import Sums, fragment_edges, sums_of
from pipeline.words import words_of
from quartzlens.errors import CheckpointError, UsageError
from quartzlens.records import Embedded, Fingerprint, Words

CUDA_BATCH = 32
_PRECISIONS = {"cpu": ("f32",), "cuda": ("f32", "amp-bf16", "amp-f16")}
_CLOSED = None


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    audio: NDArray[np.float32]
    embedded: Future[Embedded]


class ReferenceEncoder:
    """NeMo eager in torch. Batches hold clips of like length, padded and masked as NeMo does; on the CPU one clip.

    Of the clips that wait, those go first that are next in length to the oldest of them.

    The front end normalises over the whole clip, so fragments are pooled out of its one output and never encoded alone
    (NeMo ``FilterbankFeatures``, ``normalize: per_feature``). Modules load at the first clip.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda`` (``cuda:1``). On CUDA ``amp-bf16`` and ``amp-f16`` compute under autocast; a batch that does
        not fit into memory is halved, and so are those after it.
    batch
        Clips in a batch; None: 32 on CUDA, 1 on the CPU.
    words
        Whether to listen for words, where the checkpoint has a decoder and the last block is computed.

    Raises
    ------
    UsageError
        Settings that are not known, or that the device does not have; a CUDA device that torch does not have.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        settings: EncoderSettings,
        *,
        device: str = "cpu",
        batch: int | None = None,
        words: bool = True,
    ) -> None:
        kind = device.split(":", maxsplit=1)[0]
        if not re.fullmatch(r"(cpu|cuda)(:\d{1,3})?", device):
            raise UsageError(f"Device {device!r} is not known; use cpu or cuda.")
        self._fingerprint = fingerprint_of(checkpoint, settings)
        if settings.precision not in _PRECISIONS[kind]:
            known = " or ".join(_PRECISIONS[kind])
            raise UsageError(f"The reference engine computes in {known} on {kind}, not in {settings.precision}.")
        if kind == "cuda":
            _check_cuda(device)
        self._device = device
        self._checkpoint, self._network = checkpoint, network_of(checkpoint, settings.block)
        self._labels = checkpoint.labels if words and not self._fingerprint.block else []
        # Padding to a longer clip's length would change the answer of a network that is not local.
        self._batch = (batch or (CUDA_BATCH if kind == "cuda" else 1)) if self._network.local else 1
        self._modules: Any = None
        self._waiting: queue.SimpleQueue[_Clip | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """What makes this encoder's embeddings comparable."""
        return self._fingerprint

    @property
    def in_flight(self) -> int:
        """Two batches: one is computed while the other fills."""
        return 2 * self._batch

    @property
    def clip_gflop(self) -> float:
        """Work for 60 s of sound, in GFLOP."""
        return self._network.clip_gflop

    @property
    def share_of_peak(self) -> float:
        """Of a CPU; NeMo's separable convolutions wait for memory (measured, docs/benchmarks.md)."""
        return 0.15

    def load(self) -> None:
        """Build the modules."""
        if self._modules is None:
            self._modules = _Modules(self._checkpoint, self._network.ends, bool(self._labels), self._device)

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Embeddings of one clip to come, (n,) float32 at 16 kHz."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="reference encoder", daemon=True)
            self._thread.start()
        clip = _Clip(np.ascontiguousarray(audio, np.float32), Future())
        self._waiting.put(clip)
        return clip.embedded

    def close(self) -> None:
        """Finish what was submitted and not cancelled, and let go of the thread and the modules."""
        if self._thread is not None:
            self._waiting.put(_CLOSED)
            self._thread.join()
        self._thread = self._modules = None

    def _work(self) -> None:
        """Encode batch after batch of what waits, until closed."""
        waiting: list[_Clip] = []
        closed = False
        while not closed or waiting:
            closed = closed or self._gather(waiting)
            batch = _like_the_oldest(waiting, self._batch)
            waiting = [clip for clip in waiting if clip not in batch]
            self._answer([clip for clip in batch if clip.embedded.set_running_or_notify_cancel()])

    def _gather(self, waiting: list[_Clip]) -> bool:
        """Add what was submitted, up to ``in_flight`` and at least one clip; whether the engine was closed instead."""
        while len(waiting) < self.in_flight:
            try:
                clip = self._waiting.get(block=not waiting)
            except queue.Empty:
                return False
            if clip is _CLOSED:
                return True
            waiting.append(clip)
        return False

    def _answer(self, clips: list[_Clip]) -> None:
        """Fulfil the futures of a batch; what goes wrong is theirs to raise."""
        if not clips:
            return
        try:
            results = self.encode_batch([clip.audio for clip in clips])
        except BaseException as error:  # noqa: BLE001 -- carried over to whoever waits
            for clip in clips:
                clip.embedded.set_exception(error)
        else:
            for clip, result in zip(clips, results, strict=True):
                clip.embedded.set_result(result)

    def encode_batch(self, clips: list[NDArray[np.float32]]) -> list[Embedded]:
        """Embeddings of clips computed together. Where memory is short the batch is halved, down to one clip.

        Raises
        ------
        CheckpointError
            The checkpoint cannot be built, or the device has too little memory for a single clip.
        """
        import torch

        self.load()
        results: list[Embedded] = []
        while len(results) < len(clips):
            part = clips[len(results) : len(results) + self._batch]
            try:
                results += self._compute(part)
            except torch.OutOfMemoryError as error:
                if len(part) == 1:
                    raise CheckpointError(
                        f"{self._device} has too little memory for one clip: use --device cpu."
                    ) from error
                self._batch = max(1, len(part) // 2)
        return results

    def _compute(self, clips: list[NDArray[np.float32]]) -> list[Embedded]:
        outputs = self._modules.run(clips, self._fingerprint.precision)
        return [self._embedded(output, len(clip)) for output, clip in zip(outputs, clips, strict=True)]

    def _embedded(self, output: "_Output", n_samples: int) -> Embedded:
        edges = fragment_edges(output.n_steps, self._network.step_seconds)
        valid = output.last[: output.n_steps]
        sums = sums_of(valid, edges)
        if self._fingerprint.pooling == "mean3008":
            pads = self._modules.padded_steps(n_samples, self._network.strides) - output.n_steps
            padding = output.last[output.n_steps :][:pads].sum(axis=0) / max(1, pads)
            sums = Sums(sums.totals, sums.squares, padding, pads)
        heard = self._words(output, edges)
        return embedded_of(self._fingerprint, self._network.step_seconds, sums, edges, output.profile, heard)

    def _words(self, output: "_Output", edges: NDArray[np.int64]) -> tuple[Words, ...]:
        if output.tokens is None or output.probability is None:
            return ()
        return words_of(output.tokens, output.probability, self._labels, edges)


def _check_cuda(device: str) -> None:
    """Raise UsageError for a CUDA device that torch cannot compute on."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise UsageError("no CUDA device is available to torch: use --device cpu.")
    if int(device.partition(":")[2] or 0) >= count:
        raise UsageError(f"There is no {device}: torch has {count} CUDA devices, numbered from 0.")


def _like_the_oldest(clips: list[_Clip], batch: int) -> list[_Clip]:
    """``batch`` of the clips, by their length, among them the first: none waits for ever for others of its length."""
    if not clips:
        return []
    ordered = sorted(clips, key=lambda clip: len(clip.audio))
    start = min(ordered.index(clips[0]) // batch * batch, max(0, len(ordered) - batch))
    return ordered[start : start + batch]


@dataclass(frozen=True, slots=True, eq=False)
class _Output:
    """What the network says of one clip: ``last`` (t', c) has ``n_steps`` valid steps, then those that pad."""

    last: NDArray[np.float32]
    n_steps: int
    profile: dict[str, NDArray[np.float32]]
    tokens: NDArray[np.int64] | None
    probability: NDArray[np.float32] | None


class _Modules:
    """NeMo's modules of a checkpoint on a device."""

    def __init__(self, checkpoint: Checkpoint, ends: dict[str, int], words: bool, device: str) -> None:
        import torch

        self._preprocessor, encoder = (module.to(device) for module in checkpoint.build())
        self._blocks = encoder.encoder[: max(ends.values()) + 1]
        self._ends = {number: name for name, number in ends.items()}
        self._strides = [block.strides for block in checkpoint.layout.blocks]
        self._device = torch.device(device)
        if self._device.type == "cuda":  # or f32 would be rounded to 10 bits there, and not be the CPU's
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self._decoder: Any = None
        if words:
            weights = checkpoint.weights()
            self._decoder = [weights[f"decoder.decoder_layers.0.{part}"].to(device) for part in ("weight", "bias")]

    def padded_steps(self, n_samples: int, strides: int) -> int:
        """Steps of a clip by itself, with those that pad its features to the front end's multiple."""
        pad_to = int(self._preprocessor.featurizer.pad_to or 1)
        frames = n_samples // int(self._preprocessor.featurizer.hop_length) + 1
        return -(-(-(-frames // pad_to) * pad_to) // strides)

    def run(self, clips: list[NDArray[np.float32]], precision: str) -> list[_Output]:
        """Outputs of a batch of clips, (n,) float32 each."""
        import torch

        kinds = {"amp-bf16": torch.bfloat16, "amp-f16": torch.float16}
        reduced = torch.autocast(self._device.type, kinds[precision]) if precision in kinds else nullcontext()
        lengths = torch.tensor([len(clip) for clip in clips], device=self._device)
        signal = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in clips], batch_first=True)
        with torch.inference_mode():
            mel, n_frames = self._preprocessor(input_signal=signal.to(self._device), length=lengths)
            with reduced:
                outputs, counts = self._through(mel, n_frames)
            return [self._output(outputs, row, count) for row, count in enumerate(counts)]

    def _through(self, mel: Any, lengths: Any) -> tuple[dict[str, tuple[Any, list[int]]], list[int]]:
        """Output (n, c, t) of each named block with the clips' valid steps there; and those of the last."""
        panes, outputs = [mel], {}
        counts = [int(length) for length in lengths]
        for number, block in enumerate(self._blocks):
            panes, lengths = block((panes, lengths))
            # Counted here: without masks NeMo's blocks hand lengths on as they were, whatever the stride.
            counts = [-(-count // self._strides[number]) for count in counts]
            if number in self._ends:
                outputs[self._ends[number]] = (panes[-1], counts)
        return outputs, counts

    def _output(self, outputs: dict[str, tuple[Any, list[int]]], row: int, n_steps: int) -> _Output:
        import torch

        profile = {}
        for name, (output, counts) in outputs.items():
            valid = output[row, :, : counts[row]].float()
            profile[name] = torch.stack([valid.mean(1), valid.std(1, correction=0)]).cpu().numpy()
        last = outputs[list(outputs)[-1]][0][row].float()
        if self._decoder is None:
            return _Output(last.T.cpu().numpy(), n_steps, profile, None, None)
        weight, bias = self._decoder
        probability, tokens = torch.softmax(weight[:, :, 0] @ last[:, :n_steps] + bias[:, None], 0).max(0)
        return _Output(last.T.cpu().numpy(), n_steps, profile, tokens.cpu().numpy(), probability.cpu().numpy())
