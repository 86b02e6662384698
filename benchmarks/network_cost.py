"""What parts of one clip's way through the encoder cost: the front end, and the depth profile inside of the network."""

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.models import clips, full_size
from benchmarks.report import Table, milliseconds
from benchmarks.rivals import fed, onnx_bytes
from benchmarks.timing import in_turn, median_ratio, seconds_of
from pipeline.checkpoint import Checkpoint
from pipeline.engine import cores, has_bf16
from pipeline.front_end import front_end
from pipeline.openvino_library import load_openvino
from pipeline.precision import in_precision
from pipeline.products import products_of, read, save

_ROUNDS = 15
_NOTE = f"""\
Clips of 60 s on all cores, the fastest of {_ROUNDS} rounds in turn: a few percent are less than what other work on the
machine takes from a round. At most 1.03 is wanted for the depth profile, and at least 5 for
the whole network beside that to B2."""


def network_table(work: Path) -> Table:
    """Front ends on one core, and the network with and without the depth profile in each precision."""
    checkpoint = full_size(work)
    rows = _front_ends(checkpoint)
    for precision in ["f32", *(["bf16"] if has_bf16() else [])]:
        whole, of_whole = _profile(checkpoint, work, precision, "")
        cut, of_cut = _profile(checkpoint, work, precision, "B2")
        rows += of_whole + of_cut
        rows.append((f"network, {precision}", milliseconds(whole), "network to B2, both with it", f"{whole / cut:.2f}"))
    return Table("Parts", _NOTE, ("what", "ms a clip", "against", "times"), rows)


def _front_ends(checkpoint: Checkpoint) -> list[tuple[str, ...]]:
    """Ours on one core beside NeMo's on one core."""
    import torch

    preprocessor, _ = checkpoint.build()
    torch.set_num_threads(1)
    own, sound = front_end(checkpoint.front_end), clips(1)[0]
    signal, length = torch.from_numpy(sound)[None], torch.tensor([len(sound)])

    def nemo() -> object:
        with torch.inference_mode():
            return preprocessor(input_signal=signal, length=length)

    own.features(sound)
    nemo()
    taken = in_turn(
        {"front end": partial(seconds_of, partial(own.features, sound)), "NeMo": partial(seconds_of, nemo)}, _ROUNDS
    )
    faster = f"{median_ratio(taken['NeMo'], taken['front end']):.2f}"
    return [
        ("front end, one core", milliseconds(statistics.median(taken["front end"])), "NeMo's front end", faster),
        ("NeMo's front end, one core", milliseconds(statistics.median(taken["NeMo"])), "", ""),
    ]


def _profile(checkpoint: Checkpoint, work: Path, precision: str, block: str) -> tuple[float, list[tuple[str, ...]]]:
    """Seconds a clip with the depth profile, and the rows with and without it."""
    inputs = [fed(checkpoint, sound) for sound in clips(2 * cores())]
    actions = {
        name: _running(onnx_bytes(checkpoint, work, profile=name == "with", block=block), precision, inputs)
        for name in ("without", "with")
    }
    for action in actions.values():
        action()
    taken = in_turn({name: partial(seconds_of, action) for name, action in actions.items()}, _ROUNDS)
    what = f"network{' to ' + block if block else ''}, {precision}"
    fastest = {name: min(values) / len(inputs) for name, values in taken.items()}
    share = f"{fastest['with'] / fastest['without']:.3f}"
    rows = [
        (f"{what}, without the profile", milliseconds(fastest["without"]), "", ""),
        (f"{what}, with it", milliseconds(fastest["with"]), "without it", share),
    ]
    return fastest["with"], rows


def _running(content: bytes, precision: str, inputs: list[dict[str, NDArray[np.float32]]]) -> Callable[[], object]:
    """One run over all inputs, as many at a time as there are cores, as the engine compiles it."""
    core = load_openvino().Core()
    model = in_precision(core.read_model(content), precision, None, 1, products_of(precision))
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": cores(),
        "INFERENCE_NUM_THREADS": cores(),
        "ENABLE_CPU_PINNING": False,
    }
    with TemporaryDirectory() as folder:
        save(model, Path(folder) / "network.xml")
        compiled = core.compile_model(read(core, Path(folder) / "network.xml"), "CPU", options)
    threads = ThreadPoolExecutor(cores())

    def infer(one: dict[str, NDArray[np.float32]]) -> Any:
        return compiled.create_infer_request().infer(one, share_inputs=True)

    return lambda: list(threads.map(infer, inputs))
