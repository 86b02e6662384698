"""Evaluating anew from the Labels view: the same work as the Classifier's, and then what the new labels changed."""

from typing import Any

import streamlit as st

from analysis.dataset import NOT_CHOSEN
from analysis.evaluation import Evaluation
from dashboard import children, comparing, parts, state, training
from dashboard.background import How
from dashboard.state import Key
from dashboard.training import Asked
from dashboard.wording import plain
from quartzlens.figures import how_many
from quartzlens.records import Run


def show(now: state.Tables) -> None:
    """Draw the way to an evaluation on the new labels, how it goes, and then what changed; nothing before any.

    What changed stays while labels go on coming, until it is closed.
    """
    found, running = state.evaluation(), children.background("evaluate").how is How.RUNNING
    new = now.info.labels - found[0].labels_seen if found else 0
    if running:
        st.session_state[Key.RETRAINED] = True
        with parts.panel("retrain"):
            training.going()
    elif found:
        ended = _ended()
        if new > 0:
            _offer(new, *found)
        if ended is How.DONE:
            _changed(now, found[0])


def _ended() -> How:
    """How the evaluation that this browser saw running has ended, which is told where it was not well."""
    if not st.session_state.get(Key.RETRAINED):
        return How.NOT_BEGUN
    training.going()
    return children.background("evaluate").how


def _changed(now: state.Tables, run: Run) -> None:
    before = state.evaluation(run.id, before=1)
    if before is None:
        return
    with parts.panel("retrain"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("What changed", anchor=False)
            st.button("Close", on_click=_close, type="tertiary", help="The Classifier view keeps it, under Runs.")
        comparing.two(now, before[0].id, run.id)


def _close() -> None:
    st.session_state[Key.RETRAINED] = False


def _offer(new: int, run: Run, evaluation: Evaluation) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="notice-retrain"):
        st.text(f"{how_many(new, 'entry', 'entries')} of the label history since the last evaluation.")
        asked = st.button("Evaluate anew and see what changed", help=_how(run))
    if asked:
        training.start(like(run, evaluation))


def _how(run: Run) -> str:
    """Whose settings and folds an evaluation anew would have."""
    last = f"the last evaluation ({run.created_at[:10]} {run.created_at[11:16]})"
    other = "Other settings: the Classifier view."
    if column := run.settings.get("fold_column"):
        return f"With the settings of {last} and, like it, the folds of the list's column {plain(str(column))}. {other}"
    if not _dealt_once(run):
        return (
            f"With the settings of {last}. Its folds are not kept, as videos were dealt to them several times: they "
            f"are dealt anew with the same seed, so what differs then may also be that. {other}"
        )
    return f"With the settings and the folds of {last}: what differs then is the labels' doing. {other}"


def _dealt_once(run: Run) -> bool:
    return run.settings.get("repeats") in {None, 1}


def like(run: Run, evaluation: Evaluation) -> Asked:
    """What a run was asked for, on the labels of now and by its folds, where it dealt once."""
    kept: Any = run.settings
    return Asked(
        str(kept.get("classifier", "original")),
        str(kept.get("class_weight") or "none"),
        str(kept.get("group_by") or ""),
        int(kept.get("folds_asked") or 5),
        int(kept.get("repeats") or 1),
        run.seed,
        str(kept.get("report") or "usual"),
        after=_dealt_once(run) and not kept.get("fold_column"),
        fold_column=str(kept.get("fold_column") or ""),
        preset=str(kept.get("preset") or ""),
        only=_chosen(evaluation) if kept.get("only") else None,
    )


def _chosen(evaluation: Evaluation) -> frozenset[str]:
    """The videos that an evaluation of chosen ones was to learn from, also those that it could not."""
    out = evaluation.left_out
    unused = list(out.loc[out["reason"] != NOT_CHOSEN, "id"]) if len(out) else []
    return frozenset(map(str, [*evaluation.predictions["id"], *unused]))
