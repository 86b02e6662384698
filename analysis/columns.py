"""What is known of each video, column by column: what conditions can be about (see ``analysis.where``).

=====================  ==========================================================================================
``id``, ``title``, ``description``, ``category``, ``channel``, ``source``
                       text, as the lists say or a site told; no category where labels disagree
``outcome``            text: a value of ``Outcome``, or ``pending``
``length``             number: seconds of the whole source, as its container states them
``loudness``           number: dB relative to full scale, of what was embedded
``silent``             yes or no
``prediction``         text: the category that an evaluation predicted
``fold``               number: the evaluation's fold
``right``              yes or no: whether prediction and label agreed in the evaluation
any other              a column of the lists: text that may be a number. One whose name is among these, whatever its
                       case, has ``list.`` before it.
=====================  ==========================================================================================
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TypeAlias

from analysis.runs import evaluations_of, read_table
from analysis.tables import PENDING
from quartzlens.characters import one_line
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.records import Fingerprint, Run, Video
from store.base import Store

Cell: TypeAlias = str | float | bool | None


class Kind(Enum):
    """How the cells of a column are compared."""

    TEXT = "text"
    NUMBER = "a number"
    TRUTH = "yes or no"
    IMPORTED = "text or a number"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column with a cell for each video, in the order of ``Store.videos``; None and empty text: nothing is known."""

    name: str
    kind: Kind
    cells: Sequence[Cell]


_OWN: Mapping[str, tuple[Kind, Callable[[Video], Cell]]] = {
    "id": (Kind.TEXT, lambda video: video.id),
    "title": (Kind.TEXT, lambda video: video.title),
    "description": (Kind.TEXT, lambda video: video.description),
    "category": (Kind.TEXT, lambda video: video.category),
    "channel": (Kind.TEXT, lambda video: video.channel),
    "source": (Kind.TEXT, lambda video: video.source),
    "outcome": (Kind.TEXT, lambda video: video.outcome.value if video.outcome else PENDING),
    "length": (Kind.NUMBER, lambda video: video.media.source_seconds if video.media else None),
    "loudness": (Kind.NUMBER, lambda video: video.media.loudness_dbfs if video.media else None),
    "silent": (Kind.TRUTH, lambda video: video.media.silent if video.media else None),
}
JUDGED: Mapping[str, Kind] = {"prediction": Kind.TEXT, "fold": Kind.NUMBER, "right": Kind.TRUTH}
"""Columns of an evaluation."""


class Columns:
    """The columns of a store at one moment; an evaluation is read only where a column of it is asked for.

    Parameters
    ----------
    fingerprint, run_id
        Whose latest evaluation is meant; or the id of any evaluation run.
    videos
        What ``Store.videos`` gave, for callers that keep it.
    """

    def __init__(
        self,
        store: Store,
        fingerprint: Fingerprint,
        run_id: str | None = None,
        videos: Collection[Video] | None = None,
    ) -> None:
        self.videos = tuple(store.videos() if videos is None else videos)
        self._store, self._fingerprint, self._run_id = store, fingerprint, run_id
        self._lists = _names_in_lists(self.videos)
        self._told: Mapping[str, Mapping[str, Cell]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of quartzlens' own, then those of the lists."""
        return (*_OWN, *JUDGED, *self._lists)

    def named(self, asked: str) -> Column:
        """A column by its name, in whatever case where only one can be meant.

        Raises
        ------
        UsageError
            There is none of that name, or ``run_id`` is not that of an evaluation.
        NotEnoughDataError
            It is a column of an evaluation, and there is none yet.
        """
        name = self._resolved(asked)
        if name in JUDGED:
            self._told = self._told or self._judgements(name)
            return Column(name, JUDGED[name], [self._told[name].get(video.id) for video in self.videos])
        if name in _OWN:
            kind, read = _OWN[name]
            return Column(name, kind, [read(video) for video in self.videos])
        extra = self._lists[name]
        return Column(name, Kind.IMPORTED, [video.extra.get(extra) for video in self.videos])

    def _resolved(self, asked: str) -> str:
        if asked in self.names:
            return asked
        folded = [name for name in self.names if name.casefold() == asked.casefold()]
        if len(folded) == 1:
            return folded[0]
        near = get_close_matches(asked, self.names, 3, 0.5)
        meant = f"; did you mean {listed(near)}?" if near else "."
        raise UsageError(f"There is no column {shown(asked)}{meant} The columns are {listed(self.names)}.")

    def _judgements(self, asked: str) -> Mapping[str, Mapping[str, Cell]]:
        """``prediction``, ``fold`` and ``right`` by the id of each video that the run judged."""
        table = read_table(self._evaluation(asked), "predictions.parquet")
        ids = [str(video_id) for video_id in table["id"]]
        return {
            "prediction": dict(zip(ids, map(str, table["predicted"]), strict=True)),
            "fold": dict(zip(ids, map(float, table["fold"]), strict=True)),
            "right": dict(zip(ids, map(bool, table["predicted"] == table["category"]), strict=True)),
        }

    def _evaluation(self, asked: str) -> Run:
        known = evaluations_of(self._store.runs(), None if self._run_id else self._fingerprint)
        wanted = [run for run in known if self._run_id in {None, run.id}]
        if wanted:
            return self._store.runs(wanted[-1].id)[0]
        if self._run_id is None:
            raise NotEnoughDataError(
                f"The column {asked} is an evaluation's, and there is none of these embeddings: "
                "run `quartzlens evaluate`."
            )
        there = f"there are {listed(run.id for run in known)}" if known else "there is none yet"
        raise UsageError(f"No evaluation is called {shown(self._run_id)}: {there}.")


def _names_in_lists(videos: Iterable[Video]) -> dict[str, str]:
    """Name of each of the lists' columns -> its name in the lists, where the two may differ."""
    names: dict[str, str] = {}
    own = {*_OWN, *JUDGED}
    for extra in dict.fromkeys(name for video in videos for name in video.extra):
        name = f"list.{extra}" if extra.casefold() in own else extra
        while name in names:
            name = f"list.{name}"
        names[name] = extra
    return names


def listed(names: Iterable[str]) -> str:
    """Strangers' texts in a message, one after the other."""
    return ", ".join(map(shown, names))


def shown(text: str) -> str:
    """A stranger's text in a message: one line, not too long, in quotes where it would run into the words around it.

    >>> shown("food"), shown("street food")
    ('food', "'street food'")
    """
    short = text if len(text) <= 60 else f"{text[:59]}…"
    clean = one_line(short)
    return clean if clean and " " not in clean else f"'{clean}'"
