"""``quartzlens export``: what a collection holds, as a file for other programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, fingerprint_of, open_existing
from quartzlens.cli.writing import PLAIN, WITH_VECTORS, checked_target, write_blocks
from quartzlens.errors import UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from store.collection import Collection

_WHATS = ("videos", "embeddings", "fragments", "labels", "predictions", "errors")
_VECTORS = {"embeddings", "fragments"}


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .parquet, .csv, or .npz for vectors.")],
    what: Annotated[str, typer.Option(help=f"{', '.join(_WHATS)}.")] = "videos",
    collection: CollectionOption = None,
    run: Annotated[
        str | None, typer.Option(help="Evaluation that predictions and errors are of (default: the latest).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write over a file that is there.")] = False,
) -> None:
    """Write videos, embeddings, fragments, the label history, predictions or errors to Parquet or CSV, by the ending.

    Example: quartzlens export --what embeddings embeddings.parquet -c my-collection
    """
    if what not in _WHATS:
        raise UsageError(f"--what {what!r} is not known; use one of: {', '.join(_WHATS)}.")
    if run is not None and what not in {"predictions", "errors"}:
        raise UsageError(f"--run chooses an evaluation, and {what} are of none: leave it away.")
    target = checked_target(out, WITH_VECTORS if what in _VECTORS else PLAIN, yes=yes)
    with open_existing(collection) as opened:
        rows = write_blocks(target, _blocks(opened, what, run))
    typer.echo(f"{how_many(rows, 'row')} of {what} in {out}.")


def _blocks(collection: "Collection", what: str, run_id: str | None) -> Iterable[Any]:
    """Tables, each with its vectors or None."""
    from analysis import exports

    store = collection.store
    if what in {"videos", "labels"}:
        return [(exports.every_column(store) if what == "videos" else exports.labels_table(store), None)]
    fingerprint = fingerprint_of(collection)
    if what in _VECTORS:
        return (exports.embedding_blocks if what == "embeddings" else exports.fragment_blocks)(store, fingerprint)
    run = exports.evaluation_of(store, fingerprint, run_id)
    return [(exports.predictions_table(run) if what == "predictions" else exports.errors_table(store, run), None)]
