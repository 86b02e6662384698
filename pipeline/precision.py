"""A network in each precision: how its large convolutions are computed; all else stays in float32."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.calibration import read_calibration
from pipeline.products import in_bf16
from quartzlens.errors import CheckpointError


def in_precision(model: Any, precision: str, calibration: Path | None, strides: int, products: int) -> Any:
    """An OpenVINO model with its constants folded, in ``f32``, ``bf16`` or ``int8``.

    ``calibration`` is the file with an int8 model's calibration features (``pipeline.calibration``), ``strides`` how
    many of its frames make one step, ``products`` how many of bfloat16 numbers a weight is computed with, 0 for float32
    itself (``pipeline.products``). Raises CheckpointError for int8 without that file.
    """
    _fold(model)
    if precision == "int8":
        if calibration is None:
            raise CheckpointError("int8 needs calibration features: use `quartzlens reembed --precision int8`.")
        model = _quantised(model, calibration, strides)
    if products:
        in_bf16(model, _wide_convolutions(model), products)
        _fold(model)
    return model


def _fold(model: Any) -> None:
    from openvino.passes import ConstantFolding, Manager

    manager = Manager()
    manager.register_pass(ConstantFolding())
    manager.run_passes(model)


def _wide_convolutions(model: Any) -> list[Any]:
    """Convolutions that mix channels with float32 weights, but the first.

    The first has few channels to mix, and the widest range of inputs. Depthwise convolutions are not among them: there
    is nothing to gain, since they do not use the processor's matrix units.
    """
    return [node for node in _convolutions(model)[1:] if node.input_value(1).get_node().get_type_name() == "Constant"]


def _inside_residual_blocks(model: Any) -> list[Any]:
    """Convolutions that mix channels between the first and the last of a network's residual additions.

    What writes into the residual stream has no ReLU of its own.
    """
    convolutions = _convolutions(model)
    inside = [_is_followed_by_relu(node) for node in convolutions]
    last = max((number for number, followed in enumerate(inside) if not followed), default=len(convolutions))
    return [node for node, followed in list(zip(convolutions, inside, strict=True))[1:last] if followed]


def _convolutions(model: Any) -> list[Any]:
    """Convolutions that mix channels, in their order; depthwise ones are of another type."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]


def _is_followed_by_relu(convolution: Any) -> bool:
    """Whether a constant addition and a ReLU alone follow a convolution."""
    bias = _only_user(convolution.output(0), "Add")
    if bias is None or bias.input_value(1).get_node().get_type_name() != "Constant":
        return False
    return _only_user(bias.output(0), "Relu") is not None


def _only_user(output: Any, kind: str) -> Any:
    """The node that alone uses an output, if it is of this kind."""
    users = list(output.get_target_inputs())
    node = users[0].get_node() if len(users) == 1 else None
    return node if node is not None and node.get_type_name() == kind else None


def _quantised(model: Any, calibration: Path, strides: int) -> Any:
    """Post-training quantisation by NNCF of the convolutions inside of residual blocks; the rest stays in float32.

    What writes into the residual stream stays: rounding there is never averaged away. So does the first convolution
    inside, of the widest range: it alone took the least cosine from 0.9997 to 0.9987 (443 clips, demo checkpoint).
    Activations keep the whole range that the calibration clips showed: NNCF's usual estimate cuts it, and a loud
    passage of one clip fell to 0.986.
    """
    import logging

    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    nncf.set_log_level(logging.ERROR)
    clips = [clip[None] for clip in read_calibration(calibration)]
    inputs = [{"mel": mel, "members": np.ones((1, -(-mel.shape[2] // strides)), np.float32)} for mel in clips]
    chosen = {node.get_friendly_name() for node in _inside_residual_blocks(model)[1:]}
    others = [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_friendly_name() not in chosen]
    return nncf.quantize(
        model,
        nncf.Dataset(inputs),
        subset_size=len(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(names=others, validate=False),
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )
