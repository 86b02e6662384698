"""The evaluation that a view shows: the one in the address, else the newest."""

from typing import TypeAlias

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.runs import evaluations_of
from dashboard import address, children, gone, state
from dashboard.background import How
from quartzlens.records import Run

Judged: TypeAlias = tuple[Run, Evaluation]


def shown(now: state.Tables) -> Judged | None:
    """As ``asked``, and put into the address, but while another is being made: that will be the newest."""
    found = asked(now)
    if found is not None:
        newer(found[0].id)
        if children.background("evaluate").how is not How.RUNNING:
            address.put("run", found[0].id)
    return found


def asked(now: state.Tables) -> Judged | None:
    """The evaluation that the address names, else the newest; None where there is none.

    One that cannot be shown is told, and leaves the address.
    """
    known = [run.id for run in evaluations_of(now.runs, now.fingerprint)] if now.fingerprint else []
    elsewhere = any(run.id == st.query_params.get("run") for run in now.runs)
    why = "is of another encoder" if elsewhere else "is not kept any more"
    next_step = "The newest is shown instead; Classifier, Runs has them all."
    return state.evaluation(gone.asked("run", known, f"The evaluation {{}} of this address {why}. {next_step}") or "")


def newer(run_id: str) -> None:
    """Say that there is a newer evaluation than the one that is shown, and lead to it."""
    if is_older(run_id):
        with st.container(horizontal=True, key="notice-newer", vertical_alignment="center"):
            st.text("This address is of an earlier evaluation.")
            st.button("Show the newest", on_click=_show_newest)


def is_older(run_id: str) -> bool:
    """Whether there is a newer evaluation than this one."""
    newest = state.evaluation()
    return newest is not None and newest[0].id != run_id


def _show_newest() -> None:
    for name in ("run", "video"):
        address.put(name)
