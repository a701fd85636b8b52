"""What an exported graph says of itself."""

from __future__ import annotations

import json

from nas.evaluate.environment import environment
from search_spaces.network import Network

__all__ = ["metadata", "purpose"]


def metadata(network: Network) -> dict[str, str]:
    """Text by key: all that somebody needs who has the exported file alone."""
    arch = network.architecture
    return {
        "scale": str(arch.scale),
        "colors": str(arch.colors),
        "channel_order": "RGB" if arch.colors == 3 else "Y (BT.601, 16/255 to 235/255)",
        "value_range": "0..1; clamp the output",
        "layout": "NCHW float32; any N, height and width of at least 1",
        "architecture": json.dumps(arch.to_dict(), separators=(",", ":")),
        "architecture_hash": arch.hash,
        "producer_revision": environment().revision,
    }


def purpose(scale: int) -> str:
    """What a network of this scale is for, in words."""
    return "restoration at the same size" if scale == 1 else f"x{scale} super-resolution"
