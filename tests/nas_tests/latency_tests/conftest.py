"""For the tests of the clock and what is measured by it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _few_rounds() -> None:
    """Here rounds are repeated as ever."""
