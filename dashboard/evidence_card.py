"""The evidence of one video: the verdict first, then the seconds, the probabilities, the neighbours on both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evidence import Evidence
from analysis.evidence_timeline import Timeline
from dashboard import (
    cells,
    copies,
    errors_about,
    errors_answers,
    errors_beside,
    errors_keys,
    errors_words,
    pairs,
    parts,
    reasons,
    sound,
    state,
    timeline,
)
from dashboard.errors_component import component
from dashboard.state import Key
from dashboard.style import GREY, on_both
from quartzlens.records import Json, Video

NEIGHBOURS = 2
NEAR_PIXELS = 60
MOST_BARS = 6
PLAYER = "evidence-sound"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a video stands: in the list of which cell."""

    cell: cells.Cell
    ids: Sequence[str]


def show(video: Video, run_id: str, evaluation: Evaluation, colours: Mapping[str, str], place: Place) -> None:
    """Draw the evidence of a video that the evaluation of a run judged."""
    found = reasons.known(video.id, run_id, evaluation)
    _title(video, found.timeline, colours)
    copies.name(video)
    _steps(video, place)
    reasons.show(found)
    _sound(video)
    if len(found.timeline.fragments):
        _strip(video, found.timeline, colours)
    _shares(found, colours)
    pairs.show(video, found, colours, PLAYER)
    _both_sides(found, colours)
    _further(video, place, list(found.nearest["id"]))
    errors_about.show(video)
    errors_answers.show(video, errors_answers.asked_of(found))


def _steps(video: Video, place: Place) -> None:
    """Buttons to the previous and the next video of the list, with their keys."""
    at, ids = place.ids.index(video.id), place.ids
    before, after = ids[max(at - 1, 0)], ids[min(at + 1, len(ids) - 1)]
    first, last, go = at == 0, at == len(ids) - 1, cells.open_video
    with st.container(horizontal=True, gap="xsmall", key="errors-steps", vertical_alignment="center"):
        st.button(
            "Previous", key="step-before", on_click=go, args=(place.cell, before), disabled=first, shortcut="Left"
        )
        st.button("Next", key="step-after", on_click=go, args=(place.cell, after), disabled=last, shortcut="Right")
        with st.container(key="muted-steps", width="content"):
            st.text(cells.position(at, len(ids)))
        errors_keys.show()


def _further(video: Video, place: Place, near: Sequence[str]) -> None:
    with st.container(horizontal=True, gap="xsmall", key="errors-further"):
        parts.similar_button(video.id, "errors")
        errors_beside.choose(video, [*near, *place.ids[:100]])


def _title(video: Video, found: Timeline, colours: Mapping[str, str]) -> None:
    with st.container(horizontal=True, key="evidence-title", wrap=False):
        parts.thumbnail(video, "evidence")
        with st.container(gap=None):
            parts.strong(video.title or video.id, "evidence")
            parts.muted(" · ".join(filter(None, [video.channel, parts.length(video), video.id])), "evidence")
            with st.container(horizontal=True, gap="small"):
                parts.tinted(f"label {found.category}", colours.get(found.category, GREY), "label")
                parts.tinted(f"predicted {found.predicted}", colours.get(found.predicted, GREY), "predicted")


def _sound(video: Video) -> None:
    """The player that the strip plays by; of sound that is not kept, the site's at the second that was clicked."""
    start, clicks = timeline.started(_strip_key(video))
    with st.container(key=PLAYER):
        parts.player(video, start, autoplay=clicks > 0, again=clicks)


def _strip_key(video: Video) -> str:
    return f"{Key.TIMELINE}-{video.id}"


def _strip(video: Video, found: Timeline, colours: Mapping[str, str]) -> None:
    words, asks = errors_words.of(video.id, found), sound.at_its_site(video)
    hint, begins = sound.of_a_stretch(video, words), state.clip_begins()
    shown = timeline.strip(found, colours, words, hint, PLAYER, asks=asks, begins=begins)
    timeline.draw(shown, _strip_key(video), video.id)


def _shares(found: Evidence, colours: Mapping[str, str]) -> None:
    """The probabilities of the whole video, and beside them the vote of its neighbours."""
    shown, vote = found.timeline.probabilities, found.vote
    quality = f"Label quality, how probable its label is: {found.label_quality:.2f}"
    apart = "of other groups, no copies" if copies.at_hand() else "of other groups"
    note = f"{vote.neighbours} {apart}. {quality}"
    sides: list[Json] = [
        {"title": "Whole video", "rows": _rows(shown, colours), "note": ""},
        {"title": "Neighbours' vote", "rows": _rows(vote.shares, colours), "note": note},
    ]
    component("errors_shares")(key=Key.SHARES, data={"sides": sides})


def _rows(shares: Mapping[str, float], colours: Mapping[str, str]) -> list[Json]:
    """The most probable categories, in the order of the categories."""
    most = set(sorted(shares, key=lambda name: -shares[name])[:MOST_BARS])
    return [
        {"name": name, "colour": on_both(colours.get(name, GREY)), "share": share}
        for name, share in shares.items()
        if name in most
    ]


def _both_sides(found: Evidence, colours: Mapping[str, str]) -> None:
    now, nearest = state.tables(), found.nearest
    sides = dict.fromkeys([found.timeline.category, found.timeline.predicted])
    for number, (column, category) in enumerate(zip(st.columns(len(sides)), sides, strict=True)):
        near = nearest[(nearest["category"] == category) & now.there(nearest["id"])].head(NEIGHBOURS)
        with column:
            parts.strong(f"Nearest {category}", f"side-{number}")
            if near.empty:
                parts.muted("none of another group", f"side-{number}")
            for row in near.to_dict("records"):
                tint = (parts.nearness(row["percentile"]), colours.get(category, GREY))
                key, other = f"near-{number}-{row['id']}", now.by_id[row["id"]]
                parts.playable(other, key, (other.channel or "",), tint, NEAR_PIXELS)
