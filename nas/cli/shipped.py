"""Networks that ship: the one that is taken where none is named, and their cards on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nas.cli.console import PlainConsole, figures_table
from nas.cli.lines import say

if TYPE_CHECKING:
    from nas.shipped.card import Card, Latency, Quality

__all__ = ["card_rows", "default_network", "print_shipped"]


def default_network(scale: int | None = None) -> Card:
    """The best network that ships at a scale, or at the largest; says which one it is.

    Raises:
        InputError: none of that scale ships.
    """
    from nas.shipped.catalog import best_at

    card = best_at(scale)
    say(
        f"Network {card.name}: x{card.scale}, {card.params / 1e3:.1f} K parameters; others by --net"
    )
    return card


def card_rows(card: Card) -> list[tuple[str, str]]:
    """What a card says beyond the architecture and its price: labels and texts."""
    how, measured = card.training, card.latency
    training = f"{how.steps:,} steps by the recipe {how.recipe}, seed {how.seed}, on {how.data} "
    training += f"({how.photos:,} photos)"
    training += f", taught by {how.teacher}" if how.teacher else ""
    training += f", begun with {how.begun_with}" if how.begun_with else ""
    sets = {"validation": card.validation, **card.test}
    return [
        ("Ships", card.about),
        ("Training", training),
        ("Made by", f"{card.made_by} (revision {how.revision})"),
        *((f"On {name}", _told(quality)) for name, quality in sets.items()),
        ("Took", f"{measured.latency_ms:.1f} ms ({_place(measured)}, torch {measured.torch}, "
                 f"{measured.date})"),
        ("Weights", f"{card.weights}, licence {card.licence}, of {card.date}"),
    ]  # fmt: skip


def print_shipped(cards: Iterable[Card]) -> None:
    """A line of figures each, with the gain over bicubic upscaling; then what each of them is."""
    shown = list(cards)
    sets = list(dict.fromkeys(name for card in shown for name in card.test))
    table = figures_table(
        "Ships with\nweights", "Scale", "Params\n[K]", "Multi-Adds\n[G]",
        *(f"{name} (gain)\nPSNR-Y [dB]" for name in sets), "Latency\n[ms]",
    )  # fmt: skip
    table.padding, table.columns[0].no_wrap = (0, 1, 0, 0), True
    for card in shown:
        cells = (_gain(card.test[name]) if name in card.test else "–" for name in sets)
        table.add_row(
            card.name, f"x{card.scale}", f"{card.params / 1e3:.1f}", f"{card.macs / 1e9:.2f}",
            *cells, f"{card.latency.latency_ms:.1f}",
        )  # fmt: skip
    console = PlainConsole(highlight=False)
    console.print(table)
    for card in shown:
        console.print(f"{card.name}: {card.about} Latency: {_place(card.latency)}.")


def _told(quality: Quality) -> str:
    return (
        f"{quality.psnr_y_db:.3f} dB PSNR-Y, {quality.ssim_y:.4f} SSIM-Y; bicubic "
        f"{quality.bicubic_psnr_y_db:.3f} dB, {quality.bicubic_ssim_y:.4f}"
    )


def _gain(quality: Quality) -> str:
    return f"{quality.psnr_y_db:.2f} ({quality.gain_db:+.2f})"


def _place(latency: Latency) -> str:
    from nas.evaluate.threads import shown_threads

    height, width = latency.lr_size
    return f"{width}×{height} input, {shown_threads(latency.threads)}, {latency.processor}"
