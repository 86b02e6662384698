"""``quartzlens train`` and ``quartzlens evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, fingerprint_of, open_existing, show_json, show_table
from quartzlens.errors import CollectionError, NotEnoughDataError
from quartzlens.figures import spread

if TYPE_CHECKING:
    from store.collection import Collection

ClassifierOption = Annotated[
    str,
    typer.Option(
        help="original (the published network), logistic (regression), linear (with temperature) or knn (neighbours)."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Same seed, same result.")]


def train(
    collection: CollectionOption = None,
    seed: SeedOption = 0,
    json_: JsonOption = False,
) -> None:
    """Train the original classifier on a collection and keep it; its figures are those of videos held out.

    Example: quartzlens train -c my-collection --seed 0
    """
    from analysis.classifier import train as train_classifier
    from analysis.classifier import training_run
    from analysis.dataset import load_dataset

    with _open_writable(collection) as opened:
        fingerprint = fingerprint_of(opened)
        labels_seen = opened.store.info().labels
        training = train_classifier(load_dataset(opened.store, fingerprint), seed=seed)
        run = training_run(training, fingerprint, seed, labels_seen)
        opened.store.add_run(run)
    _show(training.metrics, run.id, json_)


def evaluate(
    collection: CollectionOption = None,
    classifier: ClassifierOption = "original",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Number of folds; no channel is ever split over two.")] = 5,
    fold_column: Annotated[str | None, typer.Option(help="Column of the list that holds published folds.")] = None,
    group_by: Annotated[
        str | None,
        typer.Option(help="What no two folds may share: channel, recording, video, or a column of the list."),
    ] = None,
    seed: SeedOption = 0,
    json_: JsonOption = False,
) -> None:
    """Predict every labelled video by a classifier that never saw its channel, and keep the result for the Errors view.

    Example: quartzlens evaluate -c my-collection --json
    """
    with _open_writable(collection) as opened:
        metrics, run_id = run_evaluation(
            opened, classifier=classifier, folds=folds, fold_column=fold_column, group_by=group_by, seed=seed
        )
    _show(metrics, run_id, json_)


def run_evaluation(
    collection: "Collection",
    *,
    classifier: str = "original",
    folds: int = 5,
    fold_column: str | None = None,
    group_by: str | None = None,
    seed: int = 0,
) -> tuple[dict[str, Any], str]:
    """Evaluate out of fold, keep the run, and return its metrics and id."""
    from analysis.dataset import load_dataset
    from analysis.evaluation import evaluate as evaluate_dataset
    from analysis.evaluation import evaluation_run

    store, fingerprint = collection.store, fingerprint_of(collection)
    fold_column, group_by = (name.strip().lower() if name else None for name in (fold_column, group_by))
    labels_seen = store.info().labels
    dataset = load_dataset(store, fingerprint, fold_column, group_by=group_by)
    fragments = store.fragments(fingerprint, dataset.ids)
    evaluation = evaluate_dataset(dataset, fragments, classifier=classifier, seed=seed, folds=folds)
    run = evaluation_run(
        evaluation, fingerprint, seed, labels_seen, settings={"fold_column": fold_column, "group_by": group_by}
    )
    store.add_run(run)
    return evaluation.metrics, run.id


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


def _open_writable(collection: Path | None) -> "Collection":
    """The collection, refused before hours of work where its result could not be kept."""
    opened = open_existing(collection)
    if opened.read_only:
        raise CollectionError(f"{opened.folder} is read-only, so no run can be kept: copy it to a folder of yours.")
    return opened


def _show(metrics: dict[str, Any], run_id: str, json_: bool) -> None:
    if json_:
        show_json({**metrics, "run": run_id})
        return
    from analysis.metrics import copies_sentence

    _show_scores(metrics, run_id)
    categories = metrics["categories"]
    rows = [(name, *counts) for name, counts in zip(categories, metrics["confusion"], strict=True)]
    show_table(("label \\ predicted", *categories), rows)
    if said := copies_sentence(metrics.get("copies")):
        typer.echo(said)
    for one in metrics.get("left_out", []):
        typer.echo(f"left out: {one['n']} x {one['category'] or 'no category'}, {one['reason']}")


def _show_scores(metrics: dict[str, Any], run_id: str) -> None:
    """The accuracy, and precision and recall of each category, all with their 95 % intervals."""
    from analysis.metrics import figure, interval

    def cells(metric: Any) -> tuple[object, str]:
        """Value and interval."""
        return figure(metric), spread(*interval(metric))

    rows: list[tuple[object, ...]] = [
        (name, one["n"], *cells(one["precision"]), *cells(one["recall"]))
        for name, one in metrics["per_category"].items()
    ]
    rows.append(("macro", metrics["n"], *cells(metrics["precision_macro"]), *cells(metrics["recall_macro"])))
    among = spread(*interval(metrics["accuracy"]))
    show_table(
        ("category", "videos", "precision", "95 %", "recall", "95 %"),
        rows,
        title=f"accuracy {figure(metrics['accuracy']):.3f}{f', 95 % interval {among}' if among else ''} ({run_id})",
    )
