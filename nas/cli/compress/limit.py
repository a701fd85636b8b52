"""Budgets of compression as a user types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from search_spaces import Architecture

__all__ = ["check_limit", "parse_limit"]


def check_limit(text: str, option: str = "--budget") -> tuple[str, float]:
    """A figure and its limit as written; a share of the network's own parameters is of "share".

    Raises:
        InputError: neither, a figure that pruning has no exact price of, or a share that is
            not between 0% and 100%.
    """
    from nas.budget import parse_budget

    share = text.strip().removesuffix("%")
    if share != text.strip():
        try:
            part = float(share) / 100
        except ValueError:
            part = 0.0
        if not 0 < part < 1:
            raise InputError(f"{option} {text}: expected a share between 0% and 100%, such as 70%")
        return "share", part
    parsed = parse_budget(text)
    if parsed.name not in ("params", "macs", "activations"):
        raise InputError(
            f"{option} {text}: pruning knows the exact price in params, flops and activations; "
            f"expected one of these, such as 300K-params"
        )
    return parsed.name, parsed.limit


def parse_limit(text: str, architecture: Architecture) -> tuple[str, float]:
    """A figure and its limit, from ``300K-params`` or ``70%`` of the network's own parameters.

    Shares are of the network as it is used, its training forms folded.

    Raises:
        InputError: see `check_limit`.
    """
    from search_spaces import folded, price

    figure, limit = check_limit(text)
    if figure == "share":
        return "params", limit * price(folded(architecture)).params
    return figure, limit
