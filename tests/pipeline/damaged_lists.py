"""Lists with damaged ids of which the truth is known, and a search that knows it too."""

import csv
import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.answers import answers_in
from pipeline.damaged_list import DamagedList
from pipeline.repairing import due, work_through
from pipeline.search import search
from pipeline.stripping import LAST_LETTERS, LETTERS

WATCH = "https://www.youtube.com/watch?v="
GONE = "abcehmopstuvwy"


class Site:
    """Answers as ``Asker.ask`` does, from hits by title; ``asked`` counts."""

    def __init__(self, found: dict[str, Any], videos: dict[str, Any] | None = None) -> None:
        self.found, self.videos = found, videos or {}
        self.asked: Counter[tuple[str, str]] = Counter()

    def ask(self, function: Callable[..., object], what: str, *_: object) -> Any:
        """One request."""
        self.asked[function.__name__, what] += 1
        answer = self.found.get(what, ()) if function is search else self.videos[what]
        if isinstance(answer, Exception):
            raise answer
        return answer


def made_up_ids(count: int, seed: int = 0) -> list[str]:
    """Whole ids."""
    draw, letters, last = random.Random(seed), sorted(LETTERS), sorted(LAST_LETTERS)
    return ["".join(draw.choices(letters, k=10)) + draw.choice(last) for _ in range(count)]


def stripped_list(path: Path, count: int = 150) -> dict[str, str]:
    """A list whose ids were stripped at both ends; gives the whole id of every title."""
    truth = {f"Title {n}": one for n, one in enumerate(made_up_ids(count))}
    rows = [f"{one.strip(WATCH)},{title},Channel {title[-1]}\n" for title, one in truth.items()]
    path.write_text("".join(["link,title,channel\n", *rows]), encoding="utf-8")
    return truth


def rows_of(path: Path) -> list[dict[str, str]]:
    """A list's rows, read as anybody would."""
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def repaired(folder: Path, site: Site, **more: Any) -> DamagedList:
    """Repair ``list.csv`` of a folder into ``out.csv``, as the command does."""
    damaged = DamagedList.open(folder / "list.csv")
    with answers_in(folder / "out.jsonl", folder / "list.csv") as answers:
        wanted = due(damaged.wanted.values(), answers, damaged.causes, **more)
        work_through(wanted, site.ask, answers, damaged.causes)
        damaged.write(folder / "out.csv", answers)
    return damaged


def made_up_whole(draw: random.Random, left: str) -> str:
    """A whole id that stripping leaves so; where nothing is left, one that a spreadsheet takes for a formula."""
    if not left:
        return "-" + "".join(draw.choices(sorted(LETTERS), k=9)) + "Q"
    n_missing = 11 - len(left)
    gone = draw.choices(GONE, k=n_missing)
    n_front = draw.randint(0, n_missing) if left[-1] in LAST_LETTERS else draw.randint(0, n_missing - 1)
    return "".join(gone[:n_front]) + left + "".join(gone[n_front:])
