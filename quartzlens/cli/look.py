"""``quartzlens status``: what is in a collection, and what was lost."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    open_existing,
    outcome_counts,
    show_json,
    show_table,
    shown,
)
from quartzlens.cli.copies import copies_in, counted, say_copies, show_copies
from quartzlens.cli.index import say_indexes
from quartzlens.errors import UsageError
from quartzlens.figures import percent, sources

if TYPE_CHECKING:
    from analysis.survivorship import Survival
    from store.base import Store
    from store.collection import Collection


def summarise(store: "Store") -> dict[str, Any]:
    """Count ``rows``, ``bad_rows`` among them, distinct ``videos``, ``outcomes``, ``pending`` and ``silent``."""
    info, videos = store.info(), store.videos()
    outcomes = Counter(str(video.outcome) for video in videos if video.outcome)
    return {
        "rows": info.rows + len(info.bad_rows),
        "bad_rows": len(info.bad_rows),
        "videos": len(videos),
        "outcomes": dict(outcomes.most_common()),
        "pending": len(videos) - outcomes.total(),
        "silent": sum(video.silent for video in videos),
    }


def status(
    collection: CollectionOption = None,
    list_: Annotated[
        str | None, typer.Option("--list", help="List the videos of this outcome (or `pending`, `silent`).")
    ] = None,
    bad_rows: Annotated[bool, typer.Option("--bad-rows", help="List the rows that cannot be used, and why.")] = False,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="List the videos with the same sound.")] = False,
    json_: JsonOption = False,
) -> None:
    """Show how many videos are in, what became of the others, and whether some categories lost more than others.

    Example: quartzlens status -c my-collection --list undecodable
    """
    with open_existing(collection) as opened:
        if bad_rows:
            _show_bad_rows(opened.store, json_)
        elif list_:
            _show_outcome(opened.store, list_, json_)
        elif duplicates:
            show_copies(opened, json_)
        elif json_:
            told = {"copies": counted(copies_in(opened)), "survivorship": _survivorship_json(opened.store)}
            show_json({**summarise(opened.store), "encoders": _encoders(opened), **told})
        else:
            _show_summary(opened)
            say_indexes(opened)
            say_copies(opened)
            _show_survivorship(opened.store)


def _show_bad_rows(store: "Store", json_: bool) -> None:
    bad = store.info().bad_rows
    if json_:
        show_json([{"list": one.source_list, "row": one.number, "problem": one.problem} for one in bad])
    else:
        cells = [(one.source_list, one.number, one.problem) for one in bad]
        show_table(("list", "row", "problem"), cells, empty="Every row of the lists can be used.")


def _show_outcome(store: "Store", name: str, json_: bool) -> None:
    from quartzlens.outcomes import Outcome

    if name not in {*Outcome, "pending", "silent"}:
        raise UsageError(f"{name!r} is not an outcome; use one of: pending, silent, {', '.join(sorted(Outcome))}.")
    rows = [
        {
            "id": video.id,
            "title": video.title,
            "category": video.category,
            "source": video.source,
            "outcome": str(video.outcome or "pending"),
            "stage": video.stage,
            "detail": video.detail,
        }
        for video in store.videos()
        if name in {str(video.outcome or "pending"), "silent" if video.silent else ""}
    ]
    if json_:
        show_json(rows)
    else:
        columns = ("id", "title", "category", "source", "stage", "detail")
        cells = [tuple(row[column] for column in columns) for row in rows]
        show_table(columns, cells, empty=f"No video is {name}.")


def _show_summary(collection: "Collection") -> None:
    counts = summarise(collection.store)
    typer.echo(f"{collection.folder}: {sources(counts['rows'], counts['bad_rows'], counts['videos'])}")
    example = {str(video.outcome): video for video in reversed(collection.store.videos())}
    rows: list[tuple[object, ...]] = []
    for name, count in counts["outcomes"].items():
        video = example[name]
        rows.append((name, count, *(() if name == "ok" else (video.stage, video.id, video.detail))))
    if counts["pending"]:
        rows.append(("pending", counts["pending"], "", "", "run ingest again to go on"))
    show_table(("outcome", "videos", "stage", "example", "detail"), rows)
    if counts["silent"]:
        are = "video is" if counts["silent"] == 1 else "videos are"
        typer.echo(f"{counts['silent']:,} {are} silent (below -80 dBFS): --list silent lists them.")
    for one in _encoders(collection):
        use = "in use" if one["in_use"] else "kept, not in use"
        typer.echo(f"encoder: {one['encoder']}, {one['dimension']} dimensions, {use}")


def _encoders(collection: "Collection") -> list[dict[str, Any]]:
    """The encoders that embedded, oldest first, and which of them is the collection's now."""
    from store.collection import current_fingerprint

    current = current_fingerprint(collection)
    return [
        {"encoder": str(one), "dimension": one.dimension, "in_use": one == current}
        for one in collection.store.info().encoders
    ]


def _survivorship_json(store: "Store") -> dict[str, Any]:
    from analysis.survivorship import as_json, survivorship

    return dict(as_json(survivorship(store.videos())))


def _show_survivorship(store: "Store") -> None:
    """Who was kept of each category, and the channels that lost most; nothing where nothing was lost."""
    from analysis.survivorship import survivorship

    found = survivorship(store.videos())
    if not found.n_lost:
        return
    typer.echo(f"\n{shown(found.sentence)}")
    counts = ("kept", "lost", "pending", "kept share", "95 % interval", "lost by outcome")
    rows = [_survival_row(one, "no category") for one in found.categories]
    show_table(("category", *counts), rows)
    worst = [_survival_row(one, "") for one in found.worst_channels()]
    if worst:
        show_table(("channel", *counts), worst, title="Channels with the most losses")


def _survival_row(one: "Survival", nameless: str) -> tuple[object, ...]:
    share, ends = "", ""
    if one.kept_share is not None and one.interval is not None:
        share, ends = percent(one.kept_share), f"{percent(one.interval[0])} to {percent(one.interval[1])}"
    lost = outcome_counts(one.lost) if one.lost else ""
    return (one.name or nameless, one.kept, one.n_lost, one.pending, share, ends, lost)
