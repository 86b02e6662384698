"""``quartzlens find`` on the demo collection."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, quartzlens


@pytest.mark.slow
@pytest.mark.parametrize("text", ["README.md", "quartzlens/cli/find.py"])
def test_the_documented_words_are_heard_in_the_demo(demo_collection: Path, text: str) -> None:
    """What the README and the help look for is found in the collection that they name."""
    (words,) = re.findall(r"quartzlens find (.+) -c demo-collection", (ROOT / text).read_text("utf-8"))
    done = quartzlens("find", *words.split(), "-c", demo_collection)
    assert done.returncode == 0, done.stderr
    assert "No fragment" not in done.stdout
    assert words in done.stdout
