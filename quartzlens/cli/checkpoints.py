"""``quartzlens checkpoint list|info|get``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from quartzlens.cli.common import JsonOption, show_json, show_table
from quartzlens.errors import UsageError

checkpoint_app = typer.Typer(
    help="Checkpoints of the encoder: which there are, what one is, and getting one.", no_args_is_help=True
)


@checkpoint_app.command("list")
def list_checkpoints(json_: JsonOption = False) -> None:
    """List the demo checkpoint and NVIDIA's published ones, and which are here.

    Example: quartzlens checkpoint list
    """
    from pipeline.checkpoint import DEMO, cache_folder, demo_path, published

    rows = [
        {
            "name": DEMO,
            "here": True,
            "path": str(demo_path()),
            "page": "trained on generated speech by recipes/checkpoint",
        }
    ]
    for one in published():
        path = cache_folder() / f"{one.name}.nemo"
        rows.append({"name": one.name, "here": path.is_file(), "path": str(path), "page": one.page})
    if json_:
        show_json(rows)
    else:
        show_table(
            ("name", "here", "licence and description"),
            [(row["name"], "yes" if row["here"] else "no", row["page"]) for row in rows],
        )


@checkpoint_app.command("info")
def info(
    name: Annotated[str, typer.Argument(help="A name of `checkpoint list`, or the path of a .nemo file.")],
    json_: JsonOption = False,
) -> None:
    """Show what a checkpoint is: blocks, parameters, dimension, labels, checksum.

    Example: quartzlens checkpoint info demo
    """
    facts = _facts(name)
    if json_:
        show_json(facts)
    else:
        show_table(("", name), [(key, value) for key, value in facts.items() if key != "front_end"])


def _facts(name: str) -> dict[str, Any]:
    import json

    from pipeline.archive import read_weights
    from pipeline.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(name)
    weights = read_weights(checkpoint.path)
    return {
        "name": checkpoint.name,
        "path": str(checkpoint.path),
        "bytes": checkpoint.path.stat().st_size,
        "sha256": checkpoint.sha256,
        "dimension": checkpoint.dimension,
        "blocks": len(checkpoint.config["encoder"]["jasper"]),
        "encoder_weights": _count_parameters(weights),
        "gflop_per_minute_of_sound": round(checkpoint.clip_gflop, 1),
        "labels": "".join(checkpoint.labels),
        "front_end": json.loads(checkpoint.front_end),
    }


def _count_parameters(weights: dict[str, Any]) -> int:
    """Trainable parameters of the encoder: running statistics of batch normalisation are none."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return sum(
        value.numel()
        for name, value in weights.items()
        if name.startswith("encoder.") and not name.endswith(statistics)
    )


@checkpoint_app.command("get")
def get(name: Annotated[str, typer.Argument(help="A name of `checkpoint list`.")]) -> None:
    """Download a published checkpoint into the cache; run it again to go on where it broke off.

    Example: quartzlens checkpoint get stt_en_quartznet15x5
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from pipeline.checkpoint import cache_folder, published
    from pipeline.checkpoint_download import get as download

    known = {one.name: one for one in published()}
    if name not in known:
        raise UsageError(f"{name!r} is not a published checkpoint; use one of: {', '.join(known)}.")
    columns = (
        TextColumn(name, markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None)
        path: Path = download(
            known[name], cache_folder(), lambda done, of: progress.update(task, completed=done, total=of)
        )
    typer.echo(f"{path}\nuse it by: quartzlens ingest SOURCE -c NEW-COLLECTION --checkpoint {name}")
