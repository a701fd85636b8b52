from __future__ import annotations

from typing import Any

import torch

from compress.step import flaw


def test_a_network_that_is_not_what_its_price_says_has_a_flaw(tiny_network: Any) -> None:
    network = tiny_network()
    assert flaw(network) == ""
    network.blocks[0].extra = torch.nn.Conv2d(1, 1, 1)
    assert "its price says" in flaw(network)
