"""Outcomes, labels and fingerprints: the rules that every layer relies on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartzlens.records import Fingerprint, Label, LabelSource, Outcome, Retry, current_categories

FINGERPRINT = Fingerprint("a" * 64, "{}", 0.0, 60.0, "mean", "f32", 1024, "demo")
labels = st.builds(
    Label,
    video_id=st.just("v"),
    category=st.sampled_from(["food", "travel", None]),
    source=st.sampled_from(LabelSource),
    origin=st.sampled_from(["list#1", "list#2"]),
    given_at=st.just(""),
)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"checkpoint_name": "other"}, True),
        ({"checkpoint_sha256": "b" * 64}, False),
        ({"clip_seconds": 30.0}, False),
        ({"start_seconds": 5.0}, False),
        ({"pooling": "mean3008"}, False),
        ({"precision": "int8"}, False),
        ({"front_end": '{"dither": 1}'}, False),
    ],
)
def test_a_fingerprint_changes_with_whatever_changes_the_numbers(change: dict[str, object], same: bool) -> None:
    """Only the name of the checkpoint is for people alone."""
    other = replace(FINGERPRINT, **change)  # type: ignore[arg-type]
    assert (other.key == FINGERPRINT.key) is same
    assert (other == FINGERPRINT) is same


@given(history=st.lists(labels, max_size=12), said=st.sampled_from(["food", "history"]))
def test_a_persons_last_word_wins(history: list[Label], said: str) -> None:
    """Whatever lists said before or say after, a person's label holds."""
    person = Label("v", said, LabelSource.PERSON, "", "")
    lists = [label for label in history if label.source is not LabelSource.PERSON]
    assert current_categories([*history, person, *lists]) == (said,)


@given(history=st.lists(labels, max_size=12))
def test_taking_a_persons_word_back_leaves_what_the_lists_say(history: list[Label]) -> None:
    """Undo gives exactly the lists' labels."""
    lists = [label for label in history if label.source is not LabelSource.PERSON]
    undone = [*history, Label("v", None, LabelSource.PERSON, "list#1", "")]
    assert current_categories(undone) == current_categories(lists)


def test_known_bad_outcomes_are_never_tried_again_by_themselves() -> None:
    """What cannot change is not asked for again; what may change is."""
    never = {outcome for outcome in Outcome if outcome.retry is Retry.NEVER}
    assert never >= {Outcome.REMOVED, Outcome.DAMAGED_LINK, Outcome.NO_AUDIO, Outcome.UNDECODABLE, Outcome.REFUSED_FILE}
    assert not never & {Outcome.NETWORK, Outcome.MISSING_FILE, Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.NOT_YET}
