"""The chosen cell of the confusion matrix: which it is (the address says), its videos, and steps through them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from analysis.evaluation import Evaluation, confusion_table, probability_columns
from dashboard import parts, state
from dashboard.state import Key
from dashboard.style import GREY
from quartzlens.records import Video

PAGE = 50
Cell = tuple[str, str]


def chosen_cell(evaluation: Evaluation) -> Cell:
    """Label and predicted category in the address, else those of the cell that holds most errors."""
    names = categories_of(evaluation)
    asked = (st.query_params.get("label", ""), st.query_params.get("predicted", ""))
    if asked[0] in names and asked[1] in names:
        return asked
    cells = confusion_table(evaluation.predictions, names)
    wrong = cells[cells["category"] != cells["predicted"]]
    most = (wrong if wrong["n"].max() else cells).sort_values("n", ascending=False, kind="stable").iloc[0]
    return str(most["category"]), str(most["predicted"])


def chosen_video(ids: Sequence[str]) -> str | None:
    """The video in the address where the cell holds it, else the cell's first; None where it holds none."""
    asked = st.query_params.get("video")
    return asked if asked in ids else next(iter(ids), None)


def clicked() -> None:
    """A click on a cell puts it into the address, and takes a video of another cell out."""
    picked = st.session_state[Key.MATRIX_CHART]["selection"].get("cell")
    if picked:
        st.query_params.from_dict({"label": picked[0]["category"], "predicted": picked[0]["predicted"]})
        st.session_state[Key.SHOWN] = PAGE
        state.silence()


def open_video(cell: Cell, video_id: str) -> None:
    """Put a cell and one of its videos into the address."""
    st.query_params.from_dict({"label": cell[0], "predicted": cell[1], "video": video_id})
    state.silence()


def listing(
    cell: Cell, ids: Sequence[str], evaluation: Evaluation, videos: Mapping[str, Video], chosen: str | None
) -> None:
    """Draw the videos of a cell, the surest first, a page at a time."""
    shades = state.tables().colours
    sure = evaluation.predictions.set_index("id")[probability_columns(evaluation.predictions)].max(axis=1)
    _names(cell, len(ids), shades)
    shown = st.session_state.get(Key.SHOWN, PAGE)
    for number, video_id in enumerate(ids[:shown]):
        bar = (float(sure[video_id]), shades.get(cell[1], GREY))
        key, lines = f"cell-{number}", (videos[video_id].channel or "",)
        parts.card(
            videos[video_id], key, lines, chosen=video_id == chosen, on_open=open_video, args=(cell, video_id), bar=bar
        )
    if not ids:
        parts.muted("No video of the collection is in this cell.", "cell-empty")
    if len(ids) > shown:
        st.button(f"Show more ({len(ids) - shown:,})", on_click=_more, width="stretch")


def removed(ids: Sequence[str]) -> None:
    """Name the videos that were judged and have left the collection since: the numbers still count them."""
    for number, video_id in enumerate(ids[:PAGE]):
        parts.muted(f"{video_id} · removed from the collection", f"removed-{number}")
    if len(ids) > PAGE:
        parts.muted(f"{len(ids) - PAGE:,} more removed", "removed-more")


def steps(cell: Cell, ids: Sequence[str], chosen: str) -> None:
    """Buttons to the previous and the next video of the cell, with their keys."""
    at = ids.index(chosen)
    with st.container(horizontal=True, gap="small"):
        before, after = ids[max(at - 1, 0)], ids[min(at + 1, len(ids) - 1)]
        st.button("Previous", on_click=open_video, args=(cell, before), disabled=at == 0, shortcut="Left")
        last = at == len(ids) - 1
        st.button("Next", on_click=open_video, args=(cell, after), disabled=last, shortcut="Right", type="primary")
        parts.similar_button(chosen, "errors")
        parts.muted(f"{at + 1} of {len(ids)}", "steps")


def categories_of(evaluation: Evaluation) -> list[str]:
    """The categories that were judged, sorted."""
    names = evaluation.metrics["categories"]
    return [str(name) for name in names] if isinstance(names, list) else []


def _names(cell: Cell, n: int, shades: Mapping[str, str]) -> None:
    with st.container(horizontal=True, key="strong-cell", gap="xsmall"):
        parts.tinted(cell[0], shades.get(cell[0], GREY), "cell-label")
        if cell[0] == cell[1]:
            st.text(f"taken for itself · {n:,}")
        else:
            st.text("taken for")
            parts.tinted(cell[1], shades.get(cell[1], GREY), "cell-predicted")
            st.text(f"· {n:,}")


def _more() -> None:
    st.session_state[Key.SHOWN] = st.session_state.get(Key.SHOWN, PAGE) + PAGE
