"""The panel beside the map: the point that was clicked, and the videos that are selected."""

import pandas as pd
import streamlit as st

from dashboard import gone, map_facts, map_selection, map_shape, map_steps, parts, sound, state, working_set
from dashboard.map_choices import Choices
from dashboard.map_facts import Facts
from dashboard.style import GREY
from quartzlens.figures import how_many, percent

MOST_CARDS = 50
MOST_SECONDS = 1_000_000.0


def show(now: state.Tables, facts: Facts, table: pd.DataFrame, choices: Choices, matched: pd.Series) -> None:
    """Draw the clicked video with its player, then what is looked for, and the working set."""
    why = (
        "The video {} is not on the map: it has no embedding."
        if st.query_params.get("video") in now.by_id
        else gone.VIDEO
    )
    opened = gone.asked("video", facts.columns.index, f"{why} Click a point to open another.")
    held = working_set.current()
    if opened is not None:
        _opened(now, facts, opened)
    map_shape.show()
    if opened is None and held is None and not choices.search:
        parts.strong("Nothing selected", "selected")
        parts.muted(f"Drag over the map to select videos, or {sound.of_a_point(now)}.", "selected")
    if choices.search:
        _found(now, facts, list(dict.fromkeys(table.loc[matched, "id"])), held)
    elif held is not None:
        _held(now, facts, [video_id for video_id in facts.columns.index if video_id in held], held)
    elif working_set.lost():
        working_set.chip()


def _opened(now: state.Tables, facts: Facts, video_id: str) -> None:
    video, at = now.by_id[video_id], st.query_params.get("at", "")
    parts.card(video, "map-opened", _lines(facts, video_id), chosen=True)
    start = second(at)
    parts.player(video, start)
    with st.container(horizontal=True, gap="small"):
        parts.similar_button(video_id, "map", start if at else None)
        st.button("Close", on_click=_close, key="map-close", type="tertiary")


def second(text: str) -> float:
    """The second that an address names, in [0, ``MOST_SECONDS``); 0 for what is none.

    >>> [second(one) for one in ("12.5", "", "\u00b2", "nan", "-3", "9" * 400)]
    [12.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return found if 0 <= found < MOST_SECONDS else 0.0


def _found(now: state.Tables, facts: Facts, ids: list[str], held: frozenset[str] | None) -> None:
    parts.strong(f"Found: {how_many(len(ids), 'video')}", "found")
    if held is not None:
        _how_many_held(sum(one in facts.columns.index for one in held))
    if not ids:
        parts.muted("No title, channel or id holds this text.", "found")
        return
    with st.container(horizontal=True):
        st.button("Use as working set", on_click=_use, args=(ids,), type="primary")
    _cards(now, facts, ids)


def _how_many_held(n: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        parts.strong(f"Working set: {how_many(n, 'video')}", "selected")
        st.button("Clear", on_click=map_steps.clear, key="map-clear", type="tertiary")


def _held(now: state.Tables, facts: Facts, ids: list[str], held: frozenset[str]) -> None:
    _how_many_held(len(ids))
    if ids:
        parts.muted(_counts(facts, ids), "counts")
        working_set.answer_button(ids, "map")
    if len(held) > len(ids):
        n, gone_too = len(held) - len(ids), working_set.gone_words(held, now.by_id)
        parts.muted(f"{n:,} of the working set {'is' if n == 1 else 'are'} not on this map{gone_too}.", "absent")
    _cards(now, facts, ids)


def _counts(facts: Facts, ids: list[str]) -> str:
    """How many of each category, and how many the classifier had wrong, here and in the collection."""
    inside = facts.columns.loc[ids]
    counts = inside[map_facts.CATEGORY].value_counts()
    words = [f"{n:,} {name}" for name, n in counts.head(4).items()]
    words += [f"{counts.iloc[4:].sum():,} other"] if len(counts) > 4 else []
    if not facts.judged:
        return ", ".join(words)
    judged, whole = (part[part[map_facts.VERDICT] != map_facts.NOT_JUDGED] for part in (inside, facts.columns))
    if judged.empty:
        return ", ".join(words)
    wrong, usual = ((part[map_facts.VERDICT] == "wrong") for part in (judged, whole))
    return f"{', '.join(words)} · {wrong.sum():,} wrong ({percent(wrong.mean())}, collection {percent(usual.mean())})"


def _cards(now: state.Tables, facts: Facts, ids: list[str]) -> None:
    opened = st.query_params.get("video", "")
    for number, video_id in enumerate(ids[:MOST_CARDS]):
        known = facts.of(video_id)
        predicted, bar = known[map_facts.PREDICTION], None
        if predicted != map_facts.NOT_JUDGED:
            bar = (float(known[map_facts.CONFIDENCE]), now.colours.get(predicted, GREY))
        parts.card(
            now.by_id[video_id],
            f"map-{number}",
            _lines(facts, video_id),
            chosen=video_id == opened,
            on_open=map_selection.open_point,
            args=({"id": video_id},),
            bar=bar,
        )
    if len(ids) > MOST_CARDS:
        parts.muted(f"{len(ids) - MOST_CARDS:,} more: make the selection smaller to see them.", "more")


def _lines(facts: Facts, video_id: str) -> tuple[str, str]:
    """Channel, label and prediction of a video."""
    known = facts.of(video_id)
    label, predicted, channel = (str(known[name]) for name in (map_facts.CATEGORY, map_facts.PREDICTION, "channel"))
    judged = f", predicted {predicted}" if predicted != map_facts.NOT_JUDGED else ""
    return (channel if channel != map_facts.UNKNOWN else "", f"{label}{judged}")


def _use(ids: list[str]) -> None:
    map_steps.select(frozenset(ids))
    st.session_state[state.Key.MAP_SEARCH] = ""


def _close() -> None:
    state.silence()
    for name in ("video", "at"):
        st.query_params.pop(name, None)
