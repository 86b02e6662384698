"""``quartzlens ingest --dry-run``: what lists hold, without a request and without a collection."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quartzlens.cli.common import show_json

if TYPE_CHECKING:
    from pipeline.survey import Shared, Survey

EXAMPLES = 5


def show_survey(
    sources: Sequence[str], label_column: str | None, *, json_: bool, files_within: Path | None = None
) -> None:
    """Print what the sources hold, as text or as the one JSON object of ``as_json``.

    Raises
    ------
    UsageError
        A source or the column of the label is not there.
    """
    from pipeline.survey import survey
    from quartzlens.cli.reading import confined, read_sources
    from quartzlens.cli.survey_text import show_text
    from quartzlens.config import load_settings

    found = survey(confined(read_sources(sources, label_column), files_within))
    pause_seconds = load_settings().pause_seconds
    if json_:
        show_json(as_json(found, pause_seconds))
    else:
        show_text(found, pause_seconds, EXAMPLES)


def as_json(found: "Survey", pause_seconds: float) -> dict[str, Any]:
    """The survey as JSON values: the counts of ``DEFINITIONS`` under its keys, and what they count.

    Examples are 5 at most, each with its first 5 rows; conflicts and unusable rows are all there. An ``id`` is a
    YouTube id as the list gives it, else a link or a path. The share of a category is of the usable rows, in [0, 1].
    """
    from pipeline.survey import DEFINITIONS, totals

    unusable = sorted((place, one.text) for one in found.unusable for place in one.places)
    return {
        "lists": list(found.lists),
        **totals(found),
        "categories": [
            {"category": one.name, "rows": one.rows, "share": one.rows / found.usable_rows} for one in found.categories
        ],
        "rows_without_category": found.rows_without_category,
        "largest_channels": [{"channel": one.name, "rows": one.rows} for one in found.channels[:EXAMPLES]],
        "rows_without_channel": found.rows_without_channel,
        "repeated_id_examples": [_example("id", one) for one in found.repeated_ids[:EXAMPLES]],
        "repeated_title_examples": [_example("title", one) for one in found.repeated_titles[:EXAMPLES]],
        "conflicts": [
            {**_example("id", one), "categories": {of.name: of.rows for of in one.categories}, "damage": one.damage}
            for one in found.conflicts
        ],
        "damage": _damage_json(found),
        "unusable": [{"list": place.source_list, "row": place.number, "problem": text} for place, text in unusable],
        "ingest": {
            "links": found.links,
            "files": found.files,
            "pause_seconds": pause_seconds,
            "all_pauses_seconds": found.links * pause_seconds,
        },
        "definitions": DEFINITIONS,
    }


def _damage_json(found: "Survey") -> dict[str, Any]:
    from pipeline.stripping import expected_incomplete
    from pipeline.survey import DAMAGE, by_damage, lengths, n_rows

    kinds = {
        kind: {
            "reason": DAMAGE[kind],
            "ids": len(ids),
            "rows": n_rows(ids),
            "rows_by_length": lengths(ids),
            "examples": [_example("id", one) for one in ids[:EXAMPLES]],
        }
        for kind, ids in by_damage(found.damaged).items()
    }
    return {
        "ids": len(found.damaged),
        "rows_by_length": lengths(found.damaged),
        "kinds": kinds,
        "stripped": [{**asdict(one), "log10_chance": one.log10_chance} for one in found.stripped],
        "expected_incomplete_share": expected_incomplete(found.stripped) if found.stripped else None,
    }


def _example(key: str, one: "Shared") -> dict[str, Any]:
    first = [{"list": place.source_list, "row": place.number} for place in one.places[:EXAMPLES]]
    return {key: one.text, "rows": len(one.places), "first_rows": first}
