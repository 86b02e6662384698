"""The generated speech: sentences of `words.py` spoken by espeak-ng in many voices, kept as one file a split.

A split is `NAME.i16` (all clips one after another, 16-bit, 16 kHz) beside `NAME.json` (where each begins and what it
says). Each clip depends on the seed, the split's name and its own number alone, so the work may be cut in any way.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from recipes.checkpoint.model import SAMPLE_RATE_HZ
from recipes.checkpoint.progress import Progress
from recipes.checkpoint.words import Grammar

CLIP_SECONDS_MAX = 4.2
ACCENTS = (
    "en-gb", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-029", "en-us-nyc",
)  # fmt: skip
_PLAIN_TWICE = (
    "m1 m2 m3 m5 m6 m7 m8 f1 f2 f4 f5 m1 m2 m3 m5 m6 m7 m8 f1 f2 f4 f5 croak whisper klatt2 klatt4 Alex Alicia Annie "
    "Denis Gene Hugo Jacky Lee Mario Michael Mike adam anika aunty belinda boris caleb david ed edward grandma grandpa "
    "gustave iven john max michel pablo paul rob robert sandro shelby steph2 travis victor zac"
)
_HELD_OUT = "m4 f3 Andy Andrea linda steph quincy benjamin"
VARIANTS = tuple(_PLAIN_TWICE.split())
HELD_OUT_VARIANTS = tuple(_HELD_OUT.split())


Made = tuple[np.ndarray, str, str]
"""A clip as it is made: (n,) int16 at 16 kHz, what is said, who or what sounds."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Where a clip lies in its split's file (in values, not bytes), what it says, and who says it."""

    start: int
    length: int
    text: str
    voice: str


@dataclass(frozen=True, slots=True)
class Split:
    """A finished split: (n,) int16 values, mapped from the file, and its clips."""

    audio: np.ndarray
    clips: tuple[Clip, ...]

    def waveform(self, index: int) -> np.ndarray:
        """Give one clip as (n,) float32 in -1 to 1."""
        clip = self.clips[index]
        return self.audio[clip.start : clip.start + clip.length].astype(np.float32) / 32768.0


def speak(text: str, voice: str, words_per_minute: int, pitch: int) -> np.ndarray:
    """Let espeak-ng say a text.

    Returns
    -------
    np.ndarray
        (n,) float32 at 16 kHz.

    Raises
    ------
    RuntimeError
        espeak-ng is not installed.
    subprocess.CalledProcessError
        espeak-ng failed, for instance at an unknown voice.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise RuntimeError("espeak-ng is not installed: on Debian, `apt-get install espeak-ng`")
    command = [program, "-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "-z", "--stdout", "--", text]
    spoken = subprocess.run(command, check=True, capture_output=True, timeout=30).stdout
    with wave.open(io.BytesIO(spoken)) as reader:
        rate_hz = reader.getframerate()
        values = np.frombuffer(reader.readframes(2**31 // 4), dtype=np.int16)
    divisor = int(np.gcd(rate_hz, SAMPLE_RATE_HZ))
    resampled = resample_poly(values.astype(np.float32) / 32768.0, SAMPLE_RATE_HZ // divisor, rate_hz // divisor)
    return np.asarray(resampled, dtype=np.float32)


def make_clip(split: str, index: int, seed: int, variants: Sequence[str]) -> Made:
    """Make one clip of at most `CLIP_SECONDS_MAX`.

    Returns
    -------
    Made
        (n,) int16 with a peak of half of full scale, the text, the voice.
    """
    rng = np.random.default_rng([seed, *split.encode(), index])
    grammar = Grammar(rng)
    voice = f"{ACCENTS[int(rng.integers(len(ACCENTS)))]}+{variants[int(rng.integers(len(variants)))]}"
    rate, pitch = int(rng.integers(125, 215)), int(rng.integers(20, 85))
    text = grammar.sentence(int(rng.integers(3, 11)))
    audio = speak(text, voice, rate, pitch)
    while audio.size > CLIP_SECONDS_MAX * SAMPLE_RATE_HZ and " " in text:
        text = text.rsplit(" ", 1)[0]
        audio = speak(text, voice, rate, pitch)
    return as_int16(audio), text, voice


def as_int16(audio: np.ndarray) -> np.ndarray:
    """Scale (n,) floats to a peak of half of full scale, as 16-bit integers."""
    peak = float(np.abs(audio).max(initial=1e-4))
    return (audio * (16384.0 / peak)).astype(np.int16)


def make_split(folder: Path, name: str, n_clips: int, seed: int, variants: Sequence[str]) -> None:
    """Make a split of spoken clips, unless it is there."""
    with ThreadPoolExecutor(2) as pool:
        write_split(
            folder, name, n_clips, lambda numbers: pool.map(lambda i: make_clip(name, i, seed, variants), numbers)
        )


def write_split(folder: Path, name: str, n_clips: int, make: Callable[[range], Iterable[Made]]) -> None:
    """Write a split's two files, unless they are there; the JSON file comes last and marks the split as whole."""
    if (folder / f"{name}.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    start = 0
    progress = Progress(f"sound {name}", n_clips)
    with (folder / f"{name}.i16").open("wb") as out:
        for audio, text, voice in make(range(n_clips)):
            out.write(audio.tobytes())
            clips.append(Clip(start, audio.size, text, voice))
            start += audio.size
            progress.advance()
    (folder / f"{name}.json").write_text(json.dumps([asdict(clip) for clip in clips]), encoding="utf-8")


def read_split(folder: Path, name: str) -> Split:
    """Open a split that `make_split` wrote."""
    rows = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    clips = tuple(Clip(**row) for row in rows)
    return Split(np.memmap(folder / f"{name}.i16", dtype=np.int16, mode="r"), clips)


def without_texts(split: Split, seen: Split) -> Split:
    """Leave out the clips whose sentence occurs in another split."""
    texts = {clip.text for clip in seen.clips}
    return Split(split.audio, tuple(clip for clip in split.clips if clip.text not in texts))
