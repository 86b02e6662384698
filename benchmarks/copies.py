"""Copies of recordings as people make them: encoded anew, louder or quieter, trimmed, and several of these at once."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a recording: ``cut`` is its kind, ``options`` are ffmpeg's, ``suffix`` says the container.

    ``start_seconds`` are cut off in front, of what remains the share ``kept`` stays.
    """

    kind: str
    suffix: str = ".wav"
    options: Sequence[str] = ()
    start_seconds: float = 0.0
    kept: float = 1.0


MP3, OPUS = ("-c:a", "libmp3lame", "-b:a", "64k"), ("-c:a", "libopus", "-b:a", "32k")
AAC, NARROW = ("-c:a", "aac", "-b:a", "48k"), ("-ar", "8000")
CHANGES = {
    "as it is": Change("as it is"),
    "mp3 64k": Change("encoded", ".mp3", MP3),
    "opus 32k": Change("encoded", ".ogg", OPUS),
    "aac 48k": Change("encoded", ".m4a", AAC),
    "8 kHz": Change("narrow", options=NARROW),
    "-6 dB": Change("level", options=("-af", "volume=-6dB")),
    "+6 dB": Change("level", options=("-af", "volume=6dB")),
    "+12 dB, clipped": Change("clipped", options=("-af", "volume=12dB")),
    **{f"from {s:g} s": Change("trimmed", start_seconds=s) for s in (0.5, 1.0, 2.5, 5.0, 7.3, 12.0, 20.0)},
    "first half": Change("halved", kept=0.5),
    "first 70 %": Change("halved", kept=0.7),
    "from 7.3 s, half": Change("halved", start_seconds=7.3, kept=0.5),
    "mp3 64k, from 1.2 s": Change("combined", ".mp3", MP3, 1.2),
    "mp3 64k, -6 dB, from 7.3 s": Change("combined", ".mp3", (*MP3, "-af", "volume=-6dB"), 7.3),
    "opus 32k, +6 dB, from 3.1 s": Change("combined", ".ogg", (*OPUS, "-af", "volume=6dB"), 3.1),
    "aac 48k, from 13.7 s, half": Change("combined", ".m4a", AAC, 13.7, 0.5),
    "8 kHz, mp3 64k, from 2.5 s": Change("combined", ".mp3", (*MP3, "-ar", "16000", "-af", "aresample=8000"), 2.5),
}


def copy(source: Path, seconds: float, change: Change, target: Path) -> Path:
    """Write a changed copy of a recording of so many seconds; the file, with its suffix."""
    import imageio_ffmpeg

    path = target.with_suffix(change.suffix)
    length = (seconds - change.start_seconds) * change.kept
    cut = ("-ss", f"{change.start_seconds}", "-t", f"{length}")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-i", str(source), *cut]
    subprocess.run([*command, "-vn", "-ac", "1", *change.options, str(path)], check=True)
    return path
