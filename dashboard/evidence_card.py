"""The evidence of one video: the verdict first, then the seconds, the probabilities, the neighbours on both sides."""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from analysis.evaluation import Evaluation, probability_columns
from analysis.evidence_parts import clock
from analysis.evidence_timeline import Timeline, timeline
from dashboard import charts, copies, nearest, parts, reasons, sound, state
from dashboard.state import Key
from dashboard.style import GREY
from quartzlens.records import Video

NEIGHBOURS = 2
NEAR_PIXELS = 60


def show(
    video: Video, evaluation: Evaluation, colours: Mapping[str, str], under_title: Callable[[], None] = lambda: None
) -> None:
    """Draw the evidence of a video that the evaluation judged; ``under_title`` draws the buttons below its title."""
    found = timeline(evaluation, video.id)
    _title(video, found, colours)
    copies.name(video)
    under_title()
    with st.container(key="verdict-sentence"):
        st.text(found.sentence)
    reasons.show(video.id, evaluation)
    start, clicks = started(video.id)
    parts.player(video, start, autoplay=clicks > 0, again=clicks)
    if len(found.fragments):
        _timeline(video, found, colours, clicks)
        if clicks:
            _heard(video, start)
            parts.similar_button(video.id, "moment", start)
    st.subheader("Whole video", anchor=False)
    rows = [(name, share, f"{share:.2f}") for name, share in found.probabilities.items()]
    st.altair_chart(charts.bars(pd.DataFrame(rows, columns=["category", "value", "shown"]), colours, 1.0), theme=None)
    _both_sides(video, found, colours)


def started(video_id: str) -> tuple[float, int]:
    """Second from which the player starts, and how many stretches of this video were clicked up to now."""
    kept = st.session_state.get(Key.START)
    return (kept[1], kept[2]) if kept and kept[0] == video_id else (0.0, 0)


def _timeline(video: Video, found: Timeline, colours: Mapping[str, str], clicks: int) -> None:
    st.subheader("Every 5 seconds", anchor=False)
    parts.legend({name: colours.get(name, GREY) for name in found.probabilities}, "timeline")
    chart = charts.timeline(stacked(found), colours, found.misleading)
    key = f"{Key.TIMELINE_CHART}-{video.id}-{clicks}"  # a new chart after each click: the same stretch counts again

    def clicked() -> None:
        picked = st.session_state[key]["selection"].get("fragment")
        if picked:
            state.silence()
            st.session_state[Key.START] = (video.id, float(picked[0]["start_seconds"]), clicks + 1)

    st.altair_chart(chart, key=key, on_select=clicked, selection_mode=["fragment"], theme=None)
    parts.muted(sound.of_a_stretch(video, float(found.fragments["start_seconds"].iloc[0])), "timeline")


def _heard(video: Video, start: float) -> None:
    words = state.heard(video.id, start)
    if words is not None:
        said = f"Words heard from {clock(start)}, unsure and often wrong: {words.text}"
        parts.muted(said if words.text else f"No words were heard from {clock(start)}.", "heard")


def stacked(found: Timeline) -> pd.DataFrame:
    """One row for each fragment and category, with where its bar begins and ends (``low``, ``high``)."""
    names = list(found.probabilities)
    rows = []
    for _, fragment in found.fragments.iterrows():
        low, start, end = 0.0, float(fragment["start_seconds"]), float(fragment["end_seconds"])
        for name, column in zip(names, probability_columns(found.fragments), strict=True):
            share = float(fragment[column])
            rows.append((start, end, f"{clock(start)} to {clock(end)}", name, share, low, min(low + share, 1.0)))
            low += share
    return pd.DataFrame(
        rows, columns=["start_seconds", "end_seconds", "clock", "category", "probability", "low", "high"]
    )


def _title(video: Video, found: Timeline, colours: Mapping[str, str]) -> None:
    with st.container(horizontal=True, key="evidence-title", wrap=False):
        parts.thumbnail(video, "evidence")
        with st.container(gap=None):
            parts.strong(video.title or video.id, "evidence")
            parts.muted(" · ".join(filter(None, [video.channel, parts.length(video), video.id])), "evidence")
            with st.container(horizontal=True, gap="small"):
                parts.tinted(f"label {found.category}", colours.get(found.category, GREY), "label")
                parts.tinted(f"predicted {found.predicted}", colours.get(found.predicted, GREY), "predicted")


def _both_sides(video: Video, found: Timeline, colours: Mapping[str, str]) -> None:
    same = tuple(other.id for other in copies.others(video.id))
    sides = dict.fromkeys([found.category, found.predicted])
    for number, (column, category) in enumerate(zip(st.columns(len(sides)), sides, strict=True)):
        with column:
            parts.strong(f"Nearest {category}", f"side-{number}")
            near = nearest.neighbours(
                video.id, NEIGHBOURS, _labelled(category), leave_out_channel=video.channel, leave_out=same
            )
            if near.empty:
                parts.muted("none of another channel", f"side-{number}")
            for row in near.to_dict("records"):
                tint = (parts.nearness(row["percentile"]), colours.get(category, GREY))
                key, other = f"near-{number}-{row['id']}", state.tables().by_id[row["id"]]
                parts.playable(other, key, (other.channel or "",), tint, NEAR_PIXELS)


def _labelled(category: str) -> frozenset[str]:
    """Ids of the videos of a category; none where its labels were all changed since the evaluation."""
    return frozenset(video.id for video in state.tables().by_id.values() if video.category == category)
