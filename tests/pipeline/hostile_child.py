"""Opens every file of a folder as a checkpoint, with little memory, and prints what was said about each as JSON."""

import json
import resource
import sys
import time
from pathlib import Path

from pipeline.checkpoint import Checkpoint
from quartzlens.errors import CheckpointError

ADDRESSES_BYTES = 12 << 30  # torch alone takes several


def main(folder: Path) -> None:
    """Messages, seconds, and the most memory that was ever used beyond torch's own."""
    import torch

    torch.zeros(1)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_BYTES, ADDRESSES_BYTES))
    before = _peak_megabytes()
    said: dict[str, list[object]] = {}
    for path in sorted(folder.iterdir()):
        begun = time.monotonic()
        try:
            Checkpoint(path.stem, path).weights()
            message = "accepted"
        except CheckpointError as error:
            message = str(error)
        said[path.name] = [message, time.monotonic() - begun, _peak_megabytes() - before]
    print(json.dumps(said))


def _peak_megabytes() -> int:
    """Most memory that this process itself ever held (``ru_maxrss`` would count its parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


main(Path(sys.argv[1]))
