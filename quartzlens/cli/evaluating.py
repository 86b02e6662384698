"""One evaluation from a collection to the run that is kept: what ``evaluate``, ``ingest`` and ``demo`` share."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from quartzlens.cli.common import fingerprint_of, open_existing
from quartzlens.errors import CheckpointError, CollectionError, NotEnoughDataError

if TYPE_CHECKING:
    from analysis.dataset import Dataset
    from analysis.epoch import Epoch
    from analysis.evaluation import Evaluation
    from quartzlens.records import Fingerprint
    from store.base import Store
    from store.collection import Collection

_NEW_FOLDS = (
    "The folds of the run before could not be taken over, as they do not fit these videos, groups or labels, or were "
    "several: new ones were dealt."
)


@dataclass(frozen=True, slots=True)
class Tell:
    """What is told how it goes: folds done of how many, what begins beside them, and each epoch of a network."""

    on_fold: Callable[[int, int], None] = lambda *_: None
    on_step: Callable[[str], None] = lambda _: None
    on_epoch: "Callable[[Epoch], None]" = lambda _: None


@dataclass(frozen=True, slots=True)
class Asked:
    """How to evaluate; fields are the options of ``quartzlens evaluate``, ``only`` the ids in its file."""

    classifier: str = "original"
    folds: int = 5
    fold_column: str | None = None
    group_by: str | None = None
    repeats: int = 1
    class_weight: str = "none"
    report: str = "usual"
    preset: str | None = None
    seed: int = 0
    after: str | None = None
    only: frozenset[str] | None = None


def run_evaluation(collection: "Collection", asked: Asked = Asked(), tell: Tell = Tell()) -> tuple[dict[str, Any], str]:
    """Evaluate out of fold, keep the run, and return its metrics and id."""
    from analysis.copies_kept import kept_copies
    from analysis.dataset import load_dataset
    from analysis.evaluation import evaluation_run

    store, fingerprint = collection.store, _fingerprint(collection, asked)
    if asked.after:
        asked = replace(asked, after=_named_run(store, fingerprint, asked.after))
    tell.on_step("looking for copies")
    copies = kept_copies(store, fingerprint, collection.index_folder, _in_tens("looking for copies", tell.on_step))
    tell.on_step("reading the embeddings")
    labels_seen = store.info().labels
    dataset = load_dataset(store, fingerprint, asked.fold_column, copies, group_by=asked.group_by, within=asked.only)
    evaluation = _judged(store, fingerprint, dataset, asked, tell)
    more = _more(collection, fingerprint, dataset, evaluation, asked, tell)
    settings = {name: getattr(asked, name) for name in ("fold_column", "group_by", "report", "preset", "after")}
    settings["only"] = None if asked.only is None else len(asked.only)
    whole = {**evaluation.settings, **settings, "seed": asked.seed, "encoder": str(fingerprint)}
    judged = replace(evaluation, metrics={**evaluation.metrics, **more, "settings": whole})
    run = evaluation_run(judged, fingerprint, asked.seed, labels_seen, settings=settings)
    store.add_run(run)
    return judged.metrics, run.id


def _judged(store: "Store", fingerprint: "Fingerprint", dataset: "Dataset", asked: Asked, tell: Tell) -> "Evaluation":
    """The evaluation, with a classifier trained on all videos."""
    from analysis.evaluation import evaluate as judge_all
    from analysis.evaluation import with_model
    from analysis.reuse import earlier_deal

    before = _before(store, fingerprint, asked.after)
    deals = earlier_deal(before.earlier, dataset, asked.seed) if before and asked.after else None
    folds = len(set(deals[0][0].tolist())) if deals else asked.folds
    evaluation = judge_all(
        dataset,
        lambda ids: store.fragments(fingerprint, ids),
        classifier=asked.classifier,
        seed=asked.seed,
        folds=folds,
        repeats=asked.repeats,
        class_weight=asked.class_weight,
        deals=deals,
        earlier=before.earlier if before else None,
        on_fold=tell.on_fold,
        on_epoch=tell.on_epoch,
        on_step=tell.on_step,
    )
    if asked.after and deals is None:
        evaluation.metrics["notes"].append(_NEW_FOLDS)  # type: ignore[union-attr]
    tell.on_step("model")
    return with_model(evaluation, dataset, classifier=asked.classifier, seed=asked.seed, on_epoch=tell.on_epoch)


def _more(
    collection: "Collection",
    fingerprint: "Fingerprint",
    dataset: "Dataset",
    evaluation: "Evaluation",
    asked: Asked,
    tell: Tell,
) -> dict[str, Any]:
    """The checks of its report, and the original work's protocol where it was asked for."""
    from analysis.evaluation_checks import checks

    more: dict[str, Any] = checks(
        collection.store,
        fingerprint,
        dataset,
        evaluation,
        level=asked.report,
        classifier=asked.classifier,
        seed=asked.seed,
        work=_work(collection) if asked.report != "brief" else None,
        on_step=tell.on_step,
    )
    if asked.preset:
        from analysis.original_protocol import original_protocol

        tell.on_step("original protocol")
        try:
            more["original_protocol"] = original_protocol(dataset, evaluation.metrics, fingerprint.pooling, asked.seed)
        except NotEnoughDataError as error:  # the believable figure stands, and is kept
            more["notes"] = [*evaluation.metrics["notes"], str(error)]  # type: ignore[misc]
    return more


def ensure_evaluation(folder: Path) -> None:
    """Evaluate a collection whose embeddings have no evaluation yet, so that the first look at it shows errors."""
    from analysis.runs import evaluations_of

    with open_existing(folder) as opened:
        if evaluations_of(opened.store.runs(), fingerprint_of(opened)):
            return
        try:
            metrics, _ = run_evaluation(opened)
        except NotEnoughDataError as error:
            typer.echo(f"not evaluated: {error}", err=True)
            return
    accuracy = metrics["accuracy"]["value"]
    typer.echo(f"evaluated out of fold: accuracy {accuracy:.3f} over {metrics['n']} videos", err=True)


def open_writable(collection: Path | None) -> "Collection":
    """The collection, refused before hours of work where its result could not be kept."""
    opened = open_existing(collection)
    if opened.read_only:
        raise CollectionError(f"{opened.folder} is read-only, so no run can be kept: copy it to a folder of yours.")
    return opened


def _fingerprint(collection: "Collection", asked: Asked) -> "Fingerprint":
    """The collection's encoder; with a preset the same one by the original pooling, where that is stored."""
    used = fingerprint_of(collection)
    if not asked.preset:
        return used
    from analysis.original_protocol import POOLING

    stored = [one for one in collection.store.info().encoders if one.pooling == POOLING]
    same = [one for one in stored if one.checkpoint_sha256 == used.checkpoint_sha256 and not one.block]
    if not same:
        typer.echo(
            f"no embedding by {POOLING} is stored, so {used.pooling} stands for it; "
            f"`quartzlens reembed --pooling {POOLING}` makes it from kept media.",
            err=True,
        )
    return (same or [used])[-1]


def _named_run(store: "Store", fingerprint: "Fingerprint", after: str) -> str:
    """The id of an evaluation by this encoder; ``last`` is the latest.

    Raises UsageError where there is none of that id, EncoderMismatchError for one by another encoder.
    """
    from analysis.exports import evaluation_of
    from analysis.predicting import check_encoder

    run = evaluation_of(store, fingerprint, None if after == "last" else after)
    check_encoder(store, run, fingerprint)
    return run.id


def _in_tens(step: str, on_step: Callable[[str], None]) -> Callable[[float], None]:
    """Tell a step again with how much of it is done, each tenth once."""
    told = [0]

    def on_share(share: float) -> None:
        if told[0] < (tenths := int(10 * share)) < 10:
            told[0] = tenths
            on_step(f"{step}, {tenths}0 % done")

    return on_share


def _before(store: "Store", fingerprint: "Fingerprint", after: str | None) -> "Evaluation | None":
    """The evaluation of an id that is there, else the latest by this encoder; None where none can be read."""
    from analysis.evaluation import latest_evaluation, read_evaluation

    if after:
        return read_evaluation(store.runs(after)[0])
    with suppress(CollectionError):
        found = latest_evaluation(store, fingerprint)
        return found[1] if found else None
    return None


def _work(collection: "Collection") -> dict[str, float] | None:
    """Share of the work up to each block; None where the checkpoint cannot be read any more."""
    from pipeline.checkpoint import open_checkpoint
    from pipeline.encoder import shares_of_work

    with suppress(CheckpointError):
        return shares_of_work(open_checkpoint(collection.encoder.checkpoint), collection.encoder.block)
    return None
