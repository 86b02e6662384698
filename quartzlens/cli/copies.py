"""What ``quartzlens status`` tells of videos with the same sound."""

from typing import TYPE_CHECKING

import typer

from quartzlens.cli.common import say, show_json, show_table
from quartzlens.figures import how_many

if TYPE_CHECKING:
    import pandas as pd

    from store.collection import Collection


def copies_in(collection: "Collection") -> "pd.DataFrame":
    """The table of ``analysis.duplicates.duplicate_groups``, without rows where nothing is embedded yet."""
    from analysis.copies_kept import kept_copies
    from store.collection import current_fingerprint

    return kept_copies(collection.store, current_fingerprint(collection), collection.index_folder)


def counted(copies: "pd.DataFrame") -> dict[str, int]:
    """How many ``videos`` are copies of others, in how many ``groups``."""
    return {"videos": len(copies), "groups": int(copies["group"].nunique())}


def say_copies(collection: "Collection") -> None:
    """One line on copies; nothing where there are none."""
    counts = counted(copies_in(collection))
    if counts["groups"]:
        found = f"{counts['videos']:,} videos are copies of others ({how_many(counts['groups'], 'group')})"
        typer.echo(f"{found}: --duplicates lists them.")


def show_copies(collection: "Collection", json_: bool) -> None:
    """List the videos of every group of copies, and say how many could hardly be compared."""
    from analysis.duplicates import hardly_compared

    copies = copies_in(collection)
    video_of = {video.id: video for video in collection.store.videos(list(copies["id"]))}
    rows = [{**row, "title": video_of[row["id"]].title} for row in copies.to_dict("records")]
    if json_:
        show_json(rows)
        return
    columns = ("group", "id", "title", "copy of", "offset", "agreement")
    cells = [
        (row["group"], row["id"], row["title"], row["copy_of"], f"{row['offset_seconds']:+.0f} s", row["agreement"])
        for row in rows
    ]
    show_table(columns, cells, empty="No two embedded videos have the same sound.")
    if said := hardly_compared(copies):
        say(said)
