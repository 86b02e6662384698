"""Adding videos from the browser: what was given is surveyed first, then ingested in the background, stoppable."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.tables import PENDING
from dashboard import children, ingest_left, parts, state
from dashboard import ingest_uploads as uploads
from dashboard.ingest_child import Progress
from dashboard.ingest_uploads import Batch, State
from dashboard.state import Key
from dashboard.wording import meaning
from quartzlens.errors import QuartzlensError
from quartzlens.figures import how_many

HELP = (
    "A CSV with a column link, url or path, and, where you have them, category, title and channel; its paths "
    "are the bare names of files that you give with it. Or a text file with a link a line. "
    f"At most {uploads.MOST_FILES} files and {uploads.MOST_BYTES / 2**30:g} GB at once."
)


def show(*, inviting: bool = False) -> None:
    """Draw what is going on, else what waits to be ingested, else the boxes for links and files.

    ``inviting``: the boxes are open although nothing is going on.
    """
    now = children.ingest_child().progress()
    waiting = [one for one in uploads.batches(state.folder()) if one.state is not State.ENDED]
    # what a browser has unfolded stays so, whatever is asked: after Close it is another expander, which begins folded
    key = f"ingest-{st.session_state.get(Key.INGEST_CLOSED, 0)}"
    with st.expander("Add videos", expanded=inviting or bool(now or waiting), key=key):
        if problem := st.session_state.pop(Key.PROBLEM, ""):
            parts.notice(problem, "ingest-refused")
        if now is not None and now.running:
            _running()
            return
        if now is not None:
            _ended(now, goes_on=any(one.folder.name == now.name for one in waiting))
        if waiting:
            _waiting(waiting[-1])
        else:
            _give()


@st.fragment(run_every=1.0)
def _running() -> None:
    now = children.ingest_child().progress()
    if now is None or not now.running:
        st.rerun()
    share = now.done / now.total if now.total else 0.0
    st.progress(min(share, 1.0))
    words = f"{now.done:,} of {now.total:,}" if now.total else "Getting ready: the encoder takes some seconds"
    with st.container(key="ingest-progress"):
        st.text(f"{words} · {_counts(now.outcomes)}" if now.outcomes else words)
    if now.stopping:
        parts.muted("Stopping after the video that it is at; what is finished is kept.", "stopping")
    else:
        st.button("Stop", on_click=children.ingest_child().stop)


def _ended(now: Progress, *, goes_on: bool) -> None:
    """What came of the last ingest, until it is put away; ``goes_on`` where what is left of it waits."""
    counted = _counts(now.outcomes) or "nothing new"
    if now.complaint:
        said, key = f"The ingest failed: {now.complaint}", "failed"
    elif now.stopping:
        said, key = f"The ingest was stopped: {counted}.{' It goes on where it was.' if goes_on else ''}", "stopped"
    else:
        said, key = f"The ingest is done: {counted}.", "done"
    with st.container(horizontal=True, key=f"notice-ingest-{key}", vertical_alignment="center"):
        with st.container():
            st.text(said)
        st.button("Close", key="ingest-close", on_click=_close, args=(now,), type="tertiary")
    lost = [name for name in now.outcomes if name != "ok"]
    if lost and not now.complaint:
        parts.muted("; ".join(f"{name}: {meaning(name)}" for name in lost), "ingest-lost")


def _close(now: Progress) -> None:
    children.ingest_child().put_away(now)
    st.session_state[Key.INGEST_CLOSED] = st.session_state.get(Key.INGEST_CLOSED, 0) + 1


def _waiting(batch: Batch) -> None:
    """What a batch holds, with the buttons that begin it or leave it."""
    with st.container(key="ingest-survey", gap="small"):
        for line in survey_lines(batch.survey):
            st.text(line)
        if batch.state is State.GIVEN and state.exists() and (n := state.tables().outcomes[PENDING]):
            st.text(f"{how_many(n, 'video waits', 'videos wait')} from before: the ingest works on them as well.")
    unusable = [(one["row"], one["problem"]) for one in batch.survey.get("unusable", [])]
    parts.table("Rows that cannot be used", ["row", "problem"], unusable[:100])
    unnamed = [(name,) for name in batch.survey.get("unnamed", [])]
    parts.table("Files that no list names: they are not ingested", ["file"], unnamed[:100])
    begun = batch.state is State.BEGUN
    with st.container(horizontal=True, gap="small"):
        st.button("Go on" if begun else "Ingest them", type="primary", on_click=_begin, args=(batch.folder,))
        st.button(
            "Leave it" if begun else "Discard",
            on_click=_leave,
            args=(batch.folder,),
            help="What is done stays; what was not tried yet is taken out again." if begun else None,
        )


def survey_lines(survey: Mapping[str, Any]) -> list[str]:
    """What a survey found, in sentences.

    >>> survey_lines({"rows": 3, "videos": 2, "bad_rows": 1, "ingest": {"links": 2, "files": 0}})
    ['3 rows, 2 videos: 2 links, 0 files.', '1 row cannot be used.']
    """
    of, n_bad, n_lists = survey.get("ingest", {}), survey.get("bad_rows", 0), survey.get("playlists", 0)
    kinds = f"{how_many(of.get('links', 0), 'link')}, {how_many(of.get('files', 0), 'file')}"
    lines = [f"{how_many(survey.get('rows', 0), 'row')}, {how_many(survey.get('videos', 0), 'video')}: {kinds}."]
    if categories := survey.get("categories"):
        lines.append("Categories: " + ", ".join(f"{one['category']} {one['rows']:,}" for one in categories[:12]) + ".")
    if n_lists:
        lines.append(f"{how_many(n_lists, 'playlist')}: what they hold is asked for during the ingest.")
    if survey.get("damaged_ids"):
        lines.append(f"{how_many(survey['damaged_ids'], 'link is', 'links are')} damaged and will be lost.")
    if n_bad:
        lines.append(f"{how_many(n_bad, 'row')} cannot be used.")
    if seconds := of.get("all_pauses_seconds"):
        lines.append(f"Between links it pauses, about {max(1, round(seconds / 60)):,} min in all.")
    return lines


def _give() -> None:
    turn = st.session_state.get(Key.INGEST_TURN, 0)
    left, right = st.columns(2)
    with left:
        text = _links(f"{Key.INGEST_LINKS}-{turn}")
    files = right.file_uploader(
        "Video and audio files, or a CSV", accept_multiple_files=True, key=f"{Key.INGEST_FILES}-{turn}", help=HELP
    )
    if st.button("See what they hold", type="primary"):
        try:
            with st.spinner("Reading what was given"):
                _survey(text, [(one.name, one.getbuffer()) for one in files])
        except (QuartzlensError, OSError) as error:
            parts.notice(_told(error), "ingest-refused")
            return
        children.ingest_child().put_away(children.ingest_child().progress())
        st.session_state[Key.INGEST_TURN] = turn + 1
        st.session_state[Key.INGEST_LINKS_KEPT] = ""
        st.rerun()


def _links(key: str) -> str:
    """The box for links; what is in it outlives a look at another view, where the box itself is lost."""
    st.session_state.setdefault(key, st.session_state.get(Key.INGEST_LINKS_KEPT, ""))
    text = st.text_area("Links, one a line", placeholder="https://", key=key, height=110)
    st.session_state[Key.INGEST_LINKS_KEPT] = text
    return text


def _survey(text: str, files: list[tuple[str, memoryview]]) -> None:
    """Keep what was given and what it holds; nothing is kept where that cannot be told."""
    batch = uploads.keep(state.folder(), uploads.links_in(text), files)
    try:
        found = children.ingest_child().survey(batch.paths, batch.folder)
        uploads.noted(replace(batch, survey={**found, "unnamed": uploads.unnamed(batch)}))
    except BaseException:
        uploads.remove(batch)
        raise


def _begin(folder: Path) -> None:
    def on_end(ended: Progress) -> None:
        if ended.code == 0:
            uploads.end(folder)

    def start(batch: Batch) -> None:
        children.ingest_child().start(folder.name, batch.paths, folder, on_end)

    _try(partial(uploads.begin, folder, start))


def _leave(folder: Path) -> None:
    now = children.ingest_child().progress()
    if now is not None and now.running and now.name == folder.name:
        st.session_state[Key.PROBLEM] = "Another browser has begun to ingest this: stop it first."
    else:
        _try(partial(uploads.leave, folder, _take_back))


def _take_back(folder: Path) -> None:
    """Take what is left of a batch out of the collection, where the ingest came so far that there is one."""
    if state.exists():
        ingest_left.take_back(state.collection(), folder)


def _try(change: Callable[[], None]) -> None:
    """Make a change of a batch; what stands against it is told by the next drawing."""
    try:
        change()
    except (QuartzlensError, OSError) as error:
        st.session_state[Key.PROBLEM] = _told(error)


def _told(error: Exception) -> str:
    return f"It cannot be kept: {error.strerror or error}." if isinstance(error, OSError) else str(error)


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(outcomes.items(), key=lambda pair: -pair[1]))
