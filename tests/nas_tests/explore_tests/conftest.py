"""Every test of the search runs on one thread, behind a lock of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    return None
