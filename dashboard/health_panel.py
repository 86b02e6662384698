"""Health of the store: what can be seen at once, and a full check in the background that says what to do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import children, parts, state, style
from dashboard.background import Background, How
from dashboard.wording import shown_command
from dashboard.work import begin, follow
from quartzlens.figures import how_many, percent
from store.health import LAST_BACKUP, Health, health
from store.indexing import IndexFacts, index_facts
from store.removal import NOTE

MOST_MISSING = 50
MOST_OF_A_KIND = 5
_STEPS = {
    "catalog": "Looking at the catalog",
    "embeddings": "Looking at every embedding",
    "words": "Looking at the words",
    "media": "Looking at sound and pictures",
    "files of runs": "Looking at the files of runs",
    "search": "Asking the search indexes",
}
_SEVERITIES = {"wrong": "wrong", "untidy": "to tidy", "note": "to know"}


def show(now: state.Tables) -> None:
    """Draw the panel."""
    opened = state.collection()
    moved = [_moved(path) for path in (opened.media_folder, opened.folder / LAST_BACKUP, opened.folder / NOTE)]
    seen = _health((*state.stamp(), *moved))
    encoder = now.fingerprint
    with parts.panel("health"):
        st.subheader("Health of the store", anchor=False)
        if seen.cut_off:
            parts.notice(
                "A removal was cut off: bytes of what was removed may still be there. End it:", "cut-off", _repair()
            )
        facts = index_words(index_facts(state.collection(), encoder)) if encoder else {}
        facts |= {"sound and pictures": media_words(seen), "last backup": backup_words(seen)}
        with st.container(key="health-facts", gap="xsmall"):
            for name, words in facts.items():
                st.text(f"{name}: {words}")
        if seen.backup is None:
            st.code(shown_command("backup", "OTHER-FOLDER", "-c", str(state.folder())), language=None, wrap_lines=True)
        if seen.missing:
            with st.expander("Which are missing"):
                st.text("\n".join(seen.missing[:MOST_MISSING]))
        _check(children.background("check"))


def _moved(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(show_spinner=False, max_entries=4)
def _health(now: state.Stamp) -> Health:  # noqa: ARG001 (the stamp is the cache's key)
    opened = state.collection()
    return health(opened.folder, opened.media_folder, state.tables().by_id.values())


def media_words(seen: Health) -> str:
    """Whether all files of sound and pictures are there.

    >>> media_words(Health(12, ("a.ogg",), False, None))
    '1 of 12 files are missing'
    """
    if not seen.media:
        return "none is kept"
    if seen.missing:
        return f"{len(seen.missing):,} of {seen.media:,} files are missing"
    return f"{how_many(seen.media, 'file')}, all there"


def backup_words(seen: Health) -> str:
    """When the last backup was made, and where it lies; in UTC."""
    if seen.backup is None:
        return "none is known of. Make one by:"
    return f"{seen.backup.made_at[:16].replace('T', ' ')} UTC, in {seen.backup.target}"


def index_words(facts: Sequence[IndexFacts]) -> dict[str, str]:
    """The kind of each search index, how much it finds, and what it does not hold yet.

    >>> from store.places import What
    >>> index_words([IndexFacts(What.VIDEOS, "f32", 110, 10**5, 1.0, False, 2)])
    {'search for videos': 'exact (f32), 2 newer ones are read beside it'}
    """
    found = {}
    for one in facts:
        finds = f"finds {percent(one.recall)} of the nearest ({one.kind})" if one.recall < 1 else f"exact ({one.kind})"
        behind = f", {one.behind:,} newer ones are read beside it" if one.behind else ""
        found[f"search for {one.what}"] = f"{finds}{behind}"
    return found or {"search": "exact, without an index"}


def _repair() -> str:
    return shown_command("check", "--repair", "-c", str(state.folder()))


def _check(work: Background) -> None:
    if work.how is How.RUNNING:
        follow("check", _tell)
        return
    summary = next((event["summary"] for event in reversed(work.events) if "summary" in event), None)
    if summary is not None:
        _found(summary)
    elif work.how is How.FAILED:
        parts.failure(work.complaint or "The check ended before it was done: try once more.")
    elif work.how is How.STOPPED:
        parts.muted("The check was stopped.", "check-stopped")
    again = "Check again" if summary is not None else "Check everything"
    if st.button(again, help="Reads all that is kept; nothing is written, and others can work on meanwhile."):
        begin("check", "-c", str(state.folder()), "--progress", "json")


def _tell(work: Background) -> None:
    share, doing = progress(work.events)
    st.progress(share, text=doing)
    st.button("Stop", on_click=work.stop, key="stop-check")


def progress(events: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """How far a check is (0..1), and what it looks at, in words.

    >>> progress([{"doing": "media: 2000 of 3400"}])
    (0.5, 'Looking at sound and pictures')
    """
    doing = str(events[-1].get("doing", "")) if events else ""
    at = next((number for number, step in enumerate(_STEPS) if doing.startswith(step)), 0)
    return at / len(_STEPS), list(_STEPS.values())[at]


def _found(summary: Mapping[str, Any]) -> None:
    """What a check found, in words, and what to do."""
    found = summary["findings"]
    wrong = sum(one["severity"] == "wrong" for one in found)
    if not found:
        parts.tinted("All is sound: nothing is missing, damaged or left over.", style.OWN_COLOURS["history"], "check")
        return
    said = f"{how_many(wrong, 'thing')} wrong" if wrong else "All is sound, with something to tidy or to know"
    with st.container(key="verdict-check" if wrong else "muted-check"):
        st.text(
            f"{said}; {how_many(len(found) - wrong, 'other finding')}." if wrong and wrong < len(found) else f"{said}."
        )
    for number, group in enumerate(grouped(found)):
        _group(group, number)
    if any(one["repair"] for one in found):
        parts.notice("What can be derived is repaired by:", "check-repair", _repair())


def grouped(found: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Findings that ask for the same, together; what is wrong comes first."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in sorted(found, key=lambda one: list(_SEVERITIES).index(one["severity"])):
        groups.setdefault((one["severity"], one["advice"]), []).append(one)
    return list(groups.values())


def _group(group: Sequence[Mapping[str, Any]], number: int) -> None:
    with st.container(gap="xsmall"):
        for one in group[:MOST_OF_A_KIND]:
            st.text(f"{_SEVERITIES[one['severity']]} · {one['where']}: {one['what']}")
        if len(group) > MOST_OF_A_KIND:
            st.text(f"and {len(group) - MOST_OF_A_KIND:,} more of the kind: quartzlens check lists them")
        parts.muted(group[0]["advice"].replace("`", ""), f"check-{number}")
