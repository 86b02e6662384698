"""The chosen cell of the confusion matrix, or row or column: which it is (the address says), and its videos."""

from collections.abc import Container, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from analysis.cells import Rank
from analysis.evaluation import Evaluation
from analysis.evidence_timeline import categories_of
from analysis.metrics import confusion_cells
from dashboard import address, gone, parts, state, working_set
from dashboard.errors_component import component
from dashboard.state import Key
from dashboard.style import GREY, on_both
from quartzlens.records import Json, Video

PAGE = 24
Cell = tuple[str, str]
"""Label and predicted category; one of them is empty for a whole column or row."""
HELP = (
    "Confidence: how probable the prediction is. Label quality: how probable the label is. "
    "Nearness: how near a video is to those labelled as what it was taken for, its own channel left out."
)

_NO_CATEGORY = "No category {} is in this evaluation any more. Click a cell to see its videos."
_ELSEWHERE = "The video {} is not in this list: another cell holds it, or the working set leaves it out."


def chosen_cell(evaluation: Evaluation) -> Cell:
    """Label and predicted category in the address, else those of the cell that holds most errors."""
    names = categories_of(evaluation)
    label, predicted = (gone.asked(side, {*names, ""}, _NO_CATEGORY) or "" for side in ("label", "predicted"))
    if label or predicted:
        return label, predicted
    cells = confusion_cells(evaluation.confusion, names)
    wrong = cells[cells["category"] != cells["predicted"]]
    most = (wrong if wrong["n"].max() else cells).sort_values("n", ascending=False, kind="stable").iloc[0]
    return str(most["category"]), str(most["predicted"])


def chosen_video(ids: Sequence[str], known: Container[str]) -> str | None:
    """The video in the address where the cell holds it, else the cell's first; None where it holds none."""
    why = _ELSEWHERE if st.query_params.get("video") in known else gone.VIDEO
    return gone.asked("video", ids, f"{why} The first of the list is open instead.") or next(iter(ids), None)


def head(cell: Cell, n: int) -> Rank:
    """Draw what the chosen cell is and the choice of what its list is ranked by, which the address names."""
    with st.container(horizontal=True, key="errors-cell-head", vertical_alignment="center"):
        _heading(cell, n)
        return _chosen_rank()


def _chosen_rank() -> Rank:
    chosen = st.selectbox(
        "Ranked by",
        [str(rank) for rank in Rank],
        key="by",
        bind="query-params",
        label_visibility="collapsed",
        width=150,
        help=HELP,
    )
    return Rank(chosen)


def clicked() -> None:
    """A click on a cell, a name or a total puts it into the address, and takes a video of another cell out."""
    picked = st.session_state[Key.MATRIX].get("cell")
    if picked:
        _go(label=str(picked[0]), predicted=str(picked[1]), video="")
        st.session_state[Key.SHOWN] = PAGE
        state.silence()


def open_video(cell: Cell, video_id: str) -> None:
    """Put a cell and one of its videos into the address."""
    _go(label=cell[0], predicted=cell[1], video=video_id)
    state.silence()


def _go(**where: str) -> None:
    """Put these into the address; an empty one goes out of it. All else in it stays."""
    for name, value in where.items():
        address.put(name, *([value] if value else []))


def listing(cell: Cell, table: pd.DataFrame, by: Rank, videos: Mapping[str, Video], chosen: str | None) -> None:
    """Draw the videos of a cell in their order (``analysis.cells.ranked``), a page at a time."""
    shown, shades = st.session_state.get(Key.SHOWN, PAGE), state.tables().colours
    if table.empty and working_set.current() is not None:
        parts.muted("No video of the working set is in this cell: clear the working set to see all.", "cell-empty")
    elif table.empty:
        parts.muted("No video of the collection is in this cell.", "cell-empty")
    else:
        rows = table.head(shown).to_dict("records")
        listed: list[Json] = [_listed(cell, row, by, videos[str(row["id"])], shades) for row in rows]
        data: Json = {"videos": listed, "cell": list(cell), "chosen": chosen}
        component("errors_list")(key=Key.LIST, data=data, on_open_change=_opened)
    if len(table) > shown:
        st.button(f"Show more ({len(table) - shown:,})", on_click=_more, width="stretch")
    working_set.answer_button([str(video_id) for video_id in table["id"]], "cell")


def _listed(cell: Cell, row: Mapping[Hashable, Any], by: Rank, video: Video, shades: Mapping[str, str]) -> Json:
    """What ``errors_list.js`` draws of a video."""
    predicted, label = str(row["predicted"]), str(row["category"])
    # Of a whole row or column each says what the other side is.
    other = "" if cell[0] and cell[1] else f"predicted {predicted}" if cell[0] else f"labelled {label}"
    doubt = "label quality" if by is Rank.QUALITY else ""
    share, whose = (row["value"], label) if doubt else (row["confidence"], predicted)
    lines = filter(None, [video.channel, " · ".join(filter(None, [other, doubt]))])
    return {
        "id": video.id,
        "title": video.title or video.id,
        "lines": list(lines),
        "share": float(share),
        "colour": on_both(shades.get(whose, GREY)),
        "picture": parts.thumbnail_address(video, f"list-{video.id}"),
    }


def _opened() -> None:
    """A click on a video of the list opens it."""
    picked = st.session_state[Key.LIST].get("open")
    if picked:
        open_video((str(picked[0]), str(picked[1])), str(picked[2]))


def removed(ids: Sequence[str]) -> None:
    """Name the videos that were judged and have left the collection since: the numbers still count them."""
    for number, video_id in enumerate(ids[:PAGE]):
        parts.muted(f"{video_id} · removed from the collection", f"removed-{number}")
    if len(ids) > PAGE:
        parts.muted(f"{len(ids) - PAGE:,} more removed", "removed-more")


def _heading(cell: Cell, n: int) -> None:
    shades = state.tables().colours
    with st.container(horizontal=True, key="strong-cell", gap="xsmall"):
        if cell[0]:
            parts.tinted(cell[0] if cell[1] else f"labelled {cell[0]}", shades.get(cell[0], GREY), "cell-label")
        if cell[0] and cell[1]:
            st.text("taken for itself" if cell[0] == cell[1] else "taken for")
        if cell[1] and cell[0] != cell[1]:
            parts.tinted(cell[1] if cell[0] else f"predicted {cell[1]}", shades.get(cell[1], GREY), "cell-predicted")
        st.text(f"· {n:,}")


def _more() -> None:
    st.session_state[Key.SHOWN] = st.session_state.get(Key.SHOWN, PAGE) + PAGE


def position(at: int, n: int) -> str:
    """Where a video stands in its list, such as 3 of 12.

    >>> position(2, 1200)
    '3 of 1,200'
    """
    return f"{at + 1:,} of {n:,}"
