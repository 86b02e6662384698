"""``quartzlens runs``: the trainings and evaluations that are kept; listing, comparing and removing them."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, known, open_existing, say, show_json, show_table
from quartzlens.cli.copies import copies_in
from quartzlens.errors import CollectionError, UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from analysis.compare_runs import ComparedRuns
    from quartzlens.records import Run
    from store.collection import Collection

runs_app = typer.Typer()
_MOST_SHOWN = 20
_COMPARED = ("A", "B", "B less A", "95 % interval")


@runs_app.callback(invoke_without_command=True)
def list_runs(context: typer.Context, collection: CollectionOption = None, json_: JsonOption = False) -> None:
    """List the runs that are kept, the latest last; `runs compare` and `runs remove` take their ids.

    Example: quartzlens runs -c my-collection
    """
    if context.invoked_subcommand is not None:
        # So that `runs -c DIR compare A B` is the same as `runs compare A B -c DIR`.
        context.obj = collection
        return
    from analysis.runs import runs_table

    with open_existing(collection) as opened:
        rows = [
            {name: known(cell) for name, cell in row.items()} for row in runs_table(opened.store).to_dict("records")
        ]
    if json_:
        show_json(rows)
    else:
        columns = ("id", "kind", "when", "classifier", "accuracy (95 % interval)", "videos", "encoder")
        none = "No run is kept yet: `quartzlens evaluate` and `quartzlens train` keep theirs."
        show_table(columns, [_line(row) for row in rows], empty=none)


def _line(row: Mapping[Any, Any]) -> tuple[object, ...]:
    when = local_time(row["created_at"])
    return (row["id"], row["kind"], when, row["classifier"], _accuracy(row), row["n"], row["encoder"])


def _accuracy(row: Mapping[Any, Any]) -> str:
    if row["accuracy"] is None:
        return ""
    ends = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['accuracy']:.3f}{ends}"


def local_time(stamp: str) -> str:
    """A moment in ISO 8601 as the clock on the wall showed it."""
    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}"


@runs_app.command("compare")
def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="Id of an evaluation.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of another.")],
    collection: CollectionOption = None,
    json_: JsonOption = False,
) -> None:
    """Compare two evaluations on the videos that both judged: differences (B less A) with intervals, and who changed.

    Example: quartzlens runs compare evaluate-20261123-190501-ab12 evaluate-20261124-080000-cd34 -c my-collection
    """
    from analysis.compare_runs import compare_runs, groups_of
    from analysis.runs import named_run

    with open_existing(collection or context.obj) as opened:
        store = opened.store
        one, other = (named_run(store, run_id) for run_id in (first, second))
        names = {encoder.key: str(encoder) for encoder in store.info().encoders}
        compared = compare_runs(one, other, groups_of(store, copies_in(opened)), names)
    if json_:
        show_json(compared.as_json())
    else:
        _show(compared)


def _cells(one: Mapping[Any, Any]) -> tuple[Any, ...]:
    """What a row of a comparison shows beside its name."""
    ends = f"{one['low']:+.3f} to {one['high']:+.3f}"
    return one["first"], one["second"], f"{one['difference']:+.3f}", ends


def _show(compared: "ComparedRuns") -> None:
    title = f"{how_many(compared.n, 'video')} that both judged: A is {compared.first.id}, B is {compared.second.id}"
    rows = [(str(one["metric"]).replace("_", " "), *_cells(one)) for one in compared.metrics.to_dict("records")]
    show_table(("metric", *_COMPARED), rows, title)
    scores = compared.per_category[compared.per_category["metric"] == "f1"].to_dict("records")
    if len(scores) <= _MOST_SHOWN:
        show_table(("F1 of a category", *_COMPARED), [(one["category"], *_cells(one)) for one in scores])
    else:
        typer.echo(f"{len(scores):,} categories: --json lists precision, recall and F1 of each.")
    counts = compared.changes["change"].value_counts()
    gained, lost = (int(counts.get(kind, 0)) for kind in ("wrong to right", "right to wrong"))
    typer.echo(
        f"{gained:,} from wrong to right, {lost:,} from right to wrong (McNemar's exact p {compared.mcnemar_p:.3g})."
    )
    shown = compared.changes.head(_MOST_SHOWN)
    if len(shown):
        columns = ["id", "change", "category_second", "predicted_first", "predicted_second", "probability_second"]
        heads = ("id", "change", "label in B", "A said", "B said", "B's probability")
        show_table(heads, list(shown[columns].itertuples(index=False)))
    if len(compared.changes) > len(shown):
        typer.echo(f"{len(compared.changes) - len(shown):,} more changed: --json lists all.")
    for ids, of in ((compared.only_first, "A"), (compared.only_second, "B")):
        if ids:
            typer.echo(f"{how_many(len(ids), 'video')} only in {of}, such as {', '.join(ids[:3])}.")
    for note in compared.notes:
        say(note)


@runs_app.command("remove")
def remove_runs(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of runs.")],
    collection: CollectionOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove runs with their models and tables. There is no way back but to run them again.

    Example: quartzlens runs remove evaluate-20261123-190501-ab12 -c my-collection
    """
    with open_existing(collection or context.obj) as opened:
        if opened.read_only:
            raise CollectionError(f"{opened.folder} is read-only: nothing can be removed from it by this user.")
        runs = _wanted(opened, ids)
        if not yes:
            _ask(runs)
        opened.store.remove((), runs=[run.id for run in runs])
    typer.echo(f"Removed {how_many(len(runs), 'run')} from {opened.folder}.")


def _wanted(collection: "Collection", ids: Sequence[str]) -> "list[Run]":
    """The runs of all ids; UsageError where one is not there."""
    from analysis.runs import unknown_run

    there = {run.id: run for run in collection.store.runs()}
    for run_id in ids:
        if run_id not in there:
            raise UsageError(f"{unknown_run(collection.store, run_id)} Nothing was removed.")
    return [there[run_id] for run_id in dict.fromkeys(ids)]


def _ask(runs: "Sequence[Run]") -> None:
    """Show what goes, and go on only with a person's yes."""
    if not sys.stdin.isatty():
        raise UsageError("runs remove asks before it erases, and here is no terminal to ask on: add --yes to go ahead.")
    show_table(("id", "kind", "when"), [(run.id, run.kind, local_time(run.created_at)) for run in runs])
    if not typer.confirm(f"Remove {how_many(len(runs), 'run')} for good?"):
        typer.echo("Nothing was removed.")
        raise typer.Exit(1)
