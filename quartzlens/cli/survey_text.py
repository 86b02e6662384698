"""A survey of lists as people read it: tables, and what the damaged ids have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quartzlens.cli.common import show_table, shown
from quartzlens.cli.rate import spoken
from quartzlens.figures import how_many, percent

if TYPE_CHECKING:
    from pipeline.stripping import Stripped
    from pipeline.survey import Count, Place, Shared, Survey

_BAR_LENGTH = 24
_CONFLICTS_SHOWN = 20


def show_text(found: "Survey", pause_seconds: float, examples: int) -> None:
    """Print a survey, of each kind of finding so many examples at most, each with as many row numbers."""
    names = _short_names(found.lists)
    for name in found.lists:
        typer.echo(shown(name))
    _show_counts(found)
    _show_categories(found)
    _show_channels(found, examples)
    _show_shared("Ids in several rows", "id", found.repeated_ids, names, examples)
    _show_shared("Titles in several rows", "title", found.repeated_titles, names, examples)
    _show_conflicts(found, names, examples)
    if found.damaged:
        _show_damage(found, names, examples)
    _show_shared("Reasons why rows cannot be used", "reason", found.unusable, names, examples)
    if any(len(many) > examples for many in (found.unusable, *(one.places for one in found.unusable))):
        typer.echo("--json lists every row that cannot be used.")
    _show_plan(found, pause_seconds)


def _short_names(lists: Sequence[str]) -> dict[str, str]:
    """What stands before a row's number: nothing for a single list, the file's name where that tells lists apart."""
    if len(lists) == 1:
        return {lists[0]: ""}
    short = [Path(name).name for name in lists]
    return {name: f"{one}#" for name, one in zip(lists, short if len(set(short)) == len(lists) else lists, strict=True)}


def _numbers(places: Sequence["Place"], names: Mapping[str, str], examples: int) -> str:
    first = ", ".join(f"{names[place.source_list]}{place.number}" for place in places[:examples])
    return first + (f" and {len(places) - examples:,} more" if len(places) > examples else "")


def _titled(what: str, count: int, limit: int) -> str:
    return f"{what}: {count:,}" + (f"; {limit} shown" if count > limit else "")


def _show_counts(found: "Survey") -> None:
    from pipeline.survey import DEFINITIONS, totals

    cells = [(key.replace("_", " "), f"{count:,}", DEFINITIONS[key]) for key, count in totals(found).items()]
    show_table(("what", "count", "counted are"), cells)


def _show_categories(found: "Survey") -> None:
    named = [(one.name, one.rows) for one in found.categories]
    unnamed = [("(none)", found.rows_without_category)] if found.rows_without_category else []
    shares = [(name, rows, rows / found.usable_rows) for name, rows in named + unnamed]
    cells = [(name, f"{rows:,}", percent(share, 1), "█" * round(share * _BAR_LENGTH)) for name, rows, share in shares]
    if cells:
        show_table(("category", "rows", "of usable", ""), cells, title=f"Categories: {len(named):,}")


def _show_channels(found: "Survey", examples: int) -> None:
    cells = [(one.name, f"{one.rows:,}") for one in found.channels[:examples]]
    if found.rows_without_channel:
        cells.append(("(none)", f"{found.rows_without_channel:,}"))
    if cells:
        show_table(("channel", "rows"), cells, title=_titled("Channels", len(found.channels), examples))


def _show_shared(what: str, column: str, shared: Sequence["Shared"], names: Mapping[str, str], examples: int) -> None:
    """The first of many, each with its rows; nothing where there are none."""
    if shared:
        cells = [(one.text, f"{len(one.places):,}", _numbers(one.places, names, examples)) for one in shared[:examples]]
        show_table((column, "rows", "their numbers"), cells, title=_titled(what, len(shared), examples))


def _show_conflicts(found: "Survey", names: Mapping[str, str], examples: int) -> None:
    if found.conflicts:
        cells = [
            (one.text, _counted(one.categories), _numbers(one.places, names, examples))
            for one in found.conflicts[:_CONFLICTS_SHOWN]
        ]
        title = _titled("Ids under several categories", len(found.conflicts), _CONFLICTS_SHOWN)
        show_table(("id", "categories and their rows", "row numbers"), cells, title=title)
    damaged = sum(one.damage is not None for one in found.conflicts)
    if damaged:
        typer.echo(f"{damaged:,} of these ids are damaged: their rows need not mean one video.")


def _counted(counts: Sequence["Count"]) -> str:
    return ", ".join(f"{one.name} {one.rows:,}" for one in counts)


def _show_damage(found: "Survey", names: Mapping[str, str], examples: int) -> None:
    """Damaged ids by kind, then by length, then how the incomplete ones came about."""
    from pipeline.survey import DAMAGE, by_damage, lengths, n_rows

    kinds = {kind: ids for kind, ids in by_damage(found.damaged).items() if ids}
    cells = [
        (
            DAMAGE[kind],
            f"{n_rows(ids):,}",
            f"{len(ids):,}",
            ", ".join(f"{one.text} (row {_numbers(one.places, names, 1)})" for one in ids[:examples]),
        )
        for kind, ids in kinds.items()
    ]
    show_table(("damage", "rows", "ids", "examples"), cells, title=f"Rows with a damaged id: {n_rows(found.damaged):,}")
    rows = [(str(length), f"{count:,}") for length, count in lengths(found.damaged).items()]
    show_table(("characters", "rows"), rows, title="Damaged ids by length")
    if found.stripped:
        typer.echo("\n".join(stripped_lines(found.stripped)))
    elif "incomplete" in kinds:
        typer.echo("How ids became incomplete, the ids themselves do not show.")


def stripped_lines(causes: Sequence["Stripped"]) -> tuple[str, ...]:
    """What was stripped, the evidence with its chance, and how much of the damage it explains; causes, one at least."""
    from pipeline.stripping import expected_incomplete

    first = causes[0]
    lines = ["How ids became incomplete, by the ids themselves:"]
    lines += [
        f"- The characters of {one.address} were stripped from their {one.end}: no id has one of its "
        f"{len(one.letters)} letters ({one.letters}) there. If the ids were whole, with {one.n_possible} letters "
        f"possible there, the chance of that would be ({one.n_left}/{one.n_possible})^{one.n_ids}, "
        f"about 10^{one.log10_chance:.0f}."
        for one in causes
    ]
    if first.n_incomplete < first.n_ids:  # else incomplete ids alone were looked at, of which no share tells anything
        lines.append(
            f"- Stripping makes {percent(expected_incomplete(causes), 1)} of whole ids incomplete; "
            f"of these {first.n_ids:,} different ids {percent(first.n_incomplete / first.n_ids, 1)} are."
        )
    return tuple(lines)


def _show_plan(found: "Survey", pause_seconds: float) -> None:
    """What an ingest would do, as far as it is known without an encoder."""
    typer.echo(
        f"An ingest into a new collection would try {how_many(found.links + found.files, 'video')} "
        f"({how_many(found.links, 'link')}, {how_many(found.files, 'file')}); "
        f"{how_many(len(found.damaged), 'damaged id costs', 'damaged ids cost')} no request."
    )
    if found.playlists:
        lists = how_many(found.playlists, "playlist or channel", "playlists or channels")
        typer.echo(f"It would also read {lists}, of which nobody was asked here.")
    if found.links and pause_seconds:
        typer.echo(
            f"Its pauses between downloads alone, {pause_seconds:g} s each, would take about "
            f"{spoken(found.links * pause_seconds)}."
        )
