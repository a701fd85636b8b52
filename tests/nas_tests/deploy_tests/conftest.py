from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _alone(one_thread: None) -> None:
    """One thread, and a measuring lock that nobody else holds."""
