"""The calibration set of an int8 network, kept as a collection keeps its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.calibration import calibration_file, own_front_end, write_calibration
from pipeline.checkpoint import Checkpoint


def calibrated(work: Path, checkpoint: Checkpoint, sounds: Sequence[NDArray[np.float32]]) -> tuple[Path, str]:
    """File of the features of ``sounds``, (n,) float32 at 16 kHz each, and its digest."""
    make = own_front_end(checkpoint)
    digest = write_calibration(work, [make.features(sound) for sound in sounds])
    return calibration_file(work, digest), digest
