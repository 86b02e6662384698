"""``quartzlens labels suggest|next|set|undo|history|export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    fingerprint_of,
    open_existing,
    say,
    show_json,
    show_table,
)
from quartzlens.cli.copies import copies_in
from quartzlens.cli.evaluate import ClassifierOption
from quartzlens.cli.explain import RunOption, evaluation_of
from quartzlens.cli.label_csv import write_list
from quartzlens.cli.writing import checked_target
from quartzlens.errors import CollectionError, UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    import pandas as pd

    from store.collection import Collection

labels_app = typer.Typer(
    help="Labels: which look wrong, which to give next, giving one, and the list with old and new ones.",
    no_args_is_help=True,
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Of a video; after -- where it begins with a dash.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says it; the history keeps the name.")]
NoteOption = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; the history keeps it.")]
CountOption = Annotated[int, typer.Option("-n", min=1, help="How many at most.")]
_TWO_RULES = (
    "Found by the probabilities of all labels together (cleanlab). The verdict of `explain ID` asks the video's own "
    "signs as well, neighbours and seconds: the two need not agree."
)
_OF_NOW = "Probabilities are of a classifier that learned from all labels just now; `predict` asks that of a kept run."


@labels_app.command()
def suggest(
    collection: CollectionOption = None,
    n: CountOption = 20,
    run: RunOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that cleanlab does not take for wrong.")] = False,
    json_: JsonOption = False,
) -> None:
    """List the labels that look wrong, the worst first; what a person has decided, or is silent, is left out.

    Example: quartzlens labels suggest -c my-collection
    """
    from analysis.label_quality import suggested_errors
    from analysis.label_work import decided

    with open_existing(collection) as opened:
        _, evaluation = evaluation_of(opened, run)
        table = suggested_errors(evaluation)
        known = {video.id: video for video in opened.store.videos(list(table["id"])) if not video.silent}
        table = table[table["id"].isin(known) & ~table["id"].isin(decided(opened.store))]
    table = (table if all_ else table[table["issue"]]).head(n)
    table.insert(1, "title", [known[video_id].title for video_id in table["id"]])
    _print(table, json_, "No label looks wrong.")
    if not json_ and len(table):
        typer.echo(_TWO_RULES)


@labels_app.command("next")
def next_(
    collection: CollectionOption = None,
    n: CountOption = 20,
    classifier: ClassifierOption = "logistic",
    json_: JsonOption = False,
) -> None:
    """List the videos whose label would teach most: uncertain ones that do not sound alike.

    Example: quartzlens labels next -c my-collection -n 10
    """
    from analysis.label_next import next_to_label

    with open_existing(collection) as opened:
        used = fingerprint_of(opened)
        table = next_to_label(opened.store, used, n, classifier=classifier, copies=copies_in(opened))
    _print(table, json_, "Every embedded video that can be heard has its label.")
    if not json_ and len(table):
        typer.echo(_OF_NOW)


@labels_app.command("set")
def set_(
    video_id: IdArgument,
    category: Annotated[str, typer.Argument(help="The category.")],
    collection: CollectionOption = None,
    new: Annotated[bool, typer.Option("--new", help="The category is a new one, not mistyped.")] = False,
    by: ByOption = "",
    note: NoteOption = "",
) -> None:
    """Give a video a label; it wins over those of lists, and the history keeps both.

    Example: quartzlens labels set demo-006-113cda51 food -c my-collection --by Ana --note "a pan at 0:20"
    """
    from analysis.label_words import By
    from analysis.label_work import relabel

    with _writable(collection) as opened:
        there = sorted({name for video in opened.store.videos() for name in video.categories})
        if not new and there and category.strip() not in there:
            raise UsageError(f"No video has the category '{category}'; there are {', '.join(there)}. --new makes one.")
        label = relabel(opened.store, video_id, category, by=By(by, note))
    say(f"{label.video_id}: {label.category}. `quartzlens evaluate` shows what it changes.")


@labels_app.command()
def undo(video_id: IdArgument, collection: CollectionOption = None, by: ByOption = "") -> None:
    """Take your own last label of a video back; undone twice, it is there again. Another person's stays.

    Example: quartzlens labels undo demo-006-113cda51 -c my-collection
    """
    from analysis.label_work import undo as take_back

    with _writable(collection) as opened:
        take_back(opened.store, video_id, person=by.strip())
        (video,) = opened.store.videos([video_id])
    say(f"{video_id}: {' + '.join(video.categories) or 'no label'}")


@labels_app.command()
def history(
    video_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One video; all where left out.")] = None,
    collection: CollectionOption = None,
    json_: JsonOption = False,
) -> None:
    """Show every label that was ever given, oldest first.

    Example: quartzlens labels history demo-006-113cda51 -c my-collection
    """
    from analysis.label_work import label_history

    with open_existing(collection) as opened:
        table = label_history(opened.store, video_id)
    _print(table, json_, "No label was given yet.")


@labels_app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The CSV to write.")],
    collection: CollectionOption = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only videos whose label a person changed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write all videos with their old and new labels as a CSV; no cell is a formula to a spreadsheet.

    Example: quartzlens labels export labels.csv -c my-collection --changed
    """
    from analysis.label_work import labelled_list

    checked_target(out, (".csv",), yes=yes)
    with open_existing(collection) as opened:
        table = labelled_list(opened.store)
    table = table[table["changed"].astype(bool)] if changed else table
    write_list(table, out)
    typer.echo(f"{how_many(len(table), 'video')} written to {out}")


def _print(table: "pd.DataFrame", json_: bool, nothing: str) -> None:
    rows = [{name: _value(cell) for name, cell in row.items()} for row in table.to_dict("records")]
    if json_:
        show_json(rows)
    else:
        show_table(tuple(map(str, table.columns)), [tuple(row.values()) for row in rows], empty=nothing)


def _value(cell: object) -> object:
    """A cell as JSON has it: numbers of numpy as Python's."""
    return cell.item() if hasattr(cell, "item") else cell


def _writable(collection: Path | None) -> "Collection":
    opened = open_existing(collection)
    if opened.read_only:
        raise CollectionError(f"{opened.folder} is read-only, so no label can be kept: copy it to a folder of yours.")
    return opened
