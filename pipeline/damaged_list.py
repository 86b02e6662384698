"""A list with damaged ids: what is to be searched for, and the list written anew with what was found."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.answers import Answers
from pipeline.identity import YOUTUBE_ID_LENGTH, is_bare_id, is_link, youtube_id, youtube_link
from pipeline.repair import FOR_A_PERSON, Judgement, Wanted, judge
from pipeline.rewrite import NewCells, Original
from pipeline.search import Hit
from pipeline.sources import LIST_SUFFIXES, REPAIR_COLUMNS, read_source
from pipeline.stripping import BEGINNING, END, Stripped, stripped
from pipeline.survey import Survey, damage_of, survey
from pipeline.tables import list_text
from quartzlens.errors import UsageError
from quartzlens.records import Row


@dataclass(frozen=True, slots=True)
class DamagedList:
    """A list as it was when it was opened.

    Attributes
    ----------
    path
        Where it is.
    original
        All of it.
    found
        Its survey.
    causes
        What damaged its ids. Cells that have their address were not stripped of it, and whole ids need not have been:
        a person may have put some right. So they only bear witness where the others show nothing.
    wanted
        What is to be searched for of every row with a damaged id, by the row's number; rows with the same title,
        channel and damaged id want the same.
    """

    path: Path
    original: Original
    found: Survey
    causes: tuple[Stripped, ...]
    wanted: dict[int, Wanted]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a list. UsageError where it is none, has no titles to search by, or was repaired already."""
        if not path.is_file() or path.suffix.lower() not in LIST_SUFFIXES:
            raise UsageError(f"{path} is no list: repair needs a CSV with the columns 'link' (or 'url') and 'title'.")
        one, original = read_source(str(path)), Original.read(path)
        _check_columns(path, original)
        if "title" not in original.columns:
            raise UsageError(f"{path} has no column 'title' to search by; it has {', '.join(original.columns)}.")
        found = survey([one])
        causes = _causes(_bare_ids(one.rows, original)) or found.stripped
        return cls(path, original, found, causes, _wanted(one.rows))

    def rows_of(self, wanted: Wanted) -> list[int]:
        """Numbers of the rows that want this."""
        return [number for number, one in self.wanted.items() if one == wanted]

    def judgements(self, answers: Answers) -> dict[Wanted, Judgement]:
        """What the answers say of everything that is wanted, in the order of the list."""
        return {one: judge(one, answers.get(one), self.causes) for one in dict.fromkeys(self.wanted.values())}

    def write(self, path: Path, answers: Answers) -> None:
        """Write the list with what is known by now; the file is there whole at any time."""
        was, judged = self.original.link_cells(self.wanted), self.judgements(answers)
        new = {number: _cells(judged[one], was[number]) for number, one in self.wanted.items()}
        self.original.write(path, REPAIR_COLUMNS, new)


def check_output(path: Path) -> None:
    """Make sure that a repaired list may be written there; UsageError where that would destroy something else."""
    if path.suffix.lower() not in LIST_SUFFIXES or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: the output is a .csv file in a folder that is there.")
    if path.exists() and not (path.is_file() and _is_free(path)):
        raise UsageError(f"{path} is there and was not written by repair: choose another file by -o.")


def described(hit: Hit) -> str:
    """A candidate for people: its link, channel and title."""
    return f"{youtube_link(hit.youtube_id)} | {hit.channel or '(channel unknown)'} | {hit.title}"


def _is_free(path: Path) -> bool:
    """Whether a file is empty or was written by repair."""
    return not list_text(path).strip() or set(REPAIR_COLUMNS) <= set(Original.read(path).columns)


def _check_columns(path: Path, original: Original) -> None:
    """Raise UsageError where columns of a list have the names of those that repair writes."""
    own = [name for name in REPAIR_COLUMNS if name in original.columns]
    if len(own) == len(REPAIR_COLUMNS):
        raise UsageError(
            f"{path} was written by repair: repair the list that it was made from, and nothing is asked twice."
        )
    if own:
        raise UsageError(f"{path} has a column {own[0]!r}, and repair writes one of that name: rename the list's own.")


def _causes(bare: Collection[str]) -> tuple[Stripped, ...]:
    """What damaged bare ids: at each end what explains most letters, by all of them or by the incomplete ones alone."""
    incomplete = {one for one in bare if len(one) < YOUTUBE_ID_LENGTH}
    shown = (*stripped(bare), *stripped(incomplete))
    ends = ([one for one in shown if one.end == end] for end in (BEGINNING, END))
    return tuple(max(found, key=lambda one: len(one.letters)) for found in ends if found)


def _bare_ids(rows: Iterable[Row], original: Original) -> set[str]:
    cells = original.link_cells({row.number for row in rows})
    return {cell.strip() for cell in cells.values() if is_bare_id(cell.strip())}


def _wanted(rows: Iterable[Row]) -> dict[int, Wanted]:
    damaged = (row for row in rows if is_link(row.source) and damage_of(row.source))
    return {row.number: Wanted(row.title, row.channel, youtube_id(row.source) or "") for row in damaged}


def _cells(judgement: Judgement, was: str) -> NewCells:
    candidates = "\n".join(map(described, judgement.candidates)) if judgement.verdict in FOR_A_PERSON else ""
    link = youtube_link(judgement.youtube_id) if judgement.youtube_id else None
    return NewCells((judgement.verdict, judgement.why, was, candidates), link)
