"""Embedding the collection by another block of its checkpoint: the choice of one, how far it is, how it ended."""

from dataclasses import replace
from typing import Any

import streamlit as st

from analysis.depths import POOLINGS
from analysis.runs import evaluations_of
from dashboard import children, parts, state
from dashboard.background import Background, How
from dashboard.wording import POOLED
from dashboard.work import begin, follow
from quartzlens.records import Fingerprint, Run

Choice = tuple[str, str]
"""A block, empty for the network's last, and a pooling."""
_HELP = "From the kept sound, beside what is there: going back takes a moment."


def there(now: state.Tables) -> bool:
    """Whether there is more than the block in use to embed by."""
    return len(choices(now, state.fingerprint())[0]) > 1


def show(now: state.Tables, best: Choice | None = None) -> None:
    """Draw how far embedding is, else how it ended and the choice of a block, which begins with ``best``."""
    work, used = children.background("reembed"), state.fingerprint()
    if work.how is How.RUNNING:
        follow("reembed", _tell)
        return
    options, last = choices(now, used)
    in_use = used.block, used.pooling
    if work.how is How.FAILED:
        parts.failure(work.complaint or "It ended before it was done: try once more.")
    elif work.how is How.DONE:
        parts.muted(f"Embedded by {_words(in_use, last)}.", "embedded")
    if len(options) > 1:
        first = ("" if best[0] == last else best[0], best[1]) if best else in_use
        _choose(options, in_use, first if first in options else in_use, last)


def _choose(options: list[Choice], in_use: Choice, first: Choice, last: str) -> None:
    """Draw the choice and the button that embeds by it."""

    def said(one: Choice) -> str:
        """What the box says of it."""
        return f"{_words(one, last)} (in use)" if one == in_use else _words(one, last)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        block, pooling = chosen = st.selectbox("Block", options, index=options.index(first), format_func=said)
        if st.button("Embed by this block", disabled=chosen == in_use, help=_HELP):
            how = ["--block", block, "--pooling", pooling, "--progress", "json"]
            begin("reembed", "-c", str(state.folder()), *how)


def choices(now: state.Tables, used: Fingerprint) -> tuple[list[Choice], str]:
    """What an evaluation measured or what is embedded already, from the sound to the text, and the last block's name.

    Evaluations and embeddings count that differ from ``used`` in block and pooling alone. A network's last block bears
    a name (C3) where all of the network was measured; else it is empty.
    """
    kin = {one.key: one for one in (*now.info.encoders, used) if _apart_from_depth(one) == _apart_from_depth(used)}
    judged = [run for run in evaluations_of(now.runs, None) if run.fingerprint_key in kin]
    whole = [measured(run) for run in judged if not kin[run.fingerprint_key].block]
    last = next((names[-1] for names in reversed(whole) if names), "")
    longest = max(map(measured, judged), key=len, default=[])
    blocks = ["" if name == last else name for name in longest]
    found = [(block, pooling) for block in blocks for pooling in POOLINGS]
    found += [(one.block, one.pooling) for one in kin.values()]
    place = {block: number for number, block in enumerate(blocks)}
    return sorted(dict.fromkeys(found), key=lambda one: (not one[0], place.get(one[0], len(place)))), last


def measured(run: Run) -> list[str]:
    """Names of the blocks that an evaluation judged, in the order of the network."""
    rows: Any = run.results.get("depths") or []
    return list(dict.fromkeys(row["block"] for row in rows))


def _apart_from_depth(encoder: Fingerprint) -> Fingerprint:
    return replace(encoder, block="", pooling="", dimension=0)


def _words(one: Choice, last: str) -> str:
    return f"{one[0] or last or 'the last block'}, {POOLED.get(one[1], one[1])}"


def _tell(work: Background) -> None:
    told = [event for event in work.events if "of" in event]
    share = told[-1]["done"] / max(told[-1]["of"], 1) if told else 0.0
    doing = f"{told[-1]['done']:,} of {told[-1]['of']:,} videos are embedded" if told else "Loading the encoder"
    st.progress(share, text=doing)
    st.button("Stop", on_click=work.stop, key="stop-reembed")
