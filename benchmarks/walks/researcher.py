"""The walk of a researcher: an attention, a block and a sampler of their own, and a paper's figure.

    python -m benchmarks.walks.researcher

One file of parts by --import and one space, written as docs/extend.md says, searched by the file's
own sampler. The search is stopped after two networks, resumed to four, and asked once more: nothing
is trained twice, and what the run names as code is not run unasked. Then the figures for a paper's
column as PDF, and the front as a table.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd

from benchmarks.hardware import header_line
from benchmarks.walks.walk import Walk, walking
from reports.plots.sheet import WIDTHS

_PARTS = '''"""Parts of my own: an attention, a block that holds any attention, and a sampler."""

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge
from nas.explore.sampler import SAMPLERS
from optuna.samplers import NSGAIISampler
from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS, AttentionPart
from search_spaces.blocks import BLOCKS
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part
from torch import Tensor, nn


class Edges(nn.Module):
    """Gates each pixel by how far it stands out from its neighbours."""

    reads = "gate"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 1)
        self.blur = nn.AvgPool2d(3, 1, 1, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        return x * self.gate(x - self.blur(x)).sigmoid()

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        """One 1x1 convolution."""
        yield conv("gate", channels, channels, 1, size)


class Waist(nn.Module):
    """Down to a few channels, 3x3 there, and up again, gated; the input is added."""

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        width: Annotated[int, Ge(1)],
        attention: AttentionPart | None = None,
    ) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, width, 1)
        self.middle = nn.Conv2d(width, width, 3, padding=1)
        self.up = nn.Conv2d(width, channels, 1)
        self.activation = ACTIVATIONS.make(activation, width)
        self.attention = (
            nn.Identity() if attention is None else ATTENTIONS.make(attention, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        y = self.activation(self.middle(self.down(x)))
        return x + self.attention(self.up(y))

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        width: int,
        attention: AttentionPart | None = None,
    ) -> Iterator[Layer]:
        """Three convolutions, what the activation has learned, and the attention's."""
        yield conv("down", channels, width, 1, size)
        yield conv("middle", width, width, 3, size)
        yield from ACTIVATIONS.layers(activation, width)
        yield conv("up", width, channels, 1, size)
        if attention is not None:
            for layer in ATTENTIONS.layers(attention, channels, size):
                yield layer._replace(name=f"attention.{layer.name}")


ATTENTIONS.add("edges", Edges)
BLOCKS.add("waist", Waist)
SAMPLERS.add("small", lambda seed: NSGAIISampler(population_size=4, seed=seed))
'''
_SPACE = """name: mine
dimensions:
  width: {choices: [0.25, 0.5]}
  attention: {choices: {edges: edges, none: null}}
  blocks: {fill: {low: 1, high: 6}}
  channels: {fill: {low: 8, high: 48, step: 4}}
architecture:
  image_skip: linear
  channels: $channels
  blocks:
    - {kind: waist, repeat: $blocks, width: {share: $width}, attention: $attention}
starting_points:
  first: {width: 0.5, attention: edges, blocks: 2, channels: 24}
"""
_SEARCH = (
    "nas search --import parts.py --space mine.yaml --sampler small --budget 60K-params "
    "--profile smoke --run runs/mine"
)
_POINTS_AN_INCH = 72


def main() -> None:
    """Walks; ends non-zero where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder to walk in; default: a temporary one")
    arguments = parser.parse_args()
    print(header_line())
    with walking("researcher", arguments.keep) as folder:
        (folder / "parts.py").write_text(_PARTS, encoding="utf-8")
        (folder / "mine.yaml").write_text(_SPACE, encoding="utf-8")
        walk = Walk(folder)
        searched(walk)
        figures(walk)


def searched(walk: Walk) -> None:
    """Two networks, two more, and none."""
    trials = walk.folder / "runs" / "mine" / "trials.csv"
    said = walk.run(f"{_SEARCH} --trials 2", "my parts, priced exactly, trained from my start on")
    walk.holds("my starting point is the first", "start:first" in trials.read_text("utf-8"))
    walk.holds("it is not called a published system", "published" not in said.lower())
    before = pd.read_csv(trials).set_index("number")

    said = walk.run(f"{_SEARCH} --trials 4", "goes on: two more are trained, none again")
    walk.holds("it says so", "Going on: 2 networks are trained already" in said)
    after = pd.read_csv(trials).set_index("number")
    kept = after.loc[before.index]
    walk.holds("the first rows are the same", before.equals(kept[before.columns]))

    said = walk.run(f"{_SEARCH} --trials 4", "nothing is left to train")
    walk.holds("nothing was trained", re.search(r"^\d+/4 +trial", said, re.M) is None)
    again = pd.read_csv(trials).set_index("number")
    walk.holds("all rows are the same", after.equals(again))


def figures(walk: Walk) -> None:
    """For a paper's column, and the front as a table."""
    walk.run(
        "nas report runs/mine --trust --figures pdf --width column -o paper",
        "PDFs as wide as a column, captions beside them; --trust loads what the run names",
    )
    walk.has("paper/figures/pareto.pdf", "paper/figures/captions.txt")
    content = (walk.folder / "paper" / "figures" / "pareto.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", content)
    wide, high = (float(side) / _POINTS_AN_INCH for side in box.groups()) if box else (0.0, 0.0)
    walk.holds(f"{wide:.2f} x {high:.2f} inches fit a column",
               abs(wide - WIDTHS["column"]) < 0.01 and 1 < high < 8.6)  # fmt: skip
    walk.holds("no Type 3 fonts", b"/Type3" not in content)
    front = pd.read_csv(walk.folder / "runs" / "mine" / "front.csv")
    known = front[["psnr_y_db", "params"]].notna().all(axis=None)
    walk.holds(f"front.csv: {len(front)} of PSNR and price", len(front) > 0 and bool(known))
    walk.run("nas export runs/mine --trust -o alone.py", "the best as plain Python, without nas-sr")
    walk.has("alone.py", "alone.pth")


if __name__ == "__main__":
    main()
