"""``quartzlens evaluate``: every labelled video judged by a classifier that never heard its channel."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from quartzlens.cli import evaluate_text
from quartzlens.cli.common import CollectionOption, JsonOption, open_existing, say, show_json
from quartzlens.cli.evaluating import Asked, Tell, open_writable, run_evaluation
from quartzlens.cli.progress import ProgressKind, quiet_line
from quartzlens.cli.reading import read_ids
from quartzlens.errors import UsageError

ClassifierOption = Annotated[
    str,
    typer.Option(
        help="original (the published network), logistic (regression), linear (with temperature) or knn (neighbours)."
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same result.")]
GroupByOption = Annotated[
    str | None,
    typer.Option(help="What no two folds may share: channel, recording, video, or a column of the list."),
]
ClassWeightOption = Annotated[
    str, typer.Option(help="For unequal categories: none, balanced, sampling, or auto (chosen inside each fold).")
]
ReportOption = Annotated[
    str,
    typer.Option(help="brief, usual (leaks, depths) or full (random split, chosen depth, learning curve: slow)."),
]
AfterOption = Annotated[
    str | None,
    typer.Option(help="Deal as the run of this id, or the `last`, did: what differs is the labels' doing."),
]
OnlyOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Learn from and judge these videos alone: ids, one a line; - is standard input."),
]
_GOES_WITH_RERUN = {"collection", "json_", "rerun", "progress"}


def evaluate(
    context: typer.Context,
    collection: CollectionOption = None,
    classifier: ClassifierOption = "original",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Number of folds; no channel is ever split over two.")] = 5,
    fold_column: Annotated[str | None, typer.Option(help="Column of the list that holds published folds.")] = None,
    group_by: GroupByOption = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Deal and learn so often; probabilities are means.")] = 1,
    class_weight: ClassWeightOption = "none",
    report: ReportOption = "usual",
    preset: Annotated[
        str | None, typer.Option(help="original: beside it the original work's own protocol, on mean3008 where stored.")
    ] = None,
    after: AfterOption = None,
    only: OnlyOption = None,
    rerun: Annotated[str | None, typer.Option(help="Make the run of this id again and compare the figures.")] = None,
    seed: SeedOption = 0,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Predict every labelled video by a classifier that never saw its channel, and keep the result for the Errors view.

    Example: quartzlens evaluate -c my-collection --json
    """
    if rerun is not None:
        _check_alone(context)
        _rerun(collection, rerun, progress, json_)
        return
    by_column = (_named(fold_column), _named(group_by))
    chosen = None if only is None else read_ids(only)
    asked = Asked(classifier, folds, *by_column, repeats, class_weight, report, preset, seed, after, chosen)
    _check(asked)
    with open_writable(collection) as opened, _telling(progress, json_) as tell:
        metrics, run_id = run_evaluation(opened, asked, tell)
    if progress == "json":
        _line(run=run_id)
        return
    show_json({**metrics, "run": run_id}) if json_ else evaluate_text.show(metrics, run_id)


def _named(column: str | None) -> str | None:
    return (column or "").strip().lower() or None


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
    if asked.after and (asked.fold_column or asked.repeats > 1):
        raise UsageError("--after takes the folds of a single deal from its run: leave --fold-column, --repeats away.")


def _check_alone(context: typer.Context) -> None:
    given = [
        name
        for name in context.params
        if name not in _GOES_WITH_RERUN and str(context.get_parameter_source(name)).endswith("COMMANDLINE")
    ]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UsageError(f"--rerun takes all settings from its run: leave {flags} away.")


@contextmanager
def _telling(progress: str, json_: bool) -> Iterator[Tell]:
    """A line for people, a line of JSON for each event for a program, or nothing."""
    if progress == "json":
        yield Tell(
            lambda done, of: _line(done=done, of=of),
            lambda step: _line(step=step),
            lambda epoch: _line(**asdict(epoch)),
        )
        return
    with quiet_line(shown=not json_ and progress != "none") as say:
        yield Tell(lambda done, of: say(f"{done} of {of} folds are judged"), say)


def _line(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def _rerun(collection: Path | None, run_id: str, progress: str, json_: bool) -> None:
    from analysis.rerun import comparison, rerun
    from analysis.runs import named_run

    with open_existing(collection) as opened, _telling(progress, json_) as tell:
        run = named_run(opened.store, run_id)
        made = rerun(opened.store, run, on_fold=tell.on_fold, on_step=tell.on_step)
    said = comparison(made, run)
    if progress == "json":
        _line(rerun=said)
        return
    if json_:
        show_json({**made.evaluation.metrics, "rerun": said})
        return
    evaluate_text.show(made.evaluation.metrics, f"{run.id} made again")
    say(str(said["sentence"]))
