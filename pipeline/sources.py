"""From what a person names (a list, a folder, a file, a link) to rows: one usable row leads to one video."""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipeline.folders import media_below
from pipeline.identity import absolute, damaged, is_bare_id, is_link, playlist_link, video_id
from pipeline.meaning import MEDIA_SUFFIXES, has_address, link_of, link_or_path, path_of, unkeepable
from pipeline.tables import SOURCE_COLUMNS, Table, decoded, is_table, lines_of, list_text, read_table
from quartzlens.errors import UsageError
from quartzlens.records import BadRow, Row

__all__ = [
    "LIST_SUFFIXES",
    "REPAIR_COLUMNS",
    "Playlist",
    "SourceList",
    "damaged",
    "is_link",
    "read_source",
    "read_standard_input",
]

LIST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
REPAIR_COLUMNS = ("repair", "repair_sure", "repair_was", "repair_candidates")
_CHANNEL_COLUMNS = ("channel", "group", "source_id")
_LABEL_COLUMNS = ("category", "label")
Raw = TypeVar("Raw")


@dataclass(frozen=True, slots=True)
class Playlist:
    """A link that leads to a list of videos, which only its site can tell, and what the list's row says of them all.

    ``number`` is the row's, ``source_list`` its list's name, None where the link was named alone. Of an ``unsure`` one
    the site is asked whether it is a playlist or a video.
    """

    link: str
    number: int = 1
    label: str | None = None
    channel: str | None = None
    unsure: bool = False
    source_list: str | None = None


@dataclass(frozen=True, slots=True)
class SourceList:
    """The rows of one source, and those that cannot be used.

    ``name`` is an absolute path, the link itself, or "standard input" with a digest of what came there; of a list that
    was repaired, the path of the one that it stands for. A row that names a playlist is in ``playlists``, and none of
    ``rows``.
    """

    name: str
    rows: tuple[Row, ...]
    bad_rows: tuple[BadRow, ...]
    playlists: tuple[Playlist, ...] = ()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns of a table hold what; ``channel`` and ``label`` are None where no column does.

    ``repair`` are those that a repair wrote, none where it did not write the table.
    """

    source: tuple[str, ...]
    channel: str | None
    label: str | None
    repair: tuple[str, ...]


def read_source(source: str, label_column: str | None = None) -> SourceList:
    """Read the rows of a list, of a folder (its sub-folders are the categories), of a single file or of a single link.

    A list is a CSV; where it is called ``.txt`` and has no header, it is one link, YouTube id or path a line.

    Parameters
    ----------
    source
        Path or link, or a bare YouTube id of 11 characters.
    label_column
        The column of a CSV that holds the label; by default ``category``, else ``label``.

    Raises
    ------
    UsageError
        Nothing is there, the list is empty or no text, or it has no column for the source or none of that name.
    """
    if not source.strip():
        raise UsageError("the source is empty: name a list, a folder, a file or a link")
    path = Path(absolute(source))
    if path.is_dir():
        return _folder(path)
    if os.path.lexists(path):
        return _file(path, label_column)
    link = link_of(source.strip())
    if link is None or (is_bare_id(source) and damaged(link)):
        raise UsageError(f"no list, folder or file is at {source!r}, and it is no link: check the path")
    found = playlist_link(link)
    return SourceList(found, (), (), (Playlist(found),)) if found else _single(link, link)


def read_standard_input(raw: bytes, label_column: str | None = None) -> SourceList:
    """Read what came on standard input, a CSV or lines of links, relative paths counted from the current folder.

    The list's name has a digest of its bytes: other bytes are another list, which takes nothing away from this one.

    Raises
    ------
    UsageError
        As ``read_source``.
    """
    text = decoded(raw, "standard input")
    if not text.strip():
        raise UsageError("standard input is empty: write a CSV, or one link, YouTube id or path a line, into it")
    name = f"standard input {hashlib.sha256(raw).hexdigest()[:8]}"
    return _table(text, name, Path.cwd(), label_column) if is_table(text) else _lines(text, name, Path.cwd())


def _file(path: Path, label_column: str | None) -> SourceList:
    suffix = path.suffix.lower()
    if suffix not in LIST_SUFFIXES:
        return _single(str(path), str(path))
    text = list_text(path)
    if suffix != ".txt" or not text.strip() or is_table(text):
        return _table(text, str(path), path.parent, label_column)
    return _lines(text, str(path), path.parent)


def _lines(text: str, name: str, folder: Path) -> SourceList:
    """One source a line; the number of a row is its line's."""

    def row(number: int, line: str) -> Row:
        source = _usable(line, "line", folder)
        return Row(name, number, video_id(source), source, _stem(source))

    one = _list(name, lines_of(text), row)
    if _is_empty(one):
        raise UsageError(f"{name} has comments but no links: nothing to do")
    return one


def _list(name: str, numbered: Iterable[tuple[int, Raw]], row_of: Callable[[int, Raw], Row]) -> SourceList:
    """The list of what ``row_of`` makes of numbered lines or cells; what it raises ValueError for is a bad row."""
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    playlists: list[Playlist] = []
    for number, raw in numbered:
        try:
            row = row_of(number, raw)
        except ValueError as error:
            bad_rows.append(BadRow(name, number, str(error)))
            continue
        found = playlist_link(row.source)
        if found:
            playlists.append(Playlist(found, number, row.label, row.channel, source_list=name))
        else:
            rows.append(row)
    return SourceList(name, tuple(rows), tuple(bad_rows), tuple(playlists))


def _is_empty(one: SourceList) -> bool:
    return not (one.rows or one.bad_rows or one.playlists)


def _usable(text: str, what: str, folder: Path) -> str:
    """The link or absolute path that a cell or line means; ValueError says why there is none."""
    problem = unkeepable(text)
    if problem:
        raise ValueError(problem)
    return link_or_path(text, what, folder)


def _stem(source: str) -> str:
    """The title of what has no other: a file's name; nothing for a link."""
    return "" if is_link(source) else Path(source).stem


def _single(name: str, source: str) -> SourceList:
    problem = unkeepable(source)
    if problem:
        raise UsageError(problem)
    return SourceList(name, (Row(name, 1, video_id(source), source, _stem(source)),), ())


def _table(text: str, name: str, folder: Path, label_column: str | None) -> SourceList:
    table = read_table(text, name)
    columns = _columns(table, name, label_column)
    name = _repaired_list(name) if columns.repair else name

    def row(number: int, cells: dict[str, str]) -> Row:
        return _row(name, number, _source(cells, columns, folder), cells, columns)

    one = _list(name, table.rows, row)
    bad_rows = (*(BadRow(name, number, problem) for number, problem in table.bad), *one.bad_rows)
    one = replace(one, bad_rows=tuple(sorted(bad_rows, key=lambda bad: bad.number)))
    if _is_empty(one):
        raise UsageError(f"{name} has a header but no rows: nothing to do")
    return one


def _columns(table: Table, name: str, label_column: str | None) -> _Columns:
    source = tuple(column for column in SOURCE_COLUMNS if column in table.columns)
    has = f"it has {', '.join(map(repr, table.columns))}"
    if not source:
        raise UsageError(f"{name} has no column 'path', 'link' or 'url' to find the videos by; {has}")
    label = label_column.strip().lower() if label_column else _first(_LABEL_COLUMNS, table.columns)
    if label_column and label not in table.columns:
        raise UsageError(f"{name} has no column {label_column!r} for the labels; {has}")
    repair = REPAIR_COLUMNS if set(REPAIR_COLUMNS) <= set(table.columns) else ()
    return _Columns(source, _first(_CHANNEL_COLUMNS, table.columns), label, repair)


def _first(wanted: tuple[str, ...], columns: tuple[str, ...]) -> str | None:
    return next((column for column in wanted if column in columns), None)


def _repaired_list(name: str) -> str:
    """The list beside it whose rows, in their order, a repaired list has anew; another name than repair's is its own.

    >>> _repaired_list("/a/my.list.repaired.csv"), _repaired_list("/a/mine.csv")
    ('/a/my.list.csv', '/a/mine.csv')
    """
    path = Path(name)
    whole = path.stem.removesuffix(".repaired")
    return str(path.with_name(whole + path.suffix)) if whole else name


def _row(name: str, number: int, source: str, cells: dict[str, str], columns: _Columns) -> Row:
    used = {*columns.source, *columns.repair, "title", "description", "channel", columns.label}
    row = Row(
        source_list=name,
        number=number,
        video_id=video_id(source),
        source=source,
        title=cells.get("title", "").strip() or _stem(source),
        description=cells.get("description", ""),
        channel=_channel(cells, columns),
        label=(cells[columns.label].strip() or None) if columns.label else None,
        extra={column: text for column, text in cells.items() if column not in used},
    )
    problem = _unfit(row)
    if problem:
        raise ValueError(problem)
    return row


def _channel(cells: dict[str, str], columns: _Columns) -> str | None:
    """Who published a row's video. An empty ``group`` or ``source_id`` says that it is in no group with others."""
    said = cells[columns.channel].strip() if columns.channel else ""
    if not said and columns.channel in (None, "channel"):
        said = next(iter(cells.get("description", "").strip().splitlines()), "").strip()
    return said or None


def _source(cells: dict[str, str], columns: _Columns, folder: Path) -> str:
    """The link or absolute path that a row means; ValueError says what is wrong with the row."""
    column = next((column for column in columns.source if cells[column].strip()), None)
    if column is None:
        raise ValueError("no path and no link: " + ", ".join(f"{name} is empty" for name in columns.source))
    cell = cells[column]
    if column != "path":
        return _usable(cell, column, folder)
    problem = unkeepable(cell)
    if problem:
        raise ValueError(problem)
    return cell.strip() if has_address(cell.strip()) else path_of(cell, folder)


def _unfit(row: Row) -> str | None:
    """What is wrong with a row's label or channel; None where nothing is. Both are names of one line."""
    for name, text in (("label", row.label), ("channel", row.channel)):
        if text and any(unicodedata.category(character) == "Cc" for character in text):
            return f"the {name} {text[:60]!r} holds a line break or a control character: is a quote not closed?"
    return None


def _folder(folder: Path) -> SourceList:
    name = str(folder)
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    for number, (path, obstacle) in enumerate(media_below(name), start=1):
        problem = obstacle or unkeepable(path)
        if problem:
            bad_rows.append(BadRow(name, number, problem))
            continue
        below = Path(path).relative_to(folder).parts
        label = below[0] if len(below) > 1 else None
        rows.append(Row(name, number, video_id(path), path, Path(path).stem, label=label))
    if not rows and not bad_rows:
        raise UsageError(f"no media in the folder {folder}: looked for {', '.join(sorted(MEDIA_SUFFIXES))}")
    return SourceList(name, tuple(rows), tuple(bad_rows))
