"""What every network is held against."""

from __future__ import annotations

__all__ = ["baseline"]


def baseline(scale: int) -> str:
    """Its name: bicubic upscaling's, or, at scale 1, that of the image as it was."""
    return "input" if scale == 1 else "bicubic"
