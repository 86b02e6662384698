"""From what a person names (a list, a folder, a file, a link) to rows: one usable row leads to one video."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.identity import (
    YOUTUBE_ID_LENGTH,
    absolute,
    canonical_link,
    damaged,
    is_bare_id,
    is_link,
    video_id,
    youtube_link,
)
from pipeline.tables import Table, read_table
from quartzlens.errors import UsageError
from quartzlens.records import BadRow, Row

__all__ = ["MEDIA_SUFFIXES", "SourceList", "damaged", "is_link", "read_source"]

_PICTURE_AND_SOUND = "mp4 m4v mov 3gp 3g2 webm mkv avi ts mts m2ts mpg mpeg vob mxf wmv wma asf flv ogv"
_SOUND = (
    "m4a m4b mka mp3 mp2 aac ac3 eac3 dts ogg oga opus spx flac wav wave w64 aif aiff aifc caf au amr ape wv tta voc"
)
MEDIA_SUFFIXES = frozenset(f".{name}" for name in f"{_PICTURE_AND_SOUND} {_SOUND}".split())
_LIST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_SOURCE_COLUMNS = ("path", "link", "url")
_CHANNEL_COLUMNS = ("channel", "group", "source_id")
_LABEL_COLUMNS = ("category", "label")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_YOUTUBE_WITHOUT_SCHEME = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceList:
    """The rows of one source, and those that cannot be used. ``name`` is an absolute path or the link itself."""

    name: str
    rows: tuple[Row, ...]
    bad_rows: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns of a table hold what; ``channel`` and ``label`` are None where no column does."""

    source: tuple[str, ...]
    channel: str | None
    label: str | None


def read_source(source: str, label_column: str | None = None) -> SourceList:
    """Read the rows of a CSV, of a folder (its sub-folders are the categories), of a single file or of a single link.

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
        return _csv(path, label_column) if path.suffix.lower() in _LIST_SUFFIXES else _single(str(path), str(path))
    link = _as_link(source.strip())
    if link is None or (is_bare_id(source) and damaged(link)):
        raise UsageError(f"no list, folder or file is at {source!r}, and it is no link: check the path")
    return _single(link, link)


def _single(name: str, source: str) -> SourceList:
    title = "" if is_link(source) else Path(source).stem
    problem = _unkeepable(source)
    if problem:
        raise UsageError(problem)
    return SourceList(name, (Row(name, 1, video_id(source), source, title),), ())


def _csv(path: Path, label_column: str | None) -> SourceList:
    table = read_table(path)
    columns = _columns(table, path, label_column)
    rows: list[Row] = []
    bad_rows = [BadRow(str(path), number, problem) for number, problem in table.bad]
    for number, cells in table.rows:
        try:
            source = _source(cells, columns, path.parent)
        except ValueError as error:
            bad_rows.append(BadRow(str(path), number, str(error)))
        else:
            row = _row(str(path), number, source, cells, columns)
            problem = _unfit(row)
            if problem:
                bad_rows.append(BadRow(str(path), number, problem))
            else:
                rows.append(row)
    if not rows and not bad_rows:
        raise UsageError(f"{path} has a header but no rows: nothing to do")
    return SourceList(str(path), tuple(rows), tuple(sorted(bad_rows, key=lambda bad: bad.number)))


def _columns(table: Table, path: Path, label_column: str | None) -> _Columns:
    source = tuple(column for column in _SOURCE_COLUMNS if column in table.columns)
    has = f"it has {', '.join(map(repr, table.columns))}"
    if not source:
        raise UsageError(f"{path} has no column 'path', 'link' or 'url' to find the videos by; {has}")
    label = label_column.strip().lower() if label_column else _first(_LABEL_COLUMNS, table.columns)
    if label_column and label not in table.columns:
        raise UsageError(f"{path} has no column {label_column!r} for the labels; {has}")
    return _Columns(source, _first(_CHANNEL_COLUMNS, table.columns), label)


def _first(wanted: tuple[str, ...], columns: tuple[str, ...]) -> str | None:
    return next((column for column in wanted if column in columns), None)


def _row(name: str, number: int, source: str, cells: dict[str, str], columns: _Columns) -> Row:
    description = cells.get("description", "")
    said = cells[columns.channel] if columns.channel else next(iter(description.strip().splitlines()), "")
    used = {*columns.source, "title", "description", "channel", columns.label}
    stem = "" if is_link(source) else Path(source).stem
    return Row(
        source_list=name,
        number=number,
        video_id=video_id(source),
        source=source,
        title=cells.get("title", "").strip() or stem,
        description=description,
        channel=said.strip() or None,
        label=(cells[columns.label].strip() or None) if columns.label else None,
        extra={column: text for column, text in cells.items() if column not in used},
    )


def _source(cells: dict[str, str], columns: _Columns, folder: Path) -> str:
    """The link or absolute path that a row means; ValueError says what is wrong with the row."""
    column = next((column for column in columns.source if cells[column].strip()), None)
    if column is None:
        raise ValueError("no path and no link: " + ", ".join(f"{name} is empty" for name in columns.source))
    cell = cells[column]
    problem = _unkeepable(cell)
    if problem:
        raise ValueError(problem)
    if column == "path":
        return cell.strip() if _ADDRESS.match(cell.strip()) else _path(cell, folder)
    return _link_or_path(cell, column, folder)


def _link_or_path(cell: str, column: str, folder: Path) -> str:
    text = cell.strip()
    if _ADDRESS.match(text):
        return canonical_link(text)
    path = _path(cell, folder)
    if os.path.lexists(path) and not Path(path).is_dir():
        return path
    link = _as_link(text)
    if link is not None:
        return link
    if Path(text).suffix.lower() in MEDIA_SUFFIXES:
        return path
    if len(text) <= YOUTUBE_ID_LENGTH:  # a spreadsheet writes #NAME? where an id begins with - or =
        return youtube_link(text)
    raise ValueError(f"{column} {text[:80]!r} is no link, no YouTube id and no file")


def _as_link(text: str) -> str | None:
    """The link that a text means: one with a scheme, a YouTube address without, or a bare id."""
    if _ADDRESS.match(text) or _SCHEME.match(text):
        return canonical_link(text)
    if _YOUTUBE_WITHOUT_SCHEME.match(text):
        return canonical_link(f"https://{text}")
    return youtube_link(text) if is_bare_id(text) else None


def _path(cell: str, folder: Path) -> str:
    """Absolute path of a cell; blanks around it belong to the name only where a file has them."""
    exact = absolute(folder / cell)
    return exact if cell == cell.strip() or os.path.lexists(exact) else absolute(folder / cell.strip())


def _unfit(row: Row) -> str | None:
    """What is wrong with a row's label or channel; None where nothing is. Both are names of one line."""
    for name, text in (("label", row.label), ("channel", row.channel)):
        if text and any(unicodedata.category(character) == "Cc" for character in text):
            return f"the {name} {text[:60]!r} holds a line break or a control character: is a quote not closed?"
    return None


def _unkeepable(text: str) -> str | None:
    """Why a path or link cannot be written down and opened again; None where it can."""
    if "\0" in text:
        return f"a NUL character in {text.replace(chr(0), '?')[:80]!r}"
    shown = text.encode("utf-8", "replace").decode()
    if shown != text:
        return f"the name {shown[:80]!r} is not valid UTF-8: rename the file"
    return None


def _folder(folder: Path) -> SourceList:
    name = str(folder)
    rows: list[Row] = []
    bad_rows: list[BadRow] = []
    for number, (path, obstacle) in enumerate(_media_below(name), start=1):
        problem = obstacle or _unkeepable(path)
        if problem:
            bad_rows.append(BadRow(name, number, problem))
            continue
        below = Path(path).relative_to(folder).parts
        label = below[0] if len(below) > 1 else None
        rows.append(Row(name, number, video_id(path), path, Path(path).stem, label=label))
    if not rows and not bad_rows:
        raise UsageError(f"no media in the folder {folder}: looked for {', '.join(sorted(MEDIA_SUFFIXES))}")
    return SourceList(name, tuple(rows), tuple(bad_rows))


def _media_below(folder: str) -> Iterator[tuple[str, str | None]]:
    """Every media file below a folder in the order of names, with what is wrong with its row; hidden ones are left out.

    A folder with a media name that holds no media is given as if it were a file: decoding then says what it is.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield folder, f"the folder {folder} cannot be read: {error.strerror}"
        return
    if any(entry.name == "collection.toml" for entry in entries):
        return  # what an ingest keeps is no source of it
    for entry in entries:
        if entry.name.startswith("."):
            continue
        named_media = Path(entry.name).suffix.lower() in MEDIA_SUFFIXES
        if _safely(entry.is_dir) and entry.is_symlink():
            yield entry.path, f"the folder {entry.path} is a symbolic link, which is not followed"
        elif _safely(entry.is_dir):
            inside = list(_media_below(entry.path))
            yield from inside or ([(entry.path, None)] if named_media else [])
        elif named_media:
            yield entry.path, None


def _safely(question: Callable[[], bool]) -> bool:
    """An answer of the file system, False where it cannot tell (a loop of links)."""
    try:
        return question()
    except OSError:
        return False
