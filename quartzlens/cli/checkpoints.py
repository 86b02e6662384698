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
    """List the demo checkpoint and NVIDIA's published ones, their sizes, and which are here.

    Example: quartzlens checkpoint list
    """
    from pipeline.published import DEMO, demo_path, published

    page = "trained on generated speech by recipes/checkpoint"
    rows = [_row(DEMO, demo_path(), page), *(_row(one.name, one.path, one.page) for one in published())]
    if json_:
        show_json(rows)
    else:
        show_table(
            ("name", "size", "here", "licence and description"),
            [(row["name"], row["size"], "yes" if row["here"] else "no", row["page"]) for row in rows],
        )
        typer.echo(
            "about: computed from the network's 18.9 million weights in float32; the file itself tells no size yet."
        )


def _row(name: str, path: Path, page: str) -> dict[str, Any]:
    """One line of the list; the size is exact for a file that is here."""
    from pipeline.published import weights_bytes

    here = path.is_file()
    n_bytes = path.stat().st_size if here else weights_bytes()
    size = f"{n_bytes / 1e6:.1f} MB" if here else f"about {n_bytes / 1e6:.0f} MB"
    return {"name": name, "here": here, "bytes": n_bytes, "exact": here, "size": size, "path": str(path), "page": page}


@checkpoint_app.command("info")
def info(
    name: Annotated[
        str,
        typer.Argument(help="A name of `checkpoint list`, or the path of a .nemo or DeepLearningExamples .pt file."),
    ],
    json_: JsonOption = False,
) -> None:
    """Show what a checkpoint is: format, blocks, parameters, labels, language, fingerprint, licence page.

    Example: quartzlens checkpoint info demo
    """
    from pipeline.checkpoint import open_checkpoint
    from pipeline.described import describe

    facts = describe(open_checkpoint(name))
    if json_:
        show_json(facts)
        return
    tables = ("blocks", "front_end", "labels")
    shown = [(key.replace("_", " "), _cell(value)) for key, value in facts.items() if key not in tables]
    show_table(("", name), [*shown, ("labels", _label_text(facts["labels"]))])
    columns = ("name", "blocks", "channels", "kernel", "repeats", "stride", "kind")
    show_table(columns, [[_cell(block[column]) for column in columns] for block in facts["blocks"]])


def _cell(value: object) -> str:
    """A fact as people read it: lists as words, and a dash for what nobody knows."""
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"


def _label_text(labels: list[str]) -> str:
    """Characters in a row, pieces of words apart; of thousands, the first."""
    between = "" if all(len(label) == 1 for label in labels) else " "
    text = between.join(labels[:200])
    return repr(text) + (f" and {len(labels) - 200} more" if len(labels) > 200 else "")


@checkpoint_app.command("get")
def get(name: Annotated[str, typer.Argument(help="A name of `checkpoint list`.")]) -> None:
    """Download a published checkpoint into the cache; run it again to go on where it broke off.

    Example: quartzlens checkpoint get stt_en_quartznet15x5
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from pipeline.checkpoint_download import get as download
    from pipeline.published import cache_folder, published

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
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        path: Path = download(
            known[name], cache_folder(), lambda done, of: progress.update(task, completed=done, total=of)
        )
    typer.echo(f"{path}\nuse it by: quartzlens ingest SOURCE -c NEW-COLLECTION --checkpoint {name}")
