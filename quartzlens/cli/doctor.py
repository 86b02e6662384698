"""``quartzlens doctor``: what works on this machine, and what to do about what does not."""

import os
import shutil
import subprocess
from dataclasses import dataclass

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, collection_folder, show_json, show_table
from quartzlens.errors import QuartzlensError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it works, what was seen, and what to do if it does not."""

    what: str
    works: bool
    seen: str
    do: str = ""


def doctor(collection: CollectionOption = None, json_: JsonOption = False) -> None:
    """Check encoder, JavaScript runtime, disk, GPU and browser. Exit code 1 where something needed does not work.

    Example: quartzlens doctor
    """
    needed = [_encoder(), _javascript(), _ffmpeg(), _disk(collection_folder(collection))]
    optional = [_gpu(), _browser()]
    if json_:
        show_json([{"what": one.what, "works": one.works, "seen": one.seen, "do": one.do} for one in needed + optional])
    else:
        marks = {True: "works", False: "does not"}
        rows = [(one.what, marks[one.works], one.seen, "" if one.works else one.do) for one in needed + optional]
        show_table(("what", "works", "seen", "what to do"), rows)
    if not all(one.works for one in needed):
        raise typer.Exit(1)


def _encoder() -> Finding:
    """Load the demo checkpoint and embed a second of sound."""
    import numpy as np

    try:
        from pipeline.checkpoint import open_checkpoint
        from pipeline.encoder import EncoderSettings, encode
        from pipeline.engine import OpenVinoEncoder

        encoder = OpenVinoEncoder(open_checkpoint("demo"), EncoderSettings())
        embedded = encode(encoder, np.zeros(16000, np.float32))
        encoder.close()
    except (QuartzlensError, ImportError, OSError, RuntimeError) as error:
        return Finding("encoder", False, str(error), "make room or see to the cache folder; else make install")
    return Finding("encoder", True, f"demo checkpoint, {len(embedded.embedding)} dimensions")


def _javascript() -> Finding:
    """The runtime that yt-dlp needs for YouTube: deno, from PyPI."""
    from pipeline.runtime import deno_path

    path = deno_path()
    version = _first_line([path, "--version"]) if path else ""
    return Finding(
        "JavaScript runtime", bool(version), version or "no deno", "pip install deno (YouTube links need it)"
    )


def _ffmpeg() -> Finding:
    from pipeline.runtime import ffmpeg_path

    version = _first_line([ffmpeg_path(), "-version"])
    return Finding("ffmpeg for links", bool(version), version[:40], "pip install imageio-ffmpeg")


def _disk(folder: os.PathLike[str]) -> Finding:
    from pathlib import Path

    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    seen = f"{free / 1e9:.1f} GB free at {place}" + ("" if writable else ", not writable")
    return Finding(
        "disk",
        writable and free > 1e9,
        seen,
        "a minute of sound takes about 0.5 MB: make room, or choose another folder with -c",
    )


def _gpu() -> Finding:
    names = _first_line(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return Finding("GPU", bool(names), names or "none", "not needed; with an NVIDIA GPU `make install` takes faiss-gpu")


def _browser() -> Finding:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return Finding("browser for tests", bool(found), found or "none", "needed for `make test` alone, which installs it")


def _first_line(command: list[str]) -> str:
    """First line that a command prints; empty where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.splitlines()[0] if done.stdout else ""
