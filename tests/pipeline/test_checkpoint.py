"""Checkpoints: what is read from them, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.checkpoint import Checkpoint, locate, open_checkpoint, published
from pipeline.described import describe, languages
from pipeline.published import weights_bytes
from quartzlens.errors import CheckpointError
from tests.pipeline.networks import QUARTZNET15X5, SMALL, config, nemo_like, untrained_weights, write_nemo


def test_the_published_architecture_is_read_as_published(tmp_path: Path) -> None:
    """QuartzNet 15x5: 1024 dimensions, a step each 20 ms, about 113 GFLOP a minute, 28 labels (arXiv 1910.10261)."""
    checkpoint = Checkpoint("15x5", nemo_like(tmp_path / "q.nemo", config(QUARTZNET15X5)))
    assert checkpoint.dimension == 1024
    assert checkpoint.step_seconds == pytest.approx(0.02)
    assert checkpoint.clip_gflop == pytest.approx(113, rel=0.03)
    assert len(checkpoint.labels) == 28


@pytest.mark.slow
def test_the_published_architecture_has_the_published_number_of_weights() -> None:
    """The encoder built from the 15x5 table has the 18,894,656 parameters counted in NeMo."""
    weights = untrained_weights(QUARTZNET15X5)
    skipped = ("running", "num_batches", "decoder")
    counted = [value.numel() for name, value in weights.items() if not any(word in name for word in skipped)]
    assert sum(counted) == 18_894_656


def test_the_random_dither_is_off_in_the_front_end(tmp_path: Path) -> None:
    """Whatever the checkpoint says, the front end that makes the fingerprint has no dither."""
    checkpoint = Checkpoint("small", nemo_like(tmp_path / "q.nemo", config(SMALL)))
    assert '"dither": 0.0' in checkpoint.front_end


@pytest.mark.slow
@pytest.mark.parametrize("compressed", [False, True])
def test_a_nemo_file_gives_back_its_weights(tmp_path: Path, compressed: bool) -> None:
    """Plain and gzipped archives give the same tensors as were written."""
    weights = untrained_weights(SMALL)
    path = write_nemo(tmp_path / "small.nemo", SMALL, weights=weights, compressed=compressed)
    back = Checkpoint("small", path).weights()
    assert set(back) == set(weights)
    assert all(bool((back[name] == value).all()) for name, value in weights.items())


@pytest.mark.parametrize("section", ["preprocessor", "encoder"])
@pytest.mark.parametrize("target", ["os.system", "evil.nemo.collections.asr.modules.ConvASREncoder", None, 3])
def test_only_the_two_known_modules_are_built(tmp_path: Path, section: str, target: object) -> None:
    """Any other target is refused before anything is imported."""
    settings = config(SMALL)
    settings[section] = {**settings[section], "_target_": target}
    with pytest.raises(CheckpointError, match="quartzlens reads models"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


@pytest.mark.parametrize("blocks", [None, [], "abc", [{}], [{"filters": -1, "kernel": [1], "stride": [1]}]])
def test_a_table_of_blocks_that_cannot_be_is_refused(tmp_path: Path, blocks: object) -> None:
    """A broken table is named when the checkpoint is opened, not when the first video is encoded."""
    settings = config(SMALL)
    settings["encoder"] = {**settings["encoder"], "jasper": blocks}
    with pytest.raises(CheckpointError, match="table of blocks"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


def test_an_encoder_for_another_sampling_rate_is_refused(tmp_path: Path) -> None:
    """A checkpoint for 8 kHz would be fed sound at the wrong speed."""
    settings = config(SMALL)
    settings["preprocessor"] = {**settings["preprocessor"], "sample_rate": 8000}
    with pytest.raises(CheckpointError, match="8000 Hz"):
        open_checkpoint(str(nemo_like(tmp_path / "q.nemo", settings)))


def test_an_absent_checkpoint_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A published one names the command that gets it, an unknown one the list."""
    monkeypatch.setenv("QUARTZLENS_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="checkpoint get stt_en_quartznet15x5"):
        locate("stt_en_quartznet15x5")
    with pytest.raises(CheckpointError, match="checkpoint list"):
        locate("nonsense")


def test_published_names_are_the_nine_languages_the_base_and_the_original_works() -> None:
    """Eleven names; ten have the file and a zip of it, the .pt of the original work has the zip form alone."""
    names = [one.name for one in published()]
    codes = ("en", "ca", "de", "es", "fr", "it", "pl", "ru", "zh")
    assert names[:9] == [f"stt_{code}_quartznet15x5" for code in codes]
    assert names[9:] == ["QuartzNet15x5Base-En", "nvidia_quartznet_210504"]
    for one in published()[:10]:
        assert one.address == f"{str(one.zip_address).removesuffix('/zip')}/files/{one.name}.nemo"
    assert (published()[10].address, published()[10].file) == (None, "nvidia_quartznet_210504.pt")
    assert all(str(one.zip_address).startswith("https://api.ngc.nvidia.com/v2/models/nvidia/") for one in published())


def test_the_size_of_what_is_not_here_is_computed() -> None:
    """18,894,656 weights of the encoder, its statistics and 29 outputs in float32 are 76.0 MB."""
    assert weights_bytes() / 1e6 == pytest.approx(76.0, abs=0.05)


def test_a_cached_checkpoint_that_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the cache must have the checksum of its arrival whenever it is opened, not only when it is got."""
    monkeypatch.setenv("QUARTZLENS_CACHE", str(tmp_path))
    path = tmp_path / "checkpoints" / "stt_en_quartznet15x5.nemo"
    path.parent.mkdir()
    nemo_like(path, config(SMALL))
    recorded = path.with_suffix(".sha256")
    recorded.write_text(open_checkpoint("stt_en_quartznet15x5").sha256 + "\n")
    assert open_checkpoint("stt_en_quartznet15x5").dimension == 48
    with path.open("ab") as stream:
        stream.write(bytes(512))
    for name in ("stt_en_quartznet15x5", str(path)):
        with pytest.raises(CheckpointError, match=r"recorded was [0-9a-f]{64}: delete it and get it again"):
            open_checkpoint(name)


def test_a_small_checkpoint_is_described_without_its_publisher(tmp_path: Path) -> None:
    """Blocks by groups, counts and labels; a file of one's own has no licence page and no language."""
    blocks = [SMALL[0], SMALL[1], SMALL[1], SMALL[2]]
    facts = describe(
        open_checkpoint(str(write_nemo(tmp_path / "mine.nemo", blocks, weights=untrained_weights(blocks))))
    )
    assert [(row["name"], row["blocks"], row["kernel"], row["repeats"]) for row in facts["blocks"]] == [
        ("C1", 1, 33, 1),
        ("B1", 2, 13, 2),
        ("C2", 1, 1, 1),
    ]
    assert (facts["n_labels"], facts["languages"], facts["page"], facts["sample_rate_hz"]) == (28, [], "", 16000)
    assert re.fullmatch("[0-9a-f]{16}", facts["fingerprint"])


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("stt_de_quartznet15x5", {}, ["de"]),
        ("stt_eo_citrinet_512", {}, ["eo"]),
        ("mine", {"tokenizer": {"type": "agg", "langs": {"es": {}, "en": {}}}}, ["en", "es"]),
        ("mine", {}, []),
    ],
)
def test_the_language_is_told_where_name_or_configuration_tell_it(
    tmp_path: Path, name: str, settings: dict[str, Any], expected: list[str]
) -> None:
    """Published names, NVIDIA's pattern of names, and tokenizers of several languages."""
    path = nemo_like(tmp_path / f"{name}.nemo", {**config(SMALL), **settings})
    assert languages(Checkpoint(name, path)) == expected


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("preprocessor", "features", 80),
        ("preprocessor", "pad_to", 10**12),
        ("preprocessor", "pad_to", "max"),
        ("preprocessor", "lowfreq", "low"),
        ("preprocessor", "lowfreq", 8000),
        ("preprocessor", "highfreq", 9000),
        ("preprocessor", "highfreq", "high"),
        ("preprocessor", "preemph", float("nan")),
        ("preprocessor", "preemph", "0.97"),
        ("preprocessor", "n_fft", 10**9),
        ("preprocessor", "window_stride", 1e-9),
        ("preprocessor", "n_window_size", 320),
        ("decoder", "vocabulary", "abc"),
        ("decoder", "num_classes", 5),
        ("decoder", "num_classes", 10**9),
        ("decoder", "_target_", "nemo.collections.asr.modules.RNNTDecoder"),
        ("encoder", "feat_in", "${model.features}"),
    ],
)
def test_settings_that_cannot_be_are_named_when_it_is_opened(
    tmp_path: Path, section: str, setting: str, value: object
) -> None:
    """Front end, decoder and encoder must fit each other and what a machine can do."""
    settings = config(SMALL)
    settings[section] = {**settings[section], setting: value}
    path = nemo_like(tmp_path / "q.nemo", settings)
    with pytest.raises(CheckpointError, match=rf"{path}.*({setting.strip('_')}|bands|labels|decoder is)"):
        open_checkpoint(str(path))
