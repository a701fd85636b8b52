"""What can be built: architectures as data, their exact prices, and the networks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from search_spaces.architecture import Architecture
    from search_spaces.catalog import preset, preset_names
    from search_spaces.cost import Price, price
    from search_spaces.folding import fold, folded
    from search_spaces.network import Network, build
    from search_spaces.space import Space
    from search_spaces.weights import load, save_weights

__all__ = [
    "Architecture",
    "InputError",
    "Network",
    "Price",
    "Space",
    "build",
    "fold",
    "folded",
    "load",
    "preset",
    "preset_names",
    "price",
    "save_weights",
]

# torch takes a second to load: what needs it is imported when first asked for.
_HOMES = {
    "Architecture": "architecture",
    "Network": "network",
    "Price": "cost",
    "Space": "space",
    "build": "network",
    "fold": "folding",
    "folded": "folding",
    "load": "weights",
    "preset": "catalog",
    "preset_names": "catalog",
    "price": "cost",
    "save_weights": "weights",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
