"""Labels: a person's word wins, and can be taken back."""

from hypothesis import given
from hypothesis import strategies as st

from quartzlens.records import Label, LabelSource
from store.labels import current_categories

labels = st.builds(
    Label,
    video_id=st.just("v"),
    category=st.sampled_from(["food", "travel", None]),
    source=st.sampled_from(LabelSource),
    origin=st.sampled_from(["list#1", "list#2"]),
    given_at=st.just(""),
)


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
