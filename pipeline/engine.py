"""The default engine on the CPU: the exported network in OpenVINO, without NeMo or torch at run time."""

import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pipeline import calibration as calibrations
from pipeline.checkpoint import Checkpoint
from pipeline.encoder import EncoderSettings, Network, embedded_of, fingerprint_of, network_of
from pipeline.export import ARRAYS, NETWORK, Export, export, is_whole
from pipeline.front_end import FrontEnd, front_end
from pipeline.openvino_library import load_openvino
from pipeline.pooling import Sums, fragment_edges, members
from pipeline.products import may_use, products_of, read
from pipeline.words import words_of
from pipeline.worker import Worker, WorkerDiedError, WorkerKilledError
from quartzlens.cores import cores
from quartzlens.errors import CheckpointError, QuartzlensError, UsageError
from quartzlens.records import Embedded, Fingerprint

EXPORT_SECONDS = 1800.0
_STREAMS = 8
_PROFILE = "profile/"
_DAMAGED = (RuntimeError, ValueError, OSError, KeyError, EOFError, BadZipFile)


def has_bf16() -> bool:
    """Whether this machine's processor computes in bfloat16."""
    if not may_use("BF16", "AMX"):
        return False
    return "BF16" in load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoEncoder:
    """A checkpoint's network as OpenVINO runs it; exported at the first clip where the cache does not have it.

    Clips are computed side by side, each alone at its own length on one core, so a clip's embeddings do not depend on
    what else is in flight.

    Parameters
    ----------
    streams
        How many clips are computed at a time; 1 gives a single clip all cores. None: one for each core, at most 8.
    words
        Whether to listen for words, where the checkpoint has a decoder and the last block is computed.
    calibration
        For int8, the file of its calibration features.
    on_export
        Hears that the export begins, which takes half a minute.

    Raises
    ------
    UsageError
        Settings that are not known, or that this machine or engine does not have.
    CheckpointError
        Settings of the checkpoint that only the reference engine knows; or int8, not exported yet, without the clips
        that it was calibrated with.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        settings: EncoderSettings,
        *,
        streams: int | None = None,
        words: bool = True,
        calibration: Path | None = None,
        on_export: Callable[[], None] = lambda: None,
    ) -> None:
        self._fingerprint = fingerprint_of(checkpoint, settings)
        self._checkpoint, self._calibration, self._on_export = checkpoint, calibration, on_export
        self._network = network_of(checkpoint, settings.block)
        _check_runs(checkpoint, self._network, settings)
        self._export = self._what()
        if not self._is_exported():
            self._check_calibration()
        self._labels = checkpoint.labels if words and not self._fingerprint.block else []
        self._streams = streams or min(cores(), _STREAMS)
        self._compiled: _Compiled | None = None
        self._failed: QuartzlensError | None = None
        self._loading = threading.Lock()
        # One clip more than there are streams: its front end is computed while the others keep the cores busy.
        self._threads = ThreadPoolExecutor(self._streams + 1, thread_name_prefix="encoder")

    @property
    def fingerprint(self) -> Fingerprint:
        """What makes this encoder's embeddings comparable."""
        return self._fingerprint

    @property
    def in_flight(self) -> int:
        """Clips to have submitted: one waits for each that is computed."""
        return 2 * self._streams + 1

    @property
    def clip_gflop(self) -> float:
        """Work for 60 s of sound, in GFLOP."""
        return self._network.clip_gflop

    @property
    def share_of_peak(self) -> float:
        """Cautious: 0.8 was measured in float32, 1.2 and more in products of bfloat16 (docs/benchmarks.md)."""
        return 1.0 if self._export.products else 0.6

    def load(self) -> None:
        """Compile the network, exported before where the cache does not have it."""
        self._load()

    def submit(self, audio: NDArray[np.float32]) -> Future[Embedded]:
        """Embeddings of one clip to come, (n,) float32 at 16 kHz.

        The future raises CheckpointError where the checkpoint cannot be read, built, exported, kept or run.
        """
        return self._threads.submit(self._encode, audio)

    def close(self) -> None:
        """Finish what was submitted and not cancelled, and let go of threads and memory."""
        self._threads.shutdown()
        self._compiled = None

    def _encode(self, audio: NDArray[np.float32]) -> Embedded:
        compiled = self._load()
        mel = compiled.front_end.features(audio)
        steps = -(-mel.shape[1] // self._network.strides)
        edges = fragment_edges(steps, self._network.step_seconds)
        with compiled.request() as request:
            results = request.infer({"mel": mel[None], "members": members(edges)}, share_inputs=True)
            tables = {port.any_name: np.array(table) for port, table in results.items()}
        padded = -(-compiled.front_end.padded_frames(len(audio)) // self._network.strides)
        sums = Sums(tables["totals"], tables.get("squares"), compiled.padding, padded - steps)
        profile = {name.removeprefix(_PROFILE): one for name, one in tables.items() if name.startswith(_PROFILE)}
        heard = words_of(tables["tokens"], tables["probability"], self._labels, edges) if self._labels else ()
        return embedded_of(self._fingerprint, self._network.step_seconds, sums, edges, profile, heard)

    def _load(self) -> "_Compiled":
        with self._loading:
            if self._failed is not None:  # not once more for each clip
                raise self._failed
            if self._compiled is None:
                try:
                    self._compiled = self._open(self._exported())
                except QuartzlensError as error:
                    self._failed = error
                    raise
            return self._compiled

    def _open(self, folder: Path) -> "_Compiled":
        """The network in ``folder``; a damaged one is exported again, once."""
        try:
            return _Compiled(folder, self._checkpoint.front_end, self._streams, self._network.strides)
        except _DAMAGED:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            return _Compiled(self._exported(), self._checkpoint.front_end, self._streams, self._network.strides)
        except _DAMAGED as error:
            raise CheckpointError(f"The network in {folder} cannot be run ({error}): delete that folder.") from error

    def _exported(self) -> Path:
        """Folder of the exported network, made by a process of its own where it is not there."""
        if not self._is_exported():
            self._check_calibration()
            self._on_export()
            arguments = (self._checkpoint.path, self._checkpoint.name, self._export, self._calibration)
            try:
                with Worker(None) as worker:
                    worker.call(export, *arguments, timeout_seconds=EXPORT_SECONDS)
            except (WorkerDiedError, WorkerKilledError, OSError) as error:  # the last: no process could be started
                raise CheckpointError(f"{self._checkpoint.path} could not be exported: {error}.") from error
        return self._export.folder

    def _is_exported(self) -> bool:
        return (self._export.folder / NETWORK).is_file()

    def _check_calibration(self) -> None:
        """Refuse to make an int8 network without the clips of its fingerprint."""
        digest, path = self._fingerprint.calibration, self._calibration
        if digest and (path is None or not calibrations.is_whole(path, digest)):
            raise CheckpointError(
                f"The clips that int8 was calibrated with are not in {path}, or not as they were: "
                "`quartzlens reembed --precision int8` chooses them anew and embeds the collection by them, beside "
                "what is there, since other clips make another encoder."
            )

    def _what(self) -> Export:
        network, fingerprint = self._network, self._fingerprint
        return Export(
            checkpoint_sha256=fingerprint.checkpoint_sha256,
            end=max(network.ends.values()),
            strides=network.strides,
            ends=tuple(network.ends.items()),
            words=bool(self._checkpoint.labels) and not fingerprint.block,
            squares=fingerprint.pooling == "mean_std",
            precision=fingerprint.precision,
            pads_alike=network.pads_alike,
            calibration_sha256=fingerprint.calibration,
            products=products_of(fingerprint.precision),
        )


def _check_runs(checkpoint: Checkpoint, network: Network, settings: EncoderSettings) -> None:
    """Refuse what this engine or machine does not compute, before any work."""
    front_end(checkpoint.front_end)
    if settings.precision.startswith("amp-"):
        raise UsageError(f"{settings.precision} is computed on CUDA: use --device cuda, or another precision.")
    if settings.precision == "bf16" and not has_bf16():
        raise UsageError(
            "This processor does not compute in bf16: use f32 or int8 (`quartzlens reembed` changes a collection)."
        )
    if not network.local:
        raise CheckpointError(
            f"{checkpoint.path}: its convolutions are not masked, or it normalises over time, so that NeMo's padding "
            "is part of its answer: use --engine reference."
        )
    if settings.pooling == "mean3008" and not network.pads_alike:
        raise UsageError(
            f"mean3008 counts steps that only pad, and those of {settings.block or 'the last block'} depend on the "
            "sound: use another pooling, or --engine reference."
        )


class _Compiled:
    """An exported network ready to run, its front end, and its requests, one for each stream."""

    def __init__(self, folder: Path, settings: str, streams: int, strides: int) -> None:
        if not is_whole(folder):
            raise ValueError("a file in it is not as it was made")
        openvino = load_openvino()
        core = openvino.Core()
        options = {
            "INFERENCE_PRECISION_HINT": "f32",  # what is to be in another precision says so in the network itself
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": max(streams, cores()),
            "ENABLE_CPU_PINNING": False,
        }
        compiled = core.compile_model(read(core, folder / NETWORK), "CPU", options)
        with np.load(folder / ARRAYS) as arrays:
            self.padding: NDArray[np.float32] | None = arrays.get("padding")
            window, filterbank = arrays.get("window"), arrays.get("filterbank")
            self.front_end: FrontEnd = front_end(settings, window, filterbank)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(streams):
            self._idle.put(compiled.create_infer_request())
        self._first_call(strides)

    def _first_call(self, strides: int) -> None:
        """Run a second of nothing, alone: OpenVINO's binding fills its tables at the first call.

        Two first calls at once can wait for each other for ever, one with Python's lock, the other with the tables'.
        """
        mel = np.zeros((1, len(self.front_end.filterbank), 100), np.float32)
        with self.request() as request:
            request.infer({"mel": mel, "members": np.ones((1, -(-100 // strides)), np.float32)})

    @contextmanager
    def request(self) -> Iterator[Any]:
        """An inference request that nobody else uses, waited for."""
        request = self._idle.get()
        try:
            yield request
        finally:
            self._idle.put(request)
