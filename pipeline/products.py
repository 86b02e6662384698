"""Convolutions whose products are of bfloat16 numbers and whose sums are in float32.

Processors with AMX multiply bfloat16 eight times as fast as float32, and add up in float32. ``bf16`` computes one such
product for each weight. Three stand in for float32: a number is split into the nearest bfloat16 and that of the rest,
and all parts are multiplied but the two rests. That keeps 16 bits of each product; embeddings were seen to differ from
float32's by 5e-11 in cosine at most, more than those of two float32 engines (1e-13), far less than what two front ends
make of it (1e-7). Source: Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype for
Higher-Precision Computations", ARITH 2019.

OpenVINO's public operations cannot say it: their convolution of bfloat16 is rounded to bfloat16, and their conversion
to it rounds half of the numbers down that are nearer to the next, which shifts every sum. Its CPU plugin runs both as
wanted if the operations are of its own set with free types, which is written into the exported file here (openvino
2026.4; tests/pipeline/test_products.py).
"""

import os
from collections.abc import Iterable
from functools import reduce
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from pipeline.openvino_library import load_openvino
from quartzlens.errors import CheckpointError

_FREE_TYPES = "type_relaxed_opset1"
_SUMS, _ROUNDED = "sums in float32: ", "rounded to bfloat16: "
_OUTPUTS = {_SUMS: ("f32", "FP32"), _ROUNDED: ("bf16", "BF16")}
_EVERYTHING = 3e38


def has_amx() -> bool:
    """Whether OpenVINO multiplies bfloat16 matrices in units of the processor's own; asked of Linux alone."""
    try:
        return may_use("AMX") and "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def may_use(*instructions: str) -> bool:
    """Whether the user lets OpenVINO's kernels use one of these sets of instructions (oneDNN's ONEDNN_MAX_CPU_ISA)."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "ALL")).upper()
    return limit in {"", "ALL", "DEFAULT"} or any(one in limit for one in instructions)


def products_of(precision: str) -> int:
    """How many products of bfloat16 numbers stand for one of float32 on this machine; 0 where float32 is computed.

    Three in ``f32``. One in ``bf16``, and for what ``int8`` leaves in float32, which moves its embeddings by 2e-5 in
    cosine at most (443 clips, demo checkpoint).
    """
    if precision == "bf16":
        return 1
    return {"f32": 3, "int8": 1}[precision] if has_amx() and _plugin() is not None else 0


def in_bf16(model: Any, convolutions: Iterable[Any], products: int) -> None:
    """Compute float32 convolutions of an OpenVINO model with constant weights by 1 or 3 products of bfloat16 numbers.

    The model has to be written by ``save`` and read by ``read`` to be what is meant.
    """
    rounded: dict[tuple[str, int], tuple[Any, Any]] = {}
    for number, convolution in enumerate(convolutions):
        source, name = convolution.input_value(0), f"{number} {convolution.get_friendly_name()}"
        key = (source.get_node().get_name(), source.get_index())
        if key not in rounded:
            rounded[key] = _nearest(source, name) if products == 1 else _parts(source, name)
        total = _sum_of_products(convolution, *rounded[key], name)
        for user in convolution.output(0).get_target_inputs():
            user.replace_source_output(total.output(0))
    model.validate_nodes_and_infer_types()


def _sum_of_products(convolution: Any, near: Any, rest: Any, name: str) -> Any:
    """What a convolution is replaced by."""
    from openvino import opset13 as ops

    weights = np.array(convolution.input_value(1).get_node().data)
    sizes = [convolution.get_attributes()[one] for one in ("strides", "pads_begin", "pads_end", "dilations")]
    terms: list[Any] = []
    for image, kernel in _factors(weights, near, rest):
        exact = ops.convert(ops.constant(kernel), "bf16")  # it is rounded already
        product = ops.convolution(image, exact, *sizes)
        product.set_friendly_name(f"{_SUMS}{len(terms)} {name}")
        terms.append(ops.convert(product, "f32"))
    return reduce(ops.add, terms)


def _nearest(source: Any, name: str) -> tuple[Any, None]:
    """A float32 output as the nearest bfloat16: as what a clamp leaves that cuts no finite number."""
    from openvino import opset13 as ops

    return _as_bf16(ops.clamp(source, -_EVERYTHING, _EVERYTHING), name), None


def _parts(source: Any, name: str) -> tuple[Any, Any]:
    """A float32 output in two parts of bfloat16: the nearest with its sign turned, and what is left when it is added.

    The sign makes of a subtraction, which OpenVINO would take apart, an addition.
    """
    from openvino import opset13 as ops

    turned = ops.clamp(ops.multiply(source, np.full((1, 1, 1), -1, np.float32)), -_EVERYTHING, _EVERYTHING)
    return _as_bf16(turned, f"near {name}"), _as_bf16(ops.add(source, turned), f"rest {name}")


def _as_bf16(node: Any, name: str) -> Any:
    from openvino import opset13 as ops

    node.set_friendly_name(_ROUNDED + name)
    return ops.convert(node, "bf16")


def _factors(weights: NDArray[np.float32], near: Any, rest: Any) -> list[tuple[Any, NDArray[np.float32]]]:
    """Images with the kernels that they are to be convolved with, the convolutions to be added up."""
    nearest = _bf16(weights)
    if rest is None:
        return [(near, nearest)]
    return [(near, -nearest), (near, -_bf16(weights - nearest)), (rest, nearest)]


def _bf16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The nearest bfloat16 of each number, as float32."""
    import torch

    return np.asarray(torch.from_numpy(values).bfloat16().float().numpy())


def save(model: Any, path: Path) -> None:
    """Write a model as OpenVINO's files (``path`` and a .bin beside it), with the types that are meant.

    Raises RuntimeError or OSError where they cannot be written.
    """
    load_openvino().save_model(model, path, compress_to_fp16=False)
    network = ET.parse(path)  # noqa: S314  # written by the line above
    for layer in network.iter("layer"):
        for prefix, types in _OUTPUTS.items():
            if layer.attrib["name"].startswith(prefix):
                _set_output(layer, *types)
    network.write(path, encoding="utf-8", xml_declaration=True)


def _set_output(layer: ET.Element, type_name: str, precision: str) -> None:
    """Make a layer one of the set with free types: inputs of any float type, calculated in float32, this output."""
    layer.attrib["version"] = _FREE_TYPES
    data = layer.find("data")
    ports = layer.findall("output/port")
    if data is None or len(ports) != 1:
        raise RuntimeError(f"{layer.attrib['name']} is not written as expected")
    data.attrib.update({"type_relax": "true", "input_data_types": "f32, f32", "output_data_types": type_name})
    ports[0].attrib["precision"] = precision


def read(core: Any, path: Path) -> Any:
    """The model in ``path`` as written by ``save``.

    Raises RuntimeError where it cannot be read, CheckpointError where OpenVINO is packaged otherwise than on PyPI.
    """
    if _FREE_TYPES in path.read_text(encoding="utf-8"):
        plugin = _plugin()
        if plugin is None:
            raise CheckpointError("OpenVINO's library for the CPU is not in its package: install openvino from PyPI.")
        core.add_extension(str(plugin))
    return core.read_model(path)


def _plugin() -> Path | None:
    """OpenVINO's library for the CPU, which has the operations with free types; None where it is elsewhere."""
    package = find_spec("openvino")
    if package is None or package.origin is None:
        return None
    return min((Path(package.origin).parent / "libs").glob("*openvino_*_cpu_plugin.*"), default=None)
