"""Settings: defaults, then the environment, then flags."""

from pathlib import Path

import pytest

from quartzlens.config import load_settings


def test_flags_win_over_the_environment_and_that_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """-c beats QUARTZLENS_COLLECTION, which beats ./collection."""
    monkeypatch.delenv("QUARTZLENS_COLLECTION", raising=False)
    assert load_settings(collection=None).collection == Path("collection")
    monkeypatch.setenv("QUARTZLENS_COLLECTION", "/from/environment")
    assert load_settings().collection == Path("/from/environment")
    assert load_settings(collection=Path("/from/flag")).collection == Path("/from/flag")


def test_allowed_hosts_are_none_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No private host is reachable by default; names are separated by commas."""
    monkeypatch.delenv("QUARTZLENS_ALLOW_HOSTS", raising=False)
    assert load_settings().allowed_hosts == frozenset()
    assert load_settings(allow_hosts="127.0.0.1, media.local").allowed_hosts == {"127.0.0.1", "media.local"}
