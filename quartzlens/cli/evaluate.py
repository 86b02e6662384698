"""``quartzlens evaluate``: every labelled video judged by a classifier that never heard its channel."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli import evaluate_text
from quartzlens.cli.common import CollectionOption, JsonOption, fingerprint_of, open_existing, show_json
from quartzlens.cli.progress import quiet_line
from quartzlens.errors import CheckpointError, CollectionError, NotEnoughDataError, UsageError

if TYPE_CHECKING:
    from analysis.evaluation import Evaluation
    from quartzlens.records import Fingerprint
    from store.base import Store
    from store.collection import Collection

ClassifierOption = Annotated[
    str,
    typer.Option(
        help="original (the published network), logistic (regression), linear (with temperature) or knn (neighbours)."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Same seed, same result.")]
Tell = Callable[[str], None]
_NEW_FOLDS = "The folds of the run before do not fit any more (videos or groups are new): new ones were dealt."
_GOES_WITH_RERUN = {"collection", "json_", "rerun"}


@dataclass(frozen=True, slots=True)
class Asked:
    """How to evaluate; fields are the options of ``quartzlens evaluate``."""

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


def evaluate(
    context: typer.Context,
    collection: CollectionOption = None,
    classifier: ClassifierOption = "original",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Number of folds; no channel is ever split over two.")] = 5,
    fold_column: Annotated[str | None, typer.Option(help="Column of the list that holds published folds.")] = None,
    group_by: Annotated[
        str | None,
        typer.Option(help="What no two folds may share: channel, recording, video, or a column of the list."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Deal and learn so often; probabilities are means.")] = 1,
    class_weight: Annotated[
        str, typer.Option(help="For unequal categories: none, balanced, sampling, or auto (chosen inside each fold).")
    ] = "none",
    report: Annotated[
        str,
        typer.Option(help="brief, usual (leaks, depths) or full (random split, chosen depth, learning curve: slow)."),
    ] = "usual",
    preset: Annotated[
        str | None, typer.Option(help="original: beside it the original work's own protocol, on mean3008 where stored.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(help="Deal as the run of this id, or the `last`, did: what differs is the labels' doing."),
    ] = None,
    rerun: Annotated[str | None, typer.Option(help="Make the run of this id again and compare the figures.")] = None,
    seed: SeedOption = 0,
    json_: JsonOption = False,
) -> None:
    """Predict every labelled video by a classifier that never saw its channel, and keep the result for the Errors view.

    Example: quartzlens evaluate -c my-collection --json
    """
    if rerun is not None:
        _check_alone(context)
        _rerun(collection, rerun, json_)
        return
    asked = Asked(
        classifier, folds, _named(fold_column), _named(group_by), repeats, class_weight, report, preset, seed, after
    )
    _check(asked)
    with open_writable(collection) as opened, quiet_line(shown=not json_) as tell:
        metrics, run_id = run_evaluation(opened, asked, tell)
    show_json({**metrics, "run": run_id}) if json_ else evaluate_text.show(metrics, run_id)


def run_evaluation(
    collection: "Collection", asked: Asked = Asked(), tell: Tell = lambda _: None
) -> tuple[dict[str, Any], str]:
    """Evaluate out of fold, keep the run, and return its metrics and id."""
    from analysis.dataset import load_dataset
    from analysis.evaluation import evaluate as judge_all
    from analysis.evaluation import evaluation_run
    from analysis.evaluation_checks import checks
    from analysis.reuse import earlier_deal

    store, fingerprint = collection.store, _fingerprint(collection, asked)
    tell("reading the embeddings")
    labels_seen = store.info().labels
    dataset = load_dataset(store, fingerprint, asked.fold_column, group_by=asked.group_by)
    before = _before(store, fingerprint, asked.after)
    deals = earlier_deal(before.earlier, dataset, asked.seed) if before and asked.after else None
    evaluation = judge_all(
        dataset,
        lambda ids: store.fragments(fingerprint, ids),
        classifier=asked.classifier,
        seed=asked.seed,
        folds=asked.folds,
        repeats=asked.repeats,
        class_weight=asked.class_weight,
        deals=deals,
        earlier=before.earlier if before else None,
        keep_model=True,
        on_fold=_folds(tell),
        on_step=tell,
    )
    more: dict[str, Any] = checks(
        store,
        fingerprint,
        dataset,
        evaluation,
        level=asked.report,
        classifier=asked.classifier,
        seed=asked.seed,
        work=_work(collection) if asked.report != "brief" else None,
        on_step=tell,
    )
    if asked.preset:
        from analysis.original_protocol import original_protocol

        tell("the original work's protocol")
        more["original_protocol"] = original_protocol(dataset, evaluation.metrics, fingerprint.pooling, asked.seed)
    if asked.after and deals is None:
        more["notes"] = [*evaluation.metrics["notes"], _NEW_FOLDS]  # type: ignore[misc]
    settings = {name: getattr(asked, name) for name in ("fold_column", "group_by", "report", "preset", "after")}
    whole = {**evaluation.settings, **settings, "seed": asked.seed, "encoder": str(fingerprint)}
    judged = replace(evaluation, metrics={**evaluation.metrics, **more, "settings": whole})
    run = evaluation_run(judged, fingerprint, asked.seed, labels_seen, settings=settings)
    store.add_run(run)
    return judged.metrics, run.id


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


def _named(column: str | None) -> str | None:
    return column.strip().lower() if column else None


def _check(asked: Asked) -> None:
    """Raise UsageError for what cannot be asked for, before anything is read."""
    from analysis.class_weights import CLASS_WEIGHTS
    from analysis.classifier import CLASSIFIERS
    from analysis.evaluation_checks import LEVELS

    known: Mapping[str, tuple[str, ...]] = {
        "classifier": CLASSIFIERS,
        "class_weight": CLASS_WEIGHTS,
        "report": LEVELS,
        "preset": ("original",),
    }
    for name, values in known.items():
        if (value := getattr(asked, name)) is not None and value not in values:
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} '{value}' is not known; there are: {', '.join(values)}.")
    if asked.preset and asked.classifier != "original":
        raise UsageError("--preset original is the original network's: leave --classifier away.")


def _check_alone(context: typer.Context) -> None:
    given = [
        name
        for name in context.params
        if name not in _GOES_WITH_RERUN and str(context.get_parameter_source(name)).endswith("COMMANDLINE")
    ]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError(f"--rerun takes all settings from its run: leave {flags} away.")


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


def _before(store: "Store", fingerprint: "Fingerprint", after: str | None) -> "Evaluation | None":
    """The evaluation of an id, else the latest by this encoder; None where there is none that can be read."""
    from analysis.evaluation import latest_evaluation, read_evaluation
    from analysis.exports import evaluation_of
    from analysis.predicting import check_encoder

    if after:
        run = evaluation_of(store, fingerprint, None if after == "last" else after)
        check_encoder(store, run, fingerprint)
        return read_evaluation(run)
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


def _folds(tell: Tell) -> Callable[[int, int], None]:
    return lambda done, of: tell(f"{done} of {of} folds are judged")


def _rerun(collection: Path | None, run_id: str, json_: bool) -> None:
    from analysis.rerun import comparison, rerun
    from analysis.runs import named_run

    with open_existing(collection) as opened, quiet_line(shown=not json_) as tell:
        run = named_run(opened.store, run_id)
        made = rerun(opened.store, run, on_fold=_folds(tell), on_step=tell)
    said = comparison(made, run)
    if json_:
        show_json({**made.evaluation.metrics, "rerun": said})
        return
    evaluate_text.show(made.evaluation.metrics, f"{run.id} made again")
    typer.echo(said["sentence"])
