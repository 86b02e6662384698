"""``quartzlens index``: the search indexes of a collection, how well they answer, and choosing their kind."""

from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, fingerprint_of, open_existing, show_json, show_table
from quartzlens.figures import how_many, percent

if TYPE_CHECKING:
    from store.collection import Collection
    from store.indexing import IndexFacts

Kind = Annotated[
    str | None,
    typer.Option("--index", help="f32, f16 or hnsw, kept to from now on; auto: by the size (default: no change)."),
]


def index(collection: CollectionOption = None, kind: Kind = None, json_: JsonOption = False) -> None:
    """Make the search indexes anew now, of videos and of fragments, and show how well they answer.

    Nobody needs to: a search makes and renews them. f32 and f16 answer exactly; hnsw goes through a graph, as far as
    finds 96 % of the ten nearest. A search with a filter is exact in all.

    Example: quartzlens index --index hnsw -c my-collection
    """
    from dataclasses import asdict

    from store.indexing import index_facts, make_indexes

    with open_existing(collection) as opened:
        fingerprint = fingerprint_of(opened)
        make_indexes(opened, fingerprint, kind)
        facts = index_facts(opened, fingerprint)
    if json_:
        show_json([asdict(one) for one in facts])
    else:
        columns = ("of", "kind", "vectors", "MB", "recall of the ten nearest")
        show_table(columns, [(one.what, _kind(one), one.count, _megabytes(one), one.recall) for one in facts])


def say_indexes(collection: "Collection") -> None:
    """A line for each search index that is there."""
    from store.collection import current_fingerprint
    from store.indexing import index_facts

    fingerprint = current_fingerprint(collection)
    for one in index_facts(collection, fingerprint) if fingerprint else ():
        since = f", {one.behind} since" if one.behind else ""
        well = "exact" if one.kind != "hnsw" else f"finds {percent(one.recall, 1)} of the ten nearest"
        vectors = how_many(one.count, "vector")
        typer.echo(f"Search index of {one.what}: {_kind(one)}, {vectors}{since}, {_megabytes(one)} MB, {well}.")


def _kind(facts: "IndexFacts") -> str:
    return f"{facts.kind} (chosen)" if facts.chosen else facts.kind


def _megabytes(facts: "IndexFacts") -> str:
    return f"{facts.bytes / 1e6:.1f}"
