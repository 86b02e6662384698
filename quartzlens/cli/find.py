"""``quartzlens find``: the seconds in which words were heard."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, open_existing, show_json, show_table
from quartzlens.errors import UsageError
from quartzlens.figures import percent

if TYPE_CHECKING:
    from store.collection import Collection


def find(
    words: Annotated[list[str], typer.Argument(help="Words, or their beginnings, that all were heard in a fragment.")],
    collection: CollectionOption = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10000, help="How many fragments at most.")] = 20,
    json_: JsonOption = False,
) -> None:
    """Find the fragments in which words were heard. What the checkpoint's decoder hears is unsure, and often wrong.

    Example: quartzlens find sea -c demo-collection
    """
    if not "".join(words).strip():
        raise UsageError("find looks for words: give at least one.")
    with open_existing(collection) as opened:
        found = _found(opened, " ".join(words), k)
    if json_:
        show_json(found)
    else:
        show_table(
            ("id", "title", "category", "seconds", "heard (unsure)", "sure"),
            [
                (row["id"], row["title"], row["category"], _span(row), row["heard"], percent(row["probability"]))
                for row in found
            ],
            empty="No fragment. Words are heard unsurely: try the beginning of a word, or one word alone.",
        )


def _found(collection: "Collection", saying: str, most: int) -> list[dict[str, Any]]:
    """Fragments by the latest encoder that heard the words, best match first."""
    store = collection.store
    for fingerprint in reversed(store.info().encoders):
        fragments = store.fragments(fingerprint, saying=saying, most=most)
        if not fragments.ids:
            continue
        videos = {video.id: video for video in store.videos(set(fragments.ids))}
        return [
            {
                "id": video_id,
                "title": videos[video_id].title,
                "category": videos[video_id].category,
                "start_seconds": float(bounds[0]),
                "end_seconds": float(bounds[1]),
                "heard": words.text,
                "probability": words.probability,
            }
            for video_id, bounds, words in zip(fragments.ids, fragments.bounds, fragments.words, strict=True)
            if words is not None
        ]
    return []


def _span(row: dict[str, Any]) -> str:
    return f"{row['start_seconds']:.0f}-{row['end_seconds']:.0f}"
