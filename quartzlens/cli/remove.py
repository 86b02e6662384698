"""``quartzlens remove``: erase videos from a collection, with all that is theirs."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import CollectionOption, open_existing, show_table
from quartzlens.errors import CollectionError, UnknownVideoError, UsageError
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from quartzlens.records import Video
    from store.collection import Collection

AGAIN = "Ingesting a list that still holds {them} brings {them} back: take {them} out of the list as well."


def remove(
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Ids of videos. Put `--` before an id that starts with a dash."),
    ],
    collection: CollectionOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase videos: their embeddings, fragments, words, labels and rows, the media and the thumbnail that were kept.

    Runs that judged them keep their numbers. There is no way back but to ingest them anew.

    Example: quartzlens remove dQw4w9WgXcQ -c my-collection
    """
    from store.collection import ingest_lock
    from store.removal import is_unfinished, remove_videos, where_bytes_stay

    with open_existing(collection) as opened:
        if opened.read_only:
            raise CollectionError(f"{opened.folder} is read-only: nothing can be removed from it by this user.")
        if is_unfinished(opened):
            with ingest_lock(opened.folder):
                remove_videos(opened, ())
            typer.echo("A removal that was cut off before is finished now.", err=True)
            if not opened.store.videos(frozenset(ids)):
                return
        videos = _wanted(opened, ids)
        if not yes:
            _ask(opened, videos)
        with ingest_lock(opened.folder):
            n = remove_videos(opened, ids)
        typer.echo(f"Removed {how_many(n, 'video')} from {opened.folder}.")
        if (opened.folder / "calibration").is_dir():
            typer.echo("The folder `calibration` in it stays: features of some videos' sound, which int8 needs.")
        if staying := where_bytes_stay(opened):
            typer.echo(staying)
        typer.echo(AGAIN.format(them="it" if n == 1 else "them"))


def _wanted(collection: "Collection", ids: Sequence[str]) -> "tuple[Video, ...]":
    """The videos of all ids, in the order of the collection; UnknownVideoError where one is not there."""
    videos = collection.store.videos(frozenset(ids))
    unknown = sorted(set(ids) - {video.id for video in videos})
    if unknown:
        raise UnknownVideoError(
            f"Not in {collection.folder}: {', '.join(map(repr, unknown))}. No video was removed by this command; "
            "`quartzlens status --list OUTCOME` lists ids (of outcome ok, pending and so on)."
        )
    return videos


def _ask(collection: "Collection", videos: "Sequence[Video]") -> None:
    """Show what goes, and go on only with a person's yes."""
    if not sys.stdin.isatty():
        raise UsageError("remove asks before it erases, and here is no terminal to ask on: add --yes to go ahead.")
    store, ids = collection.store, [video.id for video in videos]
    encoders = store.info().encoders
    embedded = [video_id for one in encoders for video_id in store.embeddings(one, ids).ids]
    fragments = [video_id for one in encoders for video_id in store.fragments(one, ids).ids]
    rows = [
        (video.id, video.title, video.category, embedded.count(video.id), fragments.count(video.id), _files(video))
        for video in videos
    ]
    show_table(("id", "title", "label", "embeddings", "fragments", "kept files"), rows)
    if not typer.confirm(f"Erase {how_many(len(videos), 'video')} for good?"):
        typer.echo("Nothing was removed.")
        raise typer.Exit(1)


def _files(video: "Video") -> str:
    media = video.media
    return ", ".join(filter(None, (media.media_file, media.thumbnail_file))) if media else ""
