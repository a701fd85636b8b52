"""Photos, their degradation, and the patches that networks train on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas.data.dataset import Dataset, load_dataset
from nas.data.photo import Photo

if TYPE_CHECKING:
    from nas.data.patches import Batch, Patches

__all__ = ["Batch", "Dataset", "Patches", "Photo", "load_dataset"]


def __getattr__(name: str) -> Any:
    # Patches needs torch, which takes a second to load: only when somebody asks for it.
    if name in ("Batch", "Patches"):
        from nas.data import patches

        return getattr(patches, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
