"""Products of bfloat16 numbers: rounded to the nearest, added up in float32, and three of them as good as float32."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.checkpoint import Checkpoint
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder, has_bf16
from pipeline.openvino_library import load_openvino
from pipeline.products import has_amx, in_bf16, products_of, read, save
from tests.pipeline.compared import cosine, noise

pytestmark = pytest.mark.slow
needs_bf16 = pytest.mark.skipif(not has_bf16(), reason="not run: this processor does not compute in bfloat16")
needs_amx = pytest.mark.skipif(not has_amx(), reason="not run: this processor has no AMX")
CHANNELS, STEPS = 64, 200
KERNELS = {"pointwise": (1, 1), "wide": (5, 1), "dilated": (5, 2)}


def nearest(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The nearest bfloat16 of each number, by NumPy alone (ties to even), as float64."""
    bits = values.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def convolved(image: NDArray[Any], kernel: NDArray[Any], dilation: int) -> NDArray[np.float64]:
    """Convolution (c, t) of (c, t) with (c, c, k), padded so that the length stays, in float64."""
    width = kernel.shape[2]
    reach = dilation * (width // 2)
    padded = np.pad(image.astype(np.float64), ((0, 0), (reach, reach)))
    taps = [padded[:, dilation * tap : dilation * tap + image.shape[1]] for tap in range(width)]
    return np.asarray(sum(kernel[:, :, tap].astype(np.float64) @ taps[tap] for tap in range(width)))


def nodes(model: Any) -> list[Any]:
    """A model's convolutions in their order."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]


def model_of(kernel: NDArray[np.float32], dilation: int) -> Any:
    """OpenVINO's model of one convolution with ReLUs around it: positive inputs show what is cut off."""
    from openvino import Model
    from openvino import opset13 as ops

    image = ops.parameter([1, CHANNELS, -1], np.float32)
    reach = [dilation * (kernel.shape[2] // 2)]
    output = ops.convolution(ops.relu(image), ops.constant(kernel), [1], reach, reach, [dilation])
    return Model([ops.result(output)], [image], "one")


def computed(model: Any, image: NDArray[np.float32], folder: Path) -> NDArray[np.float32]:
    """What a model makes of (c, t), saved and read."""
    save(model, folder / "network.xml")
    core = load_openvino().Core()
    compiled = core.compile_model(read(core, folder / "network.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled.create_infer_request().infer([image[None]])[0][0])


def case(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Image (c, t) of positive numbers over several magnitudes, kernel (c, c, k), dilation."""
    width, dilation = KERNELS[name]
    generator = np.random.default_rng(0)
    image = np.exp(generator.normal(0, 2, (CHANNELS, STEPS))).astype(np.float32)
    return image, generator.normal(size=(CHANNELS, CHANNELS, width)).astype(np.float32), dilation


def in_products(name: str, products: int, folder: Path) -> NDArray[np.float32]:
    """The case's convolution by so many products."""
    image, kernel, dilation = case(name)
    model = model_of(kernel, dilation)
    in_bf16(model, nodes(model), products)
    return computed(model, image, folder)


def error(ours: NDArray[Any], exact: NDArray[np.float64]) -> float:
    """Length of the difference beside that of the truth."""
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


@needs_bf16
@pytest.mark.parametrize("name", KERNELS)
def test_one_product_rounds_to_the_nearest_and_adds_up_in_float32(name: str, tmp_path: Path) -> None:
    """Nothing but both factors is rounded, and these are not cut off: equal to a sum in float64 of rounded factors."""
    image, kernel, dilation = case(name)
    expected = convolved(nearest(image), nearest(kernel), dilation)
    ours = in_products(name, 1, tmp_path)
    assert error(ours, expected) < 1e-6
    assert 1e-3 < error(ours, convolved(image, kernel, dilation)) < 1e-2


@needs_bf16
@pytest.mark.parametrize("name", KERNELS)
def test_three_products_keep_16_bits(name: str, tmp_path: Path) -> None:
    """The error of the sum is below 2^-16 of its size."""
    image, kernel, dilation = case(name)
    assert error(in_products(name, 3, tmp_path), convolved(image, kernel, dilation)) < 2.0**-16


@needs_bf16
@pytest.mark.parametrize("products", [1, 3])
def test_convolutions_of_the_same_and_of_other_inputs_are_told_apart(products: int, tmp_path: Path) -> None:
    """Two of one input, and one with a stride of the output of the first, whose names are alike."""
    from openvino import Model
    from openvino import opset13 as ops

    image, kernel, _ = case("pointwise")
    other = kernel[::-1].copy()
    source = ops.parameter([1, CHANNELS, -1], np.float32)
    first, second = (ops.convolution(source, ops.constant(one), [1], [0], [0], [1]) for one in (kernel, other))
    above = ops.relu(first)
    for node in (source, above):
        node.set_friendly_name("alike")
    third = ops.convolution(above, ops.constant(kernel), [2], [0], [0], [1])
    model = Model([ops.result(ops.concat([ops.relu(third), ops.strided_slice(
        second, [0, 0, 0], [0, 0, STEPS], [1, 1, 2], [1, 1, 0], [1, 1, 0])], 1))], [source], "three")  # fmt: skip
    in_bf16(model, nodes(model), products)
    inner = np.maximum(convolved(image, kernel, 1), 0)
    expected = [np.maximum(convolved(inner, kernel, 1), 0)[:, ::2], convolved(image, other, 1)[:, ::2]]
    assert error(computed(model, image, tmp_path), np.concatenate(expected)) < (1e-2 if products == 1 else 2.0**-15)


@pytest.mark.parametrize("limit", ["AVX2", "AVX512_CORE", "sse41"])
def test_a_users_limit_of_the_processors_instructions_is_kept(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets oneDNN's limit gets float32 itself, and no bfloat16, instead of a crash."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert not has_amx()
    assert not has_bf16()
    assert (products_of("f32"), products_of("int8")) == (0, 0)


def test_an_openvino_without_its_library_beside_it_computes_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other packages than PyPI's keep it elsewhere: then nothing stands in for float32."""
    monkeypatch.setattr("pipeline.products.find_spec", lambda _: None)
    assert (products_of("f32"), products_of("int8"), products_of("bf16")) == (0, 0, 1)


def test_a_network_in_float32_is_saved_as_it_is(tmp_path: Path) -> None:
    """What has no products of bfloat16 is read without OpenVINO's own set of operations, and is float32."""
    image, kernel, dilation = case("wide")
    ours = computed(model_of(kernel, dilation), image, tmp_path)
    assert error(ours, convolved(image, kernel, dilation)) < 1e-6
    assert "type_relaxed" not in (tmp_path / "network.xml").read_text()


@needs_amx
def test_f32_by_three_products_is_the_same_encoder(small: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines with and without AMX agree to nine digits, under one fingerprint, from networks exported apart."""
    sound, answers = noise(12.0), []
    for there in (True, False):
        monkeypatch.setattr("pipeline.products.has_amx", lambda there=there: there)
        made = OpenVinoEncoder(small, EncoderSettings())
        answers.append((encode(made, sound), made._export.folder))
        made.close()
    (fast, one), (plain, other) = answers
    assert fast.fingerprint == plain.fingerprint
    assert one != other
    assert cosine(fast.embedding, plain.embedding) > 1 - 1e-9
    assert cosine(fast.fragments, plain.fragments) > 1 - 1e-9
    assert fast.embedding.tobytes() != plain.embedding.tobytes()
