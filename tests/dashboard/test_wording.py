"""Text of strangers where Streamlit takes Markdown only, and words for outcomes."""

import doctest
import re
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.wording import MEANINGS, plain
from quartzlens.outcomes import Outcome

PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("*_[]()<>:$`#|~!-\\\n"))))
def test_no_mark_stays_unescaped(text: str) -> None:
    """Whatever a title holds, every ASCII punctuation mark is escaped, and nothing is lost but white space."""
    escaped = plain(text)
    assert re.fullmatch(r"(\\[!-/:-@\[-`{-~]|[^!-/:-@\[-`{-~\\])*", escaped, re.DOTALL)
    back = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped)
    assert back.replace("\u2060", "") == " ".join(text.split()).replace("\u2060", "")


@pytest.mark.parametrize(
    "trick", [":smile:", ":material/home:", ":red[x]", "www.example.com", "http://a.b", "a@b.c", "a -> b"]
)
def test_what_is_replaced_after_parsing_is_broken(trick: str) -> None:
    """Shortcodes, bare links and arrows, which a backslash does not stop, hold an invisible joiner."""
    assert "\u2060" in plain(trick)


def test_every_outcome_has_words() -> None:
    """No outcome is shown to a person without what it means."""
    assert {str(outcome) for outcome in Outcome} | {"pending"} == set(MEANINGS)


@pytest.mark.parametrize("name", ["wording", "style", "parts", "scores", "training", "process"])
def test_the_examples_hold(name: str) -> None:
    """The examples in the docstrings give what they say."""
    found = doctest.testmod(import_module(f"dashboard.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
