"""From files to rows: how near an ingest comes to what its stages, each measured alone, allow on these cores."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ingesting import ingest_files
from benchmarks.media_files import media_files
from benchmarks.models import CLIP_SECONDS, clips, full_size
from benchmarks.report import Table, milliseconds
from benchmarks.timing import PAIRS, median_seconds
from pipeline.encoder import EncoderSettings, encode
from pipeline.engine import OpenVinoEncoder, cores, has_bf16

_FILES = 60
_ALONE = 12
_ROUNDS = 3
_WHOLE_LIST = 3399
_COLUMNS = (
    "network",
    "decode, CPU-ms",
    "front end, CPU-ms",
    "encoder, CPU-ms",
    "bound, ms a clip",
    "ingest, ms a clip",
    "share of the bound",
    "clips a minute",
    f"{_WHOLE_LIST:,} clips",
)


def tables(work: Path) -> list[Table]:
    """Ingests of generated files against their bounds, and one file by the command."""
    full_size(work)
    files = media_files(work / "media", _FILES, CLIP_SECONDS)
    choices = [("f32", ""), *([("bf16", "")] if has_bf16() else []), ("f32", "B2")]
    choices += [("bf16", "B2")] if has_bf16() else []
    note = (
        f"{_FILES} local files of {CLIP_SECONDS:.0f} s (mp4 with a picture, m4a, opus, mp3), QuartzNet 15x5, random "
        "weights, engine exported and loaded, media kept. CPU-ms are of each stage alone, one process on one core; "
        f"their sum over {cores()} cores is the bound. Medians of {_ROUNDS} rounds, each measured alone and as an "
        "ingest; at least 80 % is wanted."
    )
    rows = [_row(work, files, precision, block) for precision, block in choices]
    return [Table("File in, row committed", note, _COLUMNS, rows), _one_file(work, files[0])]


def _row(work: Path, files: list[Path], precision: str, block: str) -> tuple[str, ...]:
    encoder = OpenVinoEncoder(full_size(work), EncoderSettings(precision=precision, block=block))
    encode(encoder, clips(1)[0])
    alone, walls = [], []
    for _ in range(_ROUNDS):
        alone.append(_alone(work, precision, block))
        walls.append(ingest_files(encoder, files, work / "ingesting") / len(files))
    encoder.close()
    bounds = [sum(one.values()) / cores() for one in alone]
    share = statistics.median(bound / wall for bound, wall in zip(bounds, walls, strict=True))
    wall = statistics.median(walls)
    stages = [milliseconds(statistics.median(one[stage] for one in alone)) for stage in alone[0]]
    whole = f"{_WHOLE_LIST * wall / 60:.1f} min"
    name = f"{precision}{', to ' + block if block else ''}"
    bound = milliseconds(statistics.median(bounds))
    return name, *stages, bound, milliseconds(wall), f"{share:.0%}", f"{60 / wall:.0f}", whole


def _alone(work: Path, precision: str, block: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.alone", str(work), str(_ALONE), precision, block]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return dict(json.loads(answer.splitlines()[-1]))


def _one_file(work: Path, path: Path) -> Table:
    """``quartzlens ingest`` of one file into a new collection, from the command to its end."""
    times = {}
    for name, checkpoint in (("demo checkpoint", "demo"), ("15x5", str(full_size(work).path))):

        def ingest(checkpoint: str = checkpoint) -> None:
            with tempfile.TemporaryDirectory(dir=work) as folder:
                command = [sys.executable, "-m", "quartzlens", "ingest", str(path), "-c", folder + "/c"]
                subprocess.run([*command, "--checkpoint", checkpoint], check=True, capture_output=True)

        times[name] = median_seconds(ingest)
    rows = [(name, f"{seconds:.2f}") for name, seconds in times.items()]
    note = f"A new process and a new collection, engine exported; median of {PAIRS}. Under 5 s is wanted."
    return Table("`quartzlens ingest` of one 60 s file", note, ("network", "s"), rows)
