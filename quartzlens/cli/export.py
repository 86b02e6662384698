"""``quartzlens export``: what a collection holds, as a file for other programs."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, fingerprint_of, open_existing
from quartzlens.cli.progress import quiet_line
from quartzlens.cli.writing import PLAIN, WITH_VECTORS, checked_target, write_blocks
from quartzlens.errors import UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    import pandas as pd

    from quartzlens.records import Run
    from store.collection import Collection

_WHATS = ("videos", "embeddings", "fragments", "labels", "predictions", "errors", "evidence")
_OF_A_RUN = {"predictions", "errors", "evidence"}
_VECTORS = {"embeddings", "fragments"}


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .parquet, .csv, or .npz for vectors.")],
    what: Annotated[str, typer.Option(help=f"{', '.join(_WHATS)}.")] = "videos",
    collection: CollectionOption = None,
    run: Annotated[
        str | None, typer.Option(help="Evaluation that predictions, errors and evidence are of (default: the latest).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write over a file that is there.")] = False,
) -> None:
    """Write videos, embeddings, fragments, the label history, predictions, errors or their evidence to Parquet or CSV.

    Example: quartzlens export --what embeddings embeddings.parquet -c my-collection
    """
    if what not in _WHATS:
        raise UsageError(f"--what {what!r} is not known; use one of: {', '.join(_WHATS)}.")
    if run is not None and what not in _OF_A_RUN:
        raise UsageError(f"--run chooses an evaluation, and {what} are of none: leave it away.")
    target = checked_target(out, WITH_VECTORS if what in _VECTORS else PLAIN, yes=yes)
    with open_existing(collection) as opened, quiet_line() as tell:
        rows = write_blocks(target, _blocks(opened, what, run, tell))
    typer.echo(f"{how_many(rows, 'row')} of {what} in {out}.")


def _blocks(collection: "Collection", what: str, run_id: str | None, tell: Callable[[str], None]) -> Iterable[Any]:
    """Tables, each with its vectors or None; ``tell`` hears how far the long ones are."""
    from analysis import exports

    store = collection.store
    if what in {"videos", "labels"}:
        return [(exports.every_column(store) if what == "videos" else exports.labels_table(store), None)]
    fingerprint = fingerprint_of(collection)
    if what in _VECTORS:
        return (exports.embedding_blocks if what == "embeddings" else exports.fragment_blocks)(store, fingerprint)
    run = exports.evaluation_of(store, fingerprint, run_id)
    if what == "evidence":
        return ((table, None) for table in _evidence(collection, run, tell))
    return [(exports.predictions_table(run) if what == "predictions" else exports.errors_table(store, run), None)]


def _evidence(collection: "Collection", run: "Run", tell: Callable[[str], None]) -> "Iterable[pd.DataFrame]":
    """Evidence in blocks; the videos done are told."""
    from analysis.copies_kept import kept_copies
    from analysis.evaluation import read_evaluation
    from analysis.evidence import background
    from analysis.evidence_table import encoder_of, evidence_blocks

    store = collection.store
    fingerprint, evaluation = encoder_of(store, run), read_evaluation(run)
    known = background(store, fingerprint, evaluation, kept_copies(store, fingerprint, collection.index_folder))
    return evidence_blocks(store, fingerprint, evaluation, known, lambda at, of: tell(f"video {at:,} of {of:,}"))
