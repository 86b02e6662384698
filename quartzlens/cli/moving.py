"""``quartzlens init`` and ``quartzlens copy``: where a collection is kept, and keeping it elsewhere."""

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, collection_folder, show_json
from quartzlens.cli.encoders import Block, CheckpointName, EngineOptions, Pooling, Precision, checked
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from store.copying import OnProgress

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="local (the default), or milvus:PATH for Milvus Lite (from the collection's folder), "
        "or milvus:http://HOST:PORT for a Milvus server.",
        show_default=False,
    ),
]
_SECONDS = 2.0


def init(
    collection: CollectionOption = None,
    store: StoreOption = None,
    checkpoint: CheckpointName = None,
    block: Block = None,
    pooling: Pooling = None,
    precision: Precision = None,
) -> None:
    """Make an empty collection, and choose what it is kept in; `ingest` makes one in SQLite by itself.

    Example: quartzlens init -c my-collection --store milvus:http://localhost:19530
    """
    from store.collection import EncoderChoice
    from store.moving import made

    given = {"checkpoint": checkpoint, "block": block, "pooling": pooling, "precision": precision}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if precision == "int8":
        raise UsageError(
            "int8 is calibrated with videos: make the collection in f32, and `reembed --precision int8` it."
        )
    encoder = checked(EncoderChoice(**wanted), EngineOptions()) if wanted else EncoderChoice()
    folder = collection_folder(collection)
    with made(folder, encoder, _checked(store)):
        typer.echo(f"{folder} is a collection, kept in {store or 'local'}.")


def copy(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="Folder of the collection.")],
    target: Annotated[Path, typer.Argument(metavar="TO", help="Folder of the copy: new, or of an empty collection.")],
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """Copy a collection to another folder and store: everything but what is made anew (indexes, maps); verified.

    Run it again to go on where it stopped. A collection that holds something else is left alone.

    Example: quartzlens copy my-collection shared --store milvus:http://localhost:19530
    """
    from store.collection import ingest_lock, open_collection
    from store.moving import copy_collection, made

    if source.resolve() == target.resolve():
        raise UsageError("FROM and TO are the same folder.")
    with ExitStack() as stack:
        opened = stack.enter_context(open_collection(source))
        if not opened.read_only:
            stack.enter_context(ingest_lock(source))
        there = (target / "collection.toml").exists()
        kept = stack.enter_context(
            open_collection(target) if there and store is None else made(target, opened.encoder, _checked(store))
        )
        stack.enter_context(ingest_lock(target))
        copied = copy_collection(opened, kept, _shown())
    if json_:
        show_json(asdict(copied))
    else:
        typer.echo(
            f"{target} has all of {source}, verified: {copied.videos} videos ({copied.new_videos} copied now), "
            f"{copied.embeddings} embeddings, {copied.fragments} fragments, {copied.labels} labels, {copied.runs} runs."
        )


def _checked(store: str | None) -> str | None:
    if store is None or store == "local" or store.removeprefix("milvus:") not in {"", store}:
        return store
    raise UsageError(f"--store {store!r} is not known; use local, milvus:PATH or milvus:http://HOST:PORT.")


def _shown() -> "OnProgress":
    """A line on standard error every few seconds, and at the end of each part."""
    spoke = time.monotonic()

    def on_progress(what: str, done: int, total: int) -> None:
        nonlocal spoke
        if done == total or time.monotonic() - spoke >= _SECONDS:
            spoke = time.monotonic()
            typer.echo(f"{done} of {total} {what}", err=True)

    return on_progress
