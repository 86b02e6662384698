"""Short trainings: what these tests state does not hang on their length."""

from collections.abc import Iterator

import pytest

from analysis import network


@pytest.fixture(scope="module", autouse=True)
def short_trainings() -> Iterator[None]:
    """At most 60 epochs in place of 200."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "MAX_EPOCHS", 60)
        yield
