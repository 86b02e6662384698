"""Outcomes and fingerprints: the rules that every layer relies on."""

from dataclasses import replace

import pytest

from quartzlens.outcomes import Outcome, Retry
from quartzlens.records import Fingerprint
from tests.conftest import ROOT

FINGERPRINT = Fingerprint("a" * 64, "{}", 0.0, 60.0, "mean", "f32", 1024, "demo")


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


def test_known_bad_outcomes_are_never_tried_again_by_themselves() -> None:
    """What cannot change is not asked for again; what may change is."""
    never = {outcome for outcome in Outcome if outcome.retry is Retry.NEVER}
    assert never >= {Outcome.REMOVED, Outcome.DAMAGED_LINK, Outcome.NO_AUDIO, Outcome.UNDECODABLE, Outcome.REFUSED_FILE}
    assert not never & {Outcome.NETWORK, Outcome.MISSING_FILE, Outcome.FAILED, Outcome.RATE_LIMITED, Outcome.NOT_YET}


def test_the_user_guide_has_every_outcome_once_with_what_to_do() -> None:
    """The table of docs/ingest.md is of all outcomes, and says of each whether it is tried again as the code does."""
    lines = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rows = [row for row in cells if len(row) == 4 and row[0] in set(Outcome)]
    assert [row[0] for row in rows] == [outcome.value for outcome in Outcome]
    for name, when, again, advice in rows:
        by_itself = {"no": Retry.NEVER, "same": Retry.NOW, "next": Retry.LATER, "after": Retry.LATER}
        assert when
        assert advice
        if name != Outcome.OK:
            assert by_itself[again.split()[0]] is Outcome(name).retry
