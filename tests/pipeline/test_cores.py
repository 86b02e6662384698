"""How many cores there are, whichever system says so."""

import os

import pytest

from pipeline.fetch import MAX_DECODERS, usual_decoders
from quartzlens.cores import cores


def test_a_system_that_does_not_say_which_cores_are_usable_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``sched_getaffinity`` all cores count, at least one."""
    assert cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert (cores(), usual_decoders()) == (64, MAX_DECODERS)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert (cores(), usual_decoders()) == (1, 1)
