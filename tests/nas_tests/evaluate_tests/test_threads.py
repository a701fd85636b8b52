from __future__ import annotations

import pytest
import torch

from nas.evaluate.threads import threads
from search_spaces.errors import InputError


def test_threads_are_as_before_afterwards() -> None:
    before = torch.get_num_threads()
    with threads(before + 1) as inside:
        assert inside == torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with threads(None) as inside:
        assert inside == before
    with pytest.raises(InputError, match="expected 1 to 1024, got 0"), threads(0):
        pass
