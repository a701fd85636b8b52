"""Sizes of images as a user types them."""

from __future__ import annotations

from search_spaces.errors import InputError

__all__ = ["parse_size"]


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) from ``160x90``, which is width x height.

    Raises:
        InputError: anything else, or a side of 0.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise InputError(f"size {text!r}: expected width x height in pixels, such as 160x90")
    return int(height), int(width)
