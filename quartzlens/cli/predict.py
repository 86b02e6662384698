"""``quartzlens predict``: categories of videos that nobody labelled, in the collection or outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    fetch_options,
    fingerprint_of,
    known,
    open_existing,
    show_json,
    show_table,
)
from quartzlens.cli.encoders import query_encoder_of
from quartzlens.cli.progress import quiet_line
from quartzlens.cli.reading import read_sources
from quartzlens.cli.writing import PLAIN, checked_target, write_table
from quartzlens.errors import CollectionError, UsageError
from quartzlens.figures import how_many, percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis.predicting import Predicted
    from pipeline.sources import SourceList
    from quartzlens.records import Embeddings, Fingerprint, Result, Run, Video
    from store.base import Store
    from store.collection import Collection

_MOST_SHOWN = 50
_LOOKS = "`quartzlens status --duplicates`"


@dataclass(slots=True)
class _Asked:
    """Videos to predict: embeddings by id, titles, which are silent, and those that could not be embedded with why."""

    rows: "dict[str, Any]" = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    failed: list[dict[str, str]] = field(default_factory=list)

    def commit(self, results: "Sequence[Result]") -> None:
        """Take results in place of a store: of what is embedded here nothing is kept."""
        for one in results:
            if one.embedded is None:
                self.failed.append({"id": one.video_id, "outcome": str(one.outcome), "detail": one.detail})
            else:
                self.rows[one.video_id] = one.embedded.embedding
                if one.media is not None and one.media.silent:
                    self.silent.add(one.video_id)
                self.titles[one.video_id] = self.titles.get(one.video_id) or one.title


def predict(
    source: Annotated[str | None, typer.Argument(help="A list, folder, file, link or id.", show_default=False)] = None,
    run: Annotated[
        str | None, typer.Option(help="Id of the run whose classifier predicts (default: the latest evaluation).")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every video of the collection without a label.")] = False,
    collection: CollectionOption = None,
    accuracy: Annotated[
        float,
        typer.Option(min=0.01, max=1.0, help="How often what is trusted should be right, by the run's own errors."),
    ] = 0.8,
    out: Annotated[Path | None, typer.Option(help="Write the whole table to this .csv or .parquet.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write over a file that is there.")] = False,
    json_: JsonOption = False,
) -> None:
    """Predict the categories of new or unlabelled videos by a run's classifier, and say which not to trust.

    Sources are embedded and forgotten: nothing is added to the collection.

    Example: quartzlens predict --all -c my-collection --out predicted.csv
    """
    from analysis.predicting import predict as predicted_by
    from analysis.weights import load_model

    if (source is None) != all_:
        raise UsageError("predict takes a SOURCE, or --all for every video of the collection without a label.")
    target = checked_target(out, PLAIN, yes=yes) if out else None
    with open_existing(collection) as opened:
        fingerprint = fingerprint_of(opened)
        chosen = _chosen(opened.store, fingerprint, run)
        model = load_model(chosen)
        asked = _unlabelled(opened, fingerprint) if source is None else _of_source(opened, fingerprint, source)
        embeddings = _embeddings(asked, fingerprint)
        copies = _copies(opened, fingerprint, embeddings.ids)
        found = predicted_by(
            opened.store, chosen, model, fingerprint, embeddings, asked.titles, accuracy, copies, asked.silent
        )
    if target is not None:
        write_table(target, found.table)
    if json_:
        show_json(_as_json(found, chosen.id, str(fingerprint), asked.failed))
    else:
        _show(found, chosen.id, asked.failed, out)
    if source is not None and not asked.rows:
        raise typer.Exit(1)


def _chosen(store: "Store", fingerprint: "Fingerprint", run_id: str | None) -> "Run":
    """The run of an id, else the latest evaluation.

    Raises as ``check_encoder`` where it is of another encoder, and CollectionError where the latest evaluation keeps no
    model and an earlier one does, which is named.
    """
    from analysis.exports import evaluation_of
    from analysis.predicting import check_encoder
    from analysis.runs import named_run

    if run_id is not None:
        run = named_run(store, run_id)
        check_encoder(store, run, fingerprint)
        return run
    run = evaluation_of(store, fingerprint, None)
    if not _keeps_model(run) and (earlier := _latest_with_model(store, fingerprint)):
        raise CollectionError(
            f"Run {run.id} (evaluate), the latest, has kept no model, as nearest neighbours keep none. Predict by one "
            f"that has: --run {earlier}."
        )
    return run


def _latest_with_model(store: "Store", fingerprint: "Fingerprint") -> str | None:
    """Id of the latest evaluation that keeps a model, else of the latest training."""
    runs = [run for run in reversed(store.runs()) if run.fingerprint_key == fingerprint.key]
    for listed in sorted(runs, key=lambda run: run.kind != "evaluate"):  # stable: the latest of a kind first
        if any(map(_keeps_model, store.runs(listed.id))):
            return listed.id
    return None


def _keeps_model(run: "Run") -> bool:
    from analysis.weights import MODEL_FILE

    return MODEL_FILE in run.files


def _copies(collection: "Collection", fingerprint: "Fingerprint", asked: "Sequence[str]") -> "pd.DataFrame | None":
    """Copies among the videos of the collection; None where none of them is asked about, or the search takes long."""
    from analysis.copies_kept import at_hand, kept_copies

    store, folder = collection.store, collection.index_folder
    if not store.videos(asked):
        return None
    if not at_hand(store, fingerprint, folder, len(store.embedded_ids(fingerprint))):
        typer.echo(
            f"Copies among so many videos were not looked for: {_LOOKS} does, and keeps what it finds.", err=True
        )
        return None
    with quiet_line() as tell:
        return kept_copies(store, fingerprint, folder, lambda share: tell(f"looking for copies, {percent(share)} done"))


def _embeddings(asked: _Asked, fingerprint: "Fingerprint") -> "Embeddings":
    import numpy as np

    from quartzlens.records import Embeddings

    empty = np.empty((0, fingerprint.dimension), np.float32)
    return Embeddings(tuple(asked.rows), np.vstack([empty, *asked.rows.values()]))


def _unlabelled(collection: "Collection", fingerprint: "Fingerprint") -> _Asked:
    """Videos of the collection with an embedding and no label."""
    videos = [video for video in collection.store.videos() if not video.categories]
    return _of_collection(collection, fingerprint, videos)


def _of_collection(collection: "Collection", fingerprint: "Fingerprint", videos: "Sequence[Video]") -> _Asked:
    found = collection.store.embeddings(fingerprint, [video.id for video in videos])
    rows = dict(zip(found.ids, found.matrix, strict=True))
    titles = {video.id: video.title for video in videos if video.id in rows}
    return _Asked(rows, titles, {video.id for video in videos if video.silent})


def _of_source(collection: "Collection", fingerprint: "Fingerprint", source: str) -> _Asked:
    """Videos of a source: those that the collection has embedded are taken from it, others embedded for now."""
    from quartzlens.records import Video

    known = collection.store.videos([source])
    if known and (asked := _of_collection(collection, fingerprint, known)).rows:
        return asked
    rows = {row.video_id: row for row in _rows(source)}
    asked = _of_collection(collection, fingerprint, collection.store.videos(rows.keys()))
    new = [Video(row.video_id, row.source, title=row.title) for row in rows.values() if row.video_id not in asked.rows]
    asked.titles |= {video.id: video.title for video in new}
    if new:
        _embed(collection, new, asked)
    in_order = {video_id: asked.rows[video_id] for video_id in rows if video_id in asked.rows}
    return replace(asked, rows=in_order)


def _rows(source: str) -> "tuple[Any, ...]":
    """The rows of a source; what cannot be used of it is said."""
    found: SourceList
    (found,) = read_sources([source], None)
    if found.playlists:
        raise UsageError(f"{source!r} leads to a playlist or channel: ingest it, then predict with --all.")
    if found.bad_rows:
        typer.echo(f"{how_many(len(found.bad_rows), 'row')} of {source} cannot be used.", err=True)
    if not found.rows:
        raise UsageError(f"{source!r} leads to no video.")
    return found.rows


def _embed(collection: "Collection", videos: "Sequence[Video]", asked: _Asked) -> None:
    """Embed videos into ``asked``, as an ingest would; media are not kept."""
    from contextlib import closing

    from pipeline import runner

    with TemporaryDirectory() as folder, closing(query_encoder_of(collection)) as encoder:
        runner.ingest(asked, encoder, videos, fetch_options(Path(folder)))


def _as_json(found: "Predicted", run: str, encoder: str, failed: list[dict[str, str]]) -> dict[str, Any]:
    from analysis.predicting import COLUMNS

    rows = [
        {
            **{name: known(row[name]) for name in COLUMNS},
            "probabilities": {name: value for name, value in row.items() if name not in COLUMNS},
        }
        for row in found.table.to_dict("records")
    ]
    trust = found.trust
    return {
        "run": run,
        "encoder": encoder,
        "n": len(rows),
        "untrusted_share": found.untrusted_share,
        "unlearned": list(found.unlearned),
        "trust": {
            "wanted": trust.wanted,
            "threshold": trust.threshold if 0 < trust.threshold <= 1 else None,
            "share": trust.share,
            "sentence": trust.sentence,
        },
        "predictions": rows,
        "failed": failed,
    }


def _show(found: "Predicted", run_id: str, failed: list[dict[str, str]], out: Path | None) -> None:
    table = found.table
    shown = table.head(_MOST_SHOWN)
    if len(table):
        rows = [
            (row["id"], row["title"], row["predicted"], row["probability"], row["why"] or "trusted")
            for row in shown.to_dict("records")
        ]
        show_table(("id", "title", "predicted", "probability", "trust"), rows)
        typer.echo(f"By the classifier of {run_id}.")
        if len(table) > len(shown):
            typer.echo(f"{len(table) - len(shown):,} more: --out FILE.csv or --json gives all.")
        untrusted = int((~table["trusted"]).sum())
        typer.echo(
            f"Not to be trusted: {untrusted:,} of {how_many(len(table), 'video')} ({percent(found.untrusted_share)})."
        )
        typer.echo(found.trust.sentence)
        if found.unlearned:
            from analysis.evaluation_report import named

            typer.echo(f"It never learned {named(found.unlearned)}: videos of that are given another category.")
    else:
        typer.echo(
            "No video to predict: all that are embedded have a label." if not failed else "No video was embedded."
        )
    for one in failed:
        typer.echo(f"{one['id']}: {one['outcome']} ({one['detail']})", err=True)
    if out is not None:
        typer.echo(f"{how_many(len(table), 'row')} in {out}.")
