"""Weights under the names that others publish them by."""

from __future__ import annotations

import re
from itertools import chain, product, zip_longest
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from search_spaces import keymap
from search_spaces.keymap import key_maps
from search_spaces.network import Network

__all__ = ["State", "saved", "theirs"]
State = dict[str, Tensor]
KEY_MAPS = Path(keymap.__file__).parent / "keymaps"
_NUMBER = re.compile(r"(\{.*?\})")


def theirs(network: Network, layout: str) -> State:
    """The network's weights under the names of ``layout``, by trying all that its rules make."""
    key_map = next(one for one in key_maps() if one.name == layout)
    rules = yaml.safe_load((KEY_MAPS / f"{layout}.yaml").read_text())["keys"]
    state = network.state_dict()
    found: dict[str, str] = {}
    for rule in rules:
        numbered = _NUMBER.split(rule)
        for numbers in product(range(9), repeat=len(numbered) // 2):
            layer = "".join(map(str, chain.from_iterable(zip_longest(numbered[::2], numbers))))
            layer = layer.removesuffix("None")
            for key in (f"{layer}.weight", f"{layer}.bias"):
                if (name := key_map.ours(key)) in state:
                    found.setdefault(str(name), key)
    return {found[name]: state[name].clone() for name in state}


def saved(data: Any, path: Path) -> Path:
    torch.save(data, path)
    return path
