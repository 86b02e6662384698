"""The report of a run as a download: a command makes it, as cutting sound needs a decoder, which no server loads."""

import tempfile
from functools import cache
from pathlib import Path

import streamlit as st

from dashboard import children, parts, state
from dashboard.background import Background, How
from dashboard.work import begin, follow

_HELP = "One HTML file that opens anywhere: figures, charts, and the worst confusions with players."


def button(run_id: str) -> None:
    """Draw the button that makes the report of a run, how far it is, and then the download; one at a time is made."""
    work, out = children.background("report"), file_of(run_id)
    if work.how is How.RUNNING:
        follow("report", _tell)
        return
    if out.is_file():
        name = f"report-{run_id}.html"
        st.download_button("Download the report", out.read_bytes, file_name=name, mime="text/html", on_click="ignore")
        return
    if work.how is How.FAILED:
        parts.failure(work.complaint or "The report was not made: try once more.")
    if st.button("Report", help=_HELP, key="report-make"):
        begin("report", str(out), "--run", run_id, "-c", str(state.folder()), "--yes", "--progress", "json")


def file_of(run_id: str) -> Path:
    """Where the report of a run of the collection as it is now lies, or will."""
    return Path(_folder().name) / f"{run_id}-{abs(hash(state.stamp())):x}.html"


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    """The server's own, which goes with it."""
    return tempfile.TemporaryDirectory(prefix="quartzlens-reports-")


def _tell(work: Background) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        doing = str(work.events[-1].get("doing", "")) if work.events else ""
        parts.muted(f"Making the report{': ' + doing if doing else ''}", "report-doing")
        st.button("Stop", on_click=work.stop, key="stop-report")
