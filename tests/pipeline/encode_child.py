"""Encode noise in a process of its own: ``python -m tests.pipeline.encode_child CHECKPOINT [POOLING]``; prints JSON."""

import hashlib
import json
import resource
import sys

from pipeline.checkpoint import open_checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder
from quartzlens.errors import QuartzlensError
from tests.pipeline.compared import noise


def main(name: str, pooling: str = "mean", largest_file_bytes: str = "") -> None:
    """Print the digest of the fragments, or the error, and which heavy modules were loaded."""
    if largest_file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file_bytes),) * 2)
    made = OpenVinoEncoder(open_checkpoint(name), EncoderSettings(pooling=pooling))
    answer: dict[str, object] = {}
    try:
        answer["digest"] = hashlib.sha256(encode(made, noise(7)).fragments.tobytes()).hexdigest()
    except QuartzlensError as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    made.close()
    heavy = ("nemo", "torch", "onnx", "openvino_telemetry")
    answer["loaded"] = [one for one in heavy if sys.modules.get(one) is not None]
    print(json.dumps(answer))


main(*sys.argv[1:])
