"""Which device searches, and what is said where there is none of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import faiss
import pytest

from quartzlens.errors import UsageError
from store import gpu
from tests.conftest import quartzlens
from tests.store.test_segment import crowd, made

cards = getattr(faiss, "get_num_gpus", int)()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gpu.use("auto")


def test_the_processor_alone_is_asked_where_it_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``cpu`` no card is looked for, whatever there is."""

    def asked() -> int:
        raise AssertionError("a card was looked for")

    monkeypatch.setattr(faiss, "get_num_gpus", asked, raising=False)
    gpu.use("cpu")
    assert len(made("f32", crowd(50, 8), 10).segment) == 50


def test_an_unknown_device_is_refused_and_changes_nothing() -> None:
    """The message names the devices that there are."""
    gpu.use("cpu")
    with pytest.raises(UsageError, match="'gpu' is not known; use auto, cpu, cuda"):
        gpu.use("gpu")
    assert gpu._chosen == "cpu"


@pytest.mark.skipif(cards > 0, reason="there is a card, which is not refused")
def test_a_card_that_is_not_there_is_said(tmp_path: Path) -> None:
    """``--device cuda`` and the setting end in a sentence that says what to do; so does a device of no sense."""
    collection = tmp_path / "c"
    assert quartzlens("init", "-c", collection).returncode == 0
    for command in (("similar", "a"), ("dashboard",)):
        done = quartzlens(*command, "-c", collection, "--device", "cuda")
        assert done.returncode == 2
        assert "no CUDA device is available to FAISS: use --device cpu" in done.stderr
    done = quartzlens("status", "-c", collection, env={**os.environ, "QUARTZLENS_DEVICE": "tpu"})
    assert done.returncode == 2
    assert "QUARTZLENS_DEVICE is 'tpu'" in done.stderr
