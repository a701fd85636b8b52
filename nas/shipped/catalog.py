"""The networks that ship, by name and by scale."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from nas.shipped.card import NAME, Card, read_card
from search_spaces.errors import InputError, nearest

__all__ = [
    "FOLDER", "best_at", "card_of", "cards", "looks_shipped", "shipped_names", "shipped_weights",
]  # fmt: skip

FOLDER = Path(__file__).parent / "networks"
"""Of each network NAME.safetensors and NAME.yaml, its card."""


def shipped_names() -> list[str]:
    """The names of all of them, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def looks_shipped(name: str) -> bool:
    """Whether a name is such a one, whatever ships."""
    return NAME.fullmatch(name) is not None


def card_of(name: str) -> Card:
    """What is known of one.

    Raises:
        InputError: nothing of this name ships (with the nearest name), or a damaged card.
    """
    if name not in shipped_names():
        raise InputError(f"no network {name!r} ships{nearest(name, shipped_names())}")
    return _read(FOLDER / f"{name}.yaml")


def shipped_weights(name: str) -> Path:
    """Its .safetensors file.

    Raises:
        InputError: as `card_of`.
    """
    return FOLDER / f"{card_of(name).name}.safetensors"


def cards() -> list[Card]:
    """All of them: by scale, then by parameters."""
    return sorted(map(card_of, shipped_names()), key=lambda card: (card.scale, card.params))


def best_at(scale: int | None = None) -> Card:
    """The network of a scale with the highest PSNR-Y on the validation photos.

    Args:
        scale: 2, 3 or 4; None: the largest of which a network ships.

    Raises:
        InputError: none of that scale ships: names the scales of which some do.
    """
    shipped = cards()
    scales = sorted({card.scale for card in shipped})
    wanted = max(scales, default=4) if scale is None else scale
    own = [card for card in shipped if card.scale == wanted]
    if not own:
        known = ", ".join(f"{one} ({_names_at(one, shipped)})" for one in scales) or "none at all"
        raise InputError(
            f"no network of scale {wanted} ships; scales of those that ship: {known}; "
            f"give a network of your own"
        )
    return max(own, key=lambda card: card.validation.psnr_y_db)


def _names_at(scale: int, shipped: list[Card]) -> str:
    return ", ".join(card.name for card in shipped if card.scale == scale)


@lru_cache
def _read(path: Path) -> Card:
    return read_card(path)
