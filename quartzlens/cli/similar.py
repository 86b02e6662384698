"""``quartzlens similar``: what sounds like a video, a moment of it, a file or a link, among all or some."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    SearchDevice,
    fetch_options,
    fingerprint_of,
    known,
    open_existing,
    show_json,
    show_table,
    shown,
)
from quartzlens.cli.encoders import query_encoder_of
from quartzlens.errors import QuartzlensError, UsageError
from quartzlens.figures import nearness

if TYPE_CHECKING:
    import pandas as pd

    from analysis.neighbours import Query
    from quartzlens.records import Embedded, Fingerprint
    from store.collection import Collection

_VIDEO_KEYS = ("id", "title", "category", "similarity", "percentile")
_FRAGMENT_KEYS = (
    "id", "title", "category", "channel", "start_seconds", "end_seconds", "heard", "probability", "thumbnail_file",
    "similarity", "percentile",
)  # fmt: skip


QueryArgument = Annotated[
    str, typer.Argument(help="A video's id, a media file, or a link. Put `--` before an id that starts with a dash.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Only videos of which this is true: `category=food`, `length>30`, `right=no`, `title~soup`, "
        "`channel in (A, 'B, C')`. Several are joined by `and`, or given one by one.",
        show_default=False,
    ),
]
FragmentsOption = Annotated[bool, typer.Option("--fragments", help="The nearest fragments in place of videos.")]
AtOption = Annotated[
    float | None, typer.Option(help="Search with the fragment at this second of QUERY.", show_default=False)
]
RunOption = Annotated[
    str | None, typer.Option(help="Evaluation that `prediction`, `fold` and `right` are of (default: the latest).")
]


def similar(
    query: QueryArgument,
    collection: CollectionOption = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many neighbours.")] = 10,
    where: WhereOption = None,
    fragments: FragmentsOption = False,
    at: AtOption = None,
    run: RunOption = None,
    device: SearchDevice = None,
    json_: JsonOption = False,
) -> None:
    """Find the videos, or the fragments, that sound most like a video, a moment of it, a file or a link.

    Example: quartzlens similar party.mp4 -c my-collection -k 5

    Example: quartzlens similar party.mp4 --fragments --at 12.5 --where "category=food and right=no"

    Conditions are about id, title, description, category, channel, source, outcome, length (seconds), loudness (dBFS),
    silent, prediction, fold, right, and every column of your lists; operators are = != < <= > >= ~ !~ in (...).
    """
    from analysis.where import parse

    conditions = parse(*where or ())
    with open_existing(collection, device) as opened:
        from analysis.matching import asked_within
        from analysis.near_fragments import fragments_near
        from analysis.neighbours import neighbours_of

        fingerprint = fingerprint_of(opened)
        within = asked_within(opened.store, conditions, fingerprint, run)
        search = fragments_near if fragments else neighbours_of
        found = search(opened.store, fingerprint, _query(opened, fingerprint, query, at), k, within)
    if json_:
        keys = _FRAGMENT_KEYS if fragments else _VIDEO_KEYS
        show_json([{key: known(row[key]) for key in keys} for row in found.to_dict("records")])
    elif found.empty:
        typer.echo(
            f"Nothing that is embedded matches {shown(conditions)}."
            if within is not None
            else "The collection holds nothing else."
        )
    else:
        _show(found, fragments=fragments)


def _show(found: "pd.DataFrame", *, fragments: bool) -> None:
    rows = [{key: known(value) for key, value in row.items()} for row in found.to_dict("records")]
    seconds = ("seconds", "heard (unsure)") if fragments else ()
    show_table(
        ("id", "title", "category", *seconds, "similarity", "nearer than"),
        [
            (
                *(row[key] for key in ("id", "title", "category")),
                *((f"{row['start_seconds']:.0f}-{row['end_seconds']:.0f}", row["heard"]) if fragments else ()),
                row["similarity"],
                nearness(float("nan") if row["percentile"] is None else row["percentile"]),
            )
            for row in rows
        ],
    )


def _query(collection: "Collection", fingerprint: "Fingerprint", query: str, at: float | None) -> "Query":
    """What is searched with: a video of the collection, a moment of it, or what a file or link sounds like."""
    from analysis.neighbours import Moment, fragment_at
    from quartzlens.records import Fragments

    if collection.store.embeddings(fingerprint, [query]).ids:
        return query if at is None else Moment(query, at)
    embedded = _embedded(collection, query)
    if at is None:
        return embedded.embedding
    ids, words = (query,) * len(embedded.bounds), (None,) * len(embedded.bounds)
    return fragment_at(Fragments(ids, embedded.bounds, embedded.fragments, words), at)


def _embedded(collection: "Collection", query: str) -> "Embedded":
    """Embeddings of a media file or link that is not (yet) in the collection; nothing is kept."""
    from pipeline import runner
    from pipeline.fetch import Fetcher
    from quartzlens.records import Video

    source = _source(collection, query)
    encoder = query_encoder_of(collection)
    with TemporaryDirectory() as folder, Fetcher(encoder.fingerprint, fetch_options(Path(folder))) as fetcher:
        video = Video(id="query", source=source)
        result = runner.embed(encoder, video, fetcher.fetch(video))
    if result.embedded is None:
        raise QuartzlensError(f"{query}: {result.outcome} ({result.detail})")
    return result.embedded


def _source(collection: "Collection", query: str) -> str:
    """The link or path that a query means, as ingest would read it."""
    from pipeline.sources import read_source

    try:
        found = read_source(query)
    except UsageError as error:
        raise UsageError(f"{query!r} is no id with an embedding in {collection.folder}; {error}") from error
    if found.playlists:
        raise UsageError(f"{query!r} leads to a playlist or channel; give one id, file or link of a video.")
    if len(found.rows) != 1:
        raise UsageError(f"{query!r} leads to {len(found.rows)} videos; give one id, file or link.")
    return found.rows[0].source
