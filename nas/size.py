"""Sizes of images as people write them."""

from __future__ import annotations

import re

from search_spaces.errors import InputError

__all__ = ["parse_size"]


def parse_size(text: str, option: str = "--size") -> tuple[int, int]:
    """(height, width) of ``320x180``; ``option`` is named in the error.

    Raises:
        InputError: anything else.
    """
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text)
    if found is None or not all(int(side) for side in found.groups()):
        raise InputError(f"{option}: expected WIDTHxHEIGHT such as 320x180, got {text!r}")
    return int(found[2]), int(found[1])
