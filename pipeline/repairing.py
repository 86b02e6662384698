"""Searching for the videos of damaged ids: which are due, the one loop over searches, and how a search is made."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any

from pipeline.answers import Answer, Answers
from pipeline.asking import Asker, AskOptions
from pipeline.pace import OnWait, Wait
from pipeline.pool import ClosedError
from pipeline.repair import Judgement, Verdict, Wanted, judge, to_look_up
from pipeline.search import Hit, look_up, search
from pipeline.stripping import Stripped
from pipeline.work import Refused
from quartzlens.errors import QuartzlensError
from quartzlens.outcomes import Outcome

N_HITS = 20  # one page of the search
MAX_LOOK_UPS = 3
_LOOK_SECONDS = 0.2
_OF_THE_VIDEO = frozenset(
    {
        *(Outcome.DAMAGED_LINK, Outcome.PRIVATE, Outcome.REMOVED, Outcome.GEO_BLOCKED),
        *(Outcome.AGE_RESTRICTED, Outcome.MEMBERS_ONLY, Outcome.NOT_YET),
    }
)
UNREACHED_IN_A_ROW = 5
_UNREACHED = (
    "YouTube was not reached by {searches}: {why}. No more are made now, and what was found is kept. See that this "
    "machine reaches https://www.youtube.com, or ask from another address (`--proxy URL`), and run the same command "
    "again: what failed is searched for again."
)

Ask = Callable[..., Any]


class UnreachedError(QuartzlensError):
    """The site could not be reached, several times in a row or ever; the message says why, and what to do."""


def due(
    wanted: Iterable[Wanted], answers: Answers, causes: Collection[Stripped], *, again: bool = False
) -> tuple[Wanted, ...]:
    """What is to be searched for now, each once: what never was, then what failed, the oldest answer first.

    ``again`` adds to these what was searched for before ``answers`` were opened, and not repaired.
    """
    titled = dict.fromkeys(one for one in wanted if one.title.strip())
    asked = {one: answer for one, answer in answers.oldest_first() if one in titled}
    never = [one for one in titled if one not in asked]

    def is_due(one: Wanted, answer: Answer) -> bool:
        if isinstance(answer, Refused):
            return True
        return again and not answers.is_new(one) and judge(one, answer, causes).verdict is not Verdict.REPAIRED

    return (*never, *(one for one, answer in asked.items() if is_due(one, answer)))


def work_through(
    wanted: Sequence[Wanted],
    ask: Ask,
    answers: Answers,
    causes: Collection[Stripped],
    on_judged: Callable[[Wanted, Judgement], None] = lambda *_: None,
    max_hours: float | None = None,
    stop: Event | None = None,
) -> None:
    """Search for one after the other, keeping every answer before the next is asked for, until done or stopped.

    ``ask`` is ``Asker.ask`` or does as it does. Raises BlockedError where the site takes us for a bot, UnreachedError
    after 5 answers in a row that are ``network``, or where there are fewer and all are.
    """
    began, n_unreached, n_enough = time.monotonic(), 0, min(UNREACHED_IN_A_ROW, len(wanted))
    for one in wanted:
        if (stop and stop.is_set()) or (max_hours is not None and time.monotonic() - began >= max_hours * 3600):
            return
        try:
            answer = find(one, causes, ask)
        except ClosedError:  # a stop during a long wait
            return
        answers.add(one, answer)
        on_judged(one, judge(one, answer, causes))
        if not isinstance(answer, Refused) or answer.outcome is not Outcome.NETWORK:
            n_unreached = 0
            continue
        n_unreached += 1
        if n_unreached == n_enough:
            raise _unreached(answer.detail, n_unreached)


def _unreached(why: str, n: int) -> UnreachedError:
    return UnreachedError(_UNREACHED.format(searches="one search" if n == 1 else f"{n} searches in a row", why=why))


def find(wanted: Wanted, causes: Collection[Stripped], ask: Ask) -> Answer:
    """Search for a video by its title; hits that would count but for their unknown channel are looked up, 3 at most.

    A look that fails by something else than its video is the failure of the search.
    """
    hits: tuple[Hit, ...] | Refused = ask(search, wanted.title, N_HITS)
    if isinstance(hits, Refused):
        return hits
    for unknown in to_look_up(wanted, hits, causes)[:MAX_LOOK_UPS]:
        seen: Hit | Refused = ask(look_up, unknown)
        if isinstance(seen, Hit):
            hits = tuple(seen if hit.youtube_id == unknown else hit for hit in hits)
        elif seen.outcome not in _OF_THE_VIDEO:
            return seen
    return hits


@contextmanager
def asking(options: AskOptions, stop: Event, on_wait: OnWait) -> Iterator[Ask]:
    """What asks as ``Asker.ask`` does, in a thread of its own: a stop ends a long wait, though no search under way.

    Raises BlockedError at its end where the last requests were taken for a bot's.
    """
    waits = Event()

    def heard(one: Wait) -> None:
        (waits.set if one.slowed else waits.clear)()
        on_wait(one)

    with ThreadPoolExecutor(1) as thread, Asker(options, heard) as asker:

        def ask(function: Callable[..., Any], *arguments: Any) -> Any:
            asked = thread.submit(asker.ask, function, *arguments)
            while not wait([asked], _LOOK_SECONDS).done:
                if stop.is_set() and waits.is_set():
                    asker.close()
            return asked.result()

        yield ask
        asker.check_blocked()
