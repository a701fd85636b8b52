"""Networks that ship, made up: their figures are nobody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nas.shipped.card import Card
from search_spaces import Network, price, save_weights

__all__ = ["made_up_card", "plain_card", "ship"]

_QUALITY = {"ssim_y": 0.88, "bicubic_psnr_y_db": 24.0, "bicubic_ssim_y": 0.8}


def plain_card(name: str, *, psnr_y_db: float = 25.0, **changes: Any) -> dict[str, Any]:
    """What stands in the file of a card."""
    quality = {"psnr_y_db": psnr_y_db, **_QUALITY}
    return {
        "name": name, "about": "A network that was made up.", "scale": int(name[1]), "colors": 3,
        "hash": "0123456789abcdef", "params": 1000, "macs": 10_000_000, "weights": "float32",
        "training": {
            "data": "squares", "photos": 3, "recipe": "smoke", "steps": 4, "seed": 0,
            "revision": "0123",
        },
        "validation": quality, "test": {"Set5": quality},
        "latency": {
            "latency_ms": 12.5, "lr_size": [180, 320], "threads": 1, "processor": "a clock",
            "torch": "2", "date": "2026-01-31",
        },
        "made_by": "nas train", "licence": "MIT", "date": "2026-01-31", **changes,
    }  # fmt: skip


def made_up_card(name: str, **changes: Any) -> Card:
    """The card itself."""
    return Card.model_validate(plain_card(name, **changes))


def ship(folder: Path, name: str, network: Network, **changes: Any) -> None:
    """Puts a network into a folder in the place of those that ship."""
    folder.mkdir(exist_ok=True)
    arch = network.architecture
    cost = price(arch)
    told = {"colors": arch.colors, "hash": arch.hash, "params": cost.params, "macs": cost.macs}
    card = made_up_card(name, **(told | changes))
    save_weights(network, folder / f"{name}.safetensors")
    (folder / f"{name}.yaml").write_text(card.to_yaml(), encoding="utf-8")
