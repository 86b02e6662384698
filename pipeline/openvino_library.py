"""OpenVINO's package, imported so that it sends nothing home."""

import sys
from typing import Any


def load_openvino() -> Any:
    """The openvino package, without the statistics that it would send home.

    Its own stand-in takes over where the package ``openvino_telemetry`` cannot be imported.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino
