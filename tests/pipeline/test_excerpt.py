"""Short copies of kept sound, for a page."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import excerpt
from pipeline.decode import read_sound
from pipeline.excerpt import Excerpts, opus_excerpt
from tests.pipeline.synth import tone, write_media


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Eight seconds of 440 Hz, then eight of 1,760 Hz."""
    audio = np.concatenate([tone(8.0, 48_000, 440), tone(8.0, 48_000, 1760)])
    return write_media(tmp_path / "a.m4a", [audio], 48_000, "aac")


def pitch_hz(content: bytes, tmp_path: Path) -> tuple[float, float]:
    """The strongest frequency of an excerpt, and its length in seconds."""
    path = tmp_path / "excerpt.ogg"
    path.write_bytes(content)
    sound = read_sound(path, 0.0, 60.0, 16_000)
    assert sound is not None
    audio = sound.audio
    return float(np.abs(np.fft.rfft(audio)).argmax() * 16_000 / len(audio)), len(audio) / 16_000


def test_an_excerpt_is_of_the_seconds_that_were_asked_for(kept: Path, tmp_path: Path) -> None:
    """Five seconds of the second half sound as that half does, in mono Opus of less than 8 kB a second."""
    with Excerpts() as excerpts:
        found = excerpts.cut(kept, 9.0, 5.0)
    assert found is not None
    pitch, seconds = pitch_hz(found, tmp_path)
    assert pitch == pytest.approx(1760, abs=5)
    assert seconds == pytest.approx(5.0, abs=0.05)
    assert len(found) < 5 * 8_000
    with av.open(io.BytesIO(found)) as container:
        (stream,) = container.streams
        assert (container.format.name, stream.codec_context.name) == ("ogg", "opus")
        assert stream.codec_context.layout.name == "mono"  # type: ignore[attr-defined]


def test_what_cannot_be_read_has_no_excerpt(kept: Path, tmp_path: Path) -> None:
    """Garbage, a playlist, a file that is gone, seconds after the end, and a picture are None, never an error."""
    (tmp_path / "garbage.ogg").write_bytes(b"OggS" + bytes(range(256)) * 40)
    (tmp_path / "list.m4a").write_text("#EXTM3U\nhttp://127.0.0.1:9/a.ts\n")
    for name in ("garbage.ogg", "list.m4a", "gone.ogg"):
        assert opus_excerpt(tmp_path / name, 0.0, 5.0) is None
    assert opus_excerpt(kept, 100.0, 5.0) is None


def test_a_decoder_that_hangs_costs_its_seconds_alone(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is killed, the excerpt is None, and the next one is cut by another child."""
    with Excerpts() as excerpts:
        monkeypatch.setattr(excerpt, "_TIMEOUT_SECONDS", 0.0)
        assert excerpts.cut(kept, 0.0, 5.0) is None
        monkeypatch.setattr(excerpt, "_TIMEOUT_SECONDS", 60.0)
        assert excerpts.cut(kept, 0.0, 5.0) is not None
