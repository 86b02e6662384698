"""What to do next: one friendly line, by how far a collection is, with the way there."""

from dataclasses import dataclass

import streamlit as st

from analysis.evaluation import Evaluation
from analysis.label_work import decided
from dashboard import address, parts, state
from dashboard.wording import shown_command
from quartzlens.figures import how_many
from quartzlens.outcomes import Outcome
from quartzlens.records import Run

LOOK = "Look at them"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a collection is; all are numbers of videos but ``new_labels``, entries of the label history.

    ``doubts`` are those that were taken for another category and that no person has looked at since.
    """

    embedded: int
    labelled: int
    judged: bool
    new_labels: int
    damaged: int
    doubts: int


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence, and a view that it leads to with the words of the link, or a command."""

    sentence: str
    view: str = ""
    link: str = ""
    command: str = ""


def step(at: Standing) -> Step:
    """The one thing to do next.

    >>> step(Standing(110, 0, False, 0, 0, 0)).link
    'Give labels'
    """
    damaged, command = how_many(at.damaged, "video"), shown_command("repair", "LIST")
    since, doubts = how_many(at.new_labels, "label change"), how_many(at.doubts, "video")
    steps = (
        (not at.embedded, Step("No video is embedded yet: add some below, or go on with those that wait.")),
        (not at.labelled, Step("No video has a label yet, and labels are learned from.", "labels", "Give labels")),
        (not at.judged, Step("Nothing has learned from the labels yet.", "classifier", "Evaluate a classifier")),
        (at.new_labels, Step(f"{since} since the last evaluation.", "classifier", "Evaluate anew")),
        (at.damaged, Step(f"{damaged} lost by a damaged id in the list: look for them by title.", command=command)),
        (at.doubts, Step(f"{doubts} taken for another category: is the label wrong? Listen.", "errors", LOOK)),
    )
    done = Step("All is labelled and judged: see what is confused with what, and why.", "errors", "See the errors")
    return next((one for due, one in steps if due), done)


def show(now: state.Tables) -> None:
    """Draw the line."""
    found = step(standing(now))
    if found.command:
        parts.notice(f"Next: {found.sentence}", "next", found.command)
        return
    with st.container(horizontal=True, key="notice-next", vertical_alignment="center", gap="small"):
        st.text(f"Next: {found.sentence}")
        if found.view:
            st.page_link(f"views/{found.view}.py", label=found.link, query_params=address.leading_to(found.view))


def standing(now: state.Tables) -> Standing:
    """How far the collection is now."""
    judged = state.evaluation()
    return _standing(now.stamp, judged[0].id if judged else "", now, judged)


@st.cache_resource(show_spinner=False, max_entries=4)
def _standing(stamp: state.Stamp, run_id: str, _now: state.Tables, _judged: tuple[Run, Evaluation] | None) -> Standing:  # noqa: ARG001
    labelled = sum(_now.by_id[one].category is not None for one in _now.embedded)
    damaged = _now.outcomes[Outcome.DAMAGED_LINK]
    if _judged is None:
        return Standing(len(_now.embedded), labelled, False, 0, damaged, 0)
    run, table = _judged[0], _judged[1].predictions
    wrong = table.loc[table["category"] != table["predicted"], "id"]
    doubts = len(_now.embedded.intersection(wrong) - set(decided(state.collection().store)))
    return Standing(len(_now.embedded), labelled, True, max(0, _now.info.labels - run.labels_seen), damaged, doubts)
