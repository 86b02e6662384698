"""Short WAV files that all sound different, written by the standard library."""

import wave
from pathlib import Path

import numpy as np


def write_tone(path: Path, seed: int, seconds: float = 1.5) -> Path:
    """A tone with a little noise, 16 kHz mono, its pitch and level drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * 16000)) / 16000
    audio = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 4000) * times) + 0.02 * rng.standard_normal(len(times))
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(16000)
        stream.writeframes((audio * 32767).astype("<i2").tobytes())
    return path


def write_list(folder: Path, n_videos: int) -> Path:
    """A list of tones in two categories and six channels, with one file that is text and one that is gone."""
    rows = ["path,title,category,channel"]
    for number in range(n_videos):
        write_tone(folder / f"{number:03}.wav", number)
        rows.append(f"{number:03}.wav,Tone {number},{('low', 'high')[number % 2]},channel {number % 6}")
    (folder / "text.wav").write_text("no sound at all")
    rows += ["text.wav,Text,low,channel 0", "gone.wav,Gone,high,channel 1", ",No path,low,channel 1"]
    path = folder / "videos.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
