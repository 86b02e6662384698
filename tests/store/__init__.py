"""Tests of the store. The inherited suite's asserts explain themselves as those of test files do."""

import pytest

pytest.register_assert_rewrite("tests.store.contract", "tests.store.contract_search")
