"""Two videos side by side: what each was judged as, second by second, each with a player of its own."""

from collections.abc import Mapping, Sequence

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.evidence_timeline import timeline as judged_timeline
from dashboard import address, errors_words, gone, parts, sound, state, timeline
from dashboard.state import Key
from dashboard.style import GREY
from dashboard.wording import with_id
from quartzlens.records import Video

ADDRESS = "beside"
MOST_OFFERED = 200


def choose(video: Video, offered: Sequence[str]) -> None:
    """Draw the choice of the other video, by its title or by its id; the address names it."""
    known = state.tables().by_id
    ids = [one for one in dict.fromkeys(offered) if one in known and one != video.id][:MOST_OFFERED]
    with st.popover("Side by side"):
        st.selectbox(
            "With a neighbour, or a video of this list",
            ids,
            index=None,
            format_func=lambda one: with_id(known[one].title, one),
            key=f"{Key.BESIDE}-title",
            on_change=_put,
            args=(f"{Key.BESIDE}-title",),
        )
        st.text_input("With any video, by its id", key=f"{Key.BESIDE}-id", on_change=_put, args=(f"{Key.BESIDE}-id",))


def show(video: Video, evaluation: Evaluation, colours: Mapping[str, str]) -> None:
    """Draw both videos where the address names a second one."""
    known = state.tables().by_id
    asked = gone.asked(ADDRESS, known, "The video {} to look at side by side is not there. Choose another.")
    if asked is None:
        return
    other = known[asked]
    with parts.panel("beside"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader("Side by side", anchor=False, width="content")
            st.button("Close", on_click=_close)
        for number, (side, one) in enumerate(zip(st.columns(2), (video, other), strict=True)):
            with side:
                _one(one, number, evaluation, colours)


def _one(video: Video, number: int, evaluation: Evaluation, colours: Mapping[str, str]) -> None:
    player, key, place = f"beside-sound-{number}", f"{Key.BESIDE}-{number}-{video.id}", f"beside-{number}-"
    parts.card(video, f"beside-{number}", (video.channel or "",))
    seen = judged_timeline(evaluation, video.id) if (evaluation.predictions["id"] == video.id).any() else None
    if seen is not None:
        with st.container(horizontal=True, gap="small"):
            parts.tinted(f"label {seen.category}", colours.get(seen.category, GREY), f"beside-label-{number}")
            predicted = f"predicted {seen.predicted}"
            parts.tinted(predicted, colours.get(seen.predicted, GREY), f"beside-predicted-{number}")
        parts.muted(seen.sentence, f"beside-sentence-{number}")
    start, clicks = timeline.started(key)
    with st.container(key=player):
        parts.player(video, start, autoplay=clicks > 0, again=clicks, place=place)
    if seen is None:
        parts.muted("This evaluation did not judge it.", f"beside-unjudged-{number}")
    elif len(seen.fragments):
        words, asks = errors_words.of(video.id, seen), sound.at_its_site(video, place)
        hint, begins = sound.of_a_stretch(video, words, place), state.clip_begins()
        shown = timeline.strip(seen, colours, words, hint, player, keys=False, asks=asks, begins=begins)
        timeline.draw(shown, key, video.id)


def _put(key: str) -> None:
    if chosen := st.session_state[key]:
        address.put(ADDRESS, str(chosen).strip())
        state.silence()


def _close() -> None:
    """Nothing is chosen afterwards: the same video can be chosen again."""
    st.query_params.pop(ADDRESS, None)
    st.session_state[f"{Key.BESIDE}-title"], st.session_state[f"{Key.BESIDE}-id"] = None, ""
