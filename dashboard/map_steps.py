"""What was done on the map, in one session value: steps that can be taken back, and the one that is not done yet.

Streamlit may break a script off wherever it touches the session, to draw the page anew, and takes that for nothing
where it happens in a callback. So whatever is done is noted in one write, and done from the note (``finish``): wherever
it is broken off, it goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import streamlit as st

from dashboard import working_set
from dashboard.state import Key

Event: TypeAlias = Mapping[str, Any]
Outline: TypeAlias = Sequence[Sequence[float]]
MOST_STEPS, MOST_KEPT = 20, 500_000
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """What was selected before and after something was done on the map."""

    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Done:
    """What this browser session has done on the map.

    Attributes
    ----------
    event
        What was on the chart when it was last acted on.
    outline
        A line drawn freely, or a box given by numbers, as corners in shares of the map; None without one.
    turn
        How often the chart was begun anew, without what was drawn on it.
    steps
        That can be taken back, the latest last.
    waiting
        The step that is not done yet.
    lies
        Where the first point of the map lay; empty before there was one.
    """

    event: Event = field(default_factory=dict)
    outline: Outline | None = None
    turn: int = 0
    steps: tuple[Step, ...] = ()
    waiting: Step | None = None
    lies: tuple[Any, ...] = ()


def done() -> Done:
    """What was done so far."""
    found: Done = st.session_state.get(Key.MAP_DONE, Done())
    return found


def finish() -> None:
    """Do the step that waits, unless another view has made a working set of its own since."""
    now = done()
    if now.waiting is None:
        return
    if _selected() in {now.waiting.before, now.waiting.after}:
        working_set.keep(now.waiting.after)
    st.session_state[Key.MAP_DONE] = replace(now, waiting=None)


def act(event: Event, after: frozenset[str] | None) -> None:
    """Note what is on the chart, and make what follows from it the working set; None: nothing does.

    What follows was found out with nothing left waiting (``finish``).
    """
    now = replace(done(), event=event)
    _do(now if after is None else _stepped(now, after))


def select(after: frozenset[str]) -> None:
    """Make these the working set, in a step that can be taken back; nothing is drawn on the chart any more."""
    finish()
    _do(_wiped(_stepped(done(), after)))


def clear() -> None:
    """Select nothing; nothing is drawn on the chart any more."""
    finish()
    _do(_wiped(_stepped(done(), NOBODY)))


def undo() -> None:
    """Select what was selected before; nothing is drawn on the chart any more."""
    finish()
    if steps := left():
        _do(_wiped(replace(done(), steps=steps[:-1], waiting=Step(_selected(), steps[-1].before))))


def wipe(outline: Outline | None) -> None:
    """Draw the map without what was drawn on it; an ``outline`` that was given instead is what selects next."""
    finish()
    _do(_wiped(done(), outline))


def lie(where: tuple[Any, ...]) -> None:
    """Note where the first point lies; where it has moved, what was drawn on the chart lies wrong, and goes."""
    now = done()
    if now.lies != where:
        _do(replace(_wiped(now) if now.lies else now, lies=where))


def left() -> tuple[Step, ...]:
    """Steps that can be taken back: none once another view has made a working set of its own, which must not go."""
    steps = done().steps
    return steps if steps and steps[-1].after == _selected() else ()


def _do(now: Done) -> None:
    st.session_state[Key.MAP_DONE] = now
    finish()


def _selected() -> frozenset[str]:
    return working_set.current() or NOBODY


def _stepped(now: Done, after: frozenset[str]) -> Done:
    """With a step to these that waits and can be taken back; of many or large ones the first are forgotten."""
    step = Step(_selected(), after)
    if step.before == step.after:
        return now
    steps = [*left(), step][-MOST_STEPS:]
    while len(steps) > 1 and sum(len(one.before) + len(one.after) for one in steps) > MOST_KEPT:
        steps.pop(0)
    return replace(now, steps=tuple(steps), waiting=step)


def _wiped(now: Done, outline: Outline | None = None) -> Done:
    return replace(now, event={}, outline=outline, turn=now.turn + 1)
