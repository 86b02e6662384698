"""The store in memory keeps the contract."""

from collections.abc import Iterator

import pytest

from store.base import Store
from store.memory import MemoryStore
from tests.store.contract import StoreContract


class TestMemoryStore(StoreContract):
    """The whole contract."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """An empty store."""
        with MemoryStore() as store:
            yield store

    @pytest.fixture
    def other(self) -> Iterator[Store]:
        """A second one."""
        with MemoryStore() as store:
            yield store
