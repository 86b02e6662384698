"""Which characters are text, and what tables for spreadsheets and terminals make of the others."""

import sys
import unicodedata

import pandas as pd
import pytest

from analysis.columns import shown as shown_in_message
from pipeline.listing import _one_line
from quartzlens.characters import is_one_line, is_text, one_line
from quartzlens.cli.common import shown
from quartzlens.spreadsheet import as_written, harmless, harmless_table

WORDS = ("食べ物\u3000料理", "خانه\u200cدار", "Récit\u00a0: histoire", "\U0001f469\u200d\U0001f467", "soft\u00adly")


def test_no_text_are_controls_and_ends_of_lines_alone() -> None:
    """Of all of Unicode controls, surrogates, separators of lines and controls of direction are no text."""
    characters = map(chr, range(sys.maxunicode + 1))
    none = [one for one in characters if not is_text(one)]
    directions = [one for one in none if unicodedata.category(one) not in {"Cc", "Cs", "Zl", "Zp"}]
    assert directions == list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert len(none) == 65 + 2048 + 2 + len(directions)
    assert (is_one_line(""), is_one_line("a\nb"), one_line("\u202eb\n")) == (True, False, "\ufffdb\ufffd")


@pytest.mark.parametrize("words", WORDS)
def test_words_of_any_language_stay_as_they_are(words: str) -> None:
    """Spaces of other scripts, and what joins or parts letters, reach tables, the terminal and messages."""
    assert harmless(words) == as_written(words) == shown(words) == words
    assert words in shown_in_message(words)
    assert _one_line(f" {words}\u2028") == " ".join(words.split())


@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000\u2003", "\ufeff", "\n", "\u200b", "\ufeff\u00a0\u200d"])
@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_no_formula_hides_behind_a_space(before: str, begin: str) -> None:
    """What a program may take away in reading does not make a text harmless; the apostrophe can be undone."""
    formula = f"{before}{begin}1+1"
    assert harmless(formula) == f"'{formula}"
    assert as_written(f"'{formula}") == formula
    assert harmless(f"\u202e\t{formula}\x07") == f"'{formula}"
    assert harmless_table(pd.DataFrame({formula: [formula]})).to_dict("list") == {f"'{formula}": [f"'{formula}"]}
