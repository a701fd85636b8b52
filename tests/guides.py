"""The guides under docs/, and how small their commands are run by the tests.

A guide is added with one line in `GUIDES`: its file's name, a function of `tests.guide_files` that
puts what its commands name into an empty folder, and what is written smaller than in the guide so
that a command takes a second (budgets, steps, trials). All commands of a guide run in that folder
one after the other, so that later ones may use what earlier ones wrote. They are the lines of its
blocks marked ``sh`` that begin with ``nas ``, a backslash joining lines; other lines there must be
named in ``aside``. Blocks marked ``python`` run as they are, in order among the commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests import guide_files

__all__ = ["CHAIN", "GUIDES", "Guide", "Piece", "pieces"]

_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Guide:
    """A guide whose commands are run.

    Attributes:
        name: of the file in docs/.
        prepare: puts what the commands need into the folder that they run in.
        instead: text of the guide to what stands for it here, replaced in this order.
        aside: lines of its ``sh`` blocks that are no commands of ours and are not run.
        adds: its pieces add to the open tables, each for itself as in a process of its own.
        draws: it is about figures, which are drawn; those of other guides are not.
        section: the heading of the only part of it that is meant.
    """

    name: str
    prepare: Callable[[Path], None]
    instead: Mapping[str, str] = field(default_factory=dict)
    aside: tuple[str, ...] = ()
    adds: bool = False
    draws: bool = False
    section: str = ""

    @property
    def text(self) -> str:
        """As it is written."""
        text = (guide_files.DOCS / self.name).read_text(encoding="utf-8")
        if not self.section:
            return text
        return text.split(f"\n## {self.section}\n")[1].split("\n## ")[0]


class Piece(NamedTuple):
    """One command or one block of Python."""

    kind: str
    text: str


_TINY = "--space tiny --profile smoke --trials 1 --latency-size 16x15"
_SHORT = "--steps 4 --batch 2 --patch 64 --validate-every 4 --no-tensorboard"
GUIDES: tuple[Guide, ...] = (
    Guide(
        "audit.md",
        guide_files.for_audit,
        {
            "--budget 600K-params": f"{_TINY} --trials 3 --data photos",
            "audit runs/mine": "audit runs/mine --factor 1.2",
            "--networks 16": "--networks 3",
            " --factor 10": "",
        },
        draws=True,
    ),
    Guide(
        "train.md",
        guide_files.for_train,
        {
            "--budget 600K-params": f"--budget 60K-params {_TINY}",
            " --steps 2200 --batch 8 --patch 96": "",
            "--train-best 3 --train-recipe e_rfdn": "--train-best 1 --train-recipe smoke",
            # Started processes take seconds; the command's own test has two.
            "--processes 2": "--processes 1",
            "nas train rfdn": "nas train net.safetensors",
            "--run full": f"{_SHORT} --run full",
            "--run as-the-paper": f"{_SHORT} --run as-the-paper",
            "--run rfdn-imdn": f"{_SHORT} --run rfdn-imdn",
            "--run trial-0": f"{_SHORT} --run trial-0",
            "--run taught": f"{_SHORT} --run taught",
            "--run longer": f"{_SHORT} --run longer",
            "--run mine": f"{_SHORT} --run mine",
            "--run short": f"{_SHORT} --run short",
            "--run judged": f"{_SHORT} --run judged",
            "--run both": f"{_SHORT} --run both",
        },
    ),
    Guide(
        "compress.md",
        guide_files.for_compress,
        {
            "--budget 70% --data": "--budget 70% --steps 2 --profile smoke --size 16x15 --data",
            "--steps 3000": "--steps 4 --profile smoke",
            "--steps 4000": "--steps 2 --profile smoke",
            "--profile quick": "--profile smoke --steps 2",
            "--trials 4": "--trials 1 --latency-size 16x15",
            "--compress 3": "--compress 1",
        },
    ),
    Guide(
        "deploy.md",
        guide_files.for_deploy,
        {"--tile 128": "--tile 32", "--size 160x90": "--size 16x15"},
    ),
    Guide(
        "latency.md",
        guide_files.for_latency,
        {
            "rfdn imdn": "--reference net.safetensors",
            "--size 320x180": "--size 16x15",
            "nas latency net.safetensors": "nas latency net.safetensors --rounds 1 --size 16x15",
            "--threads 1 --dtype": "--reference net.safetensors --threads 1 --dtype",
            "--layers": "--layers --reference net.safetensors",
            "--json": "--json --reference net.safetensors",
            "nas latency fit": "nas latency fit --networks 8 --held-out 2 --rounds 1 --space tiny",
            "-o this_cpu.yaml": "-o this_cpu.yaml --size 16x15",
            "--budget 25ms-latency": f"--budget 9s-latency {_TINY} --data photos",
            "--budget 7-esr_score": f"--budget 7-esr_score {_TINY} --data photos",
            # SPAN takes seconds for a whole image.
            "nas describe net.safetensors": "nas describe net.safetensors --no-latency",
        },
    ),
    Guide(
        "devices.md",
        guide_files.for_devices,
        {
            # Written at once, and without a package.
            "{onnx}": "{yaml}",
            "{tflite}": "{yaml}",
            "{ncnn_param}": "{yaml}",
            "--budget 25ms-latency": f"--budget 9s-latency {_TINY} --data photos",
            # Started processes take seconds; those of workers have tests of their own.
            "--workers 2": "",
            # Tens of networks; the board's script has run by then.
            "phone.yaml --latency-command './bench.sh": "phone.yaml --latency-command 'echo 3",
            "latency fit": "latency fit --networks 8 --held-out 2 --space tiny --size 16x15",
            "--budget 70% --data": "--budget 70% --no-int8 --steps 1 --profile smoke --data",
            "--size 160x90": "--size 16x15",
            "latency net.safetensors": "latency net.safetensors --reference net.safetensors",
        },
    ),
    Guide(
        "search.md",
        guide_files.for_search,
        {
            "--budget 600K-params": f"--budget 30K-params {_TINY}",
            "--budget 300K-params": f"--budget 30K-params {_TINY}",
            "--run runs/mine --trials 90": "--run runs/mine --trials 2",
            '"600K-params", data': '"30K-params", data',
            "trials=2": "trials=1",
        },
    ),
    Guide(
        "my-own-pairs.md",
        guide_files.for_pairs,
        {
            "--budget 600K-params": f"--budget 30K-params {_TINY}",
            "--budget 40G-flops": f"--budget 30G-flops {_TINY}",
            "--run trained": f"--recipe smoke {_SHORT} --run trained",
            "--run deblock": f"--recipe smoke {_SHORT} --run deblock",
            "quantize trained": "quantize --rounds 0 --calibration minmax trained",
            "others/1.png --lr others_jpeg/1.jpg": "others/0.png --lr others_jpeg/0.jpg",
        },
    ),
    Guide(
        "degradations.md",
        guide_files.for_degradations,
        {
            "--budget 600K-params": f"--budget 30K-params {_TINY}",
            "--run trained": f"--recipe smoke {_SHORT} --run trained",
            "quantize trained": "quantize --rounds 0 --calibration minmax trained",
            "nas train rfdn": "nas train ecbsr_m4c16",
            "nas data preview": "nas data preview --patch 64",
            "--run phone": f"--recipe smoke {_SHORT} --run phone",
        },
    ),
    Guide(
        "large-data.md",
        guide_files.for_large,
        {
            "--budget 600K-params": f"--budget 30K-params {_TINY}",
            "--run trained": f"--recipe smoke {_SHORT} --run trained",
            "--run restored": f"--recipe smoke {_SHORT} --run restored",
            "--budget 70%": "--budget 70% --profile smoke --steps 1",
        },
    ),
    Guide(
        "report.md",
        guide_files.for_report,
        {
            "--budget 600K-params": f"--budget 30K-params {_TINY} --trials 2 --data photos",
            "--budget 300K-params": f"--budget 20K-params {_TINY} --data photos",
            # In all formats, and for a paper, by the reports before.
            "-o compared": "-o compared --figures svg",
            "--set Set5": "--figures svg --set Set5",
        },
        # Serves until it is interrupted; the command's own test does that.
        aside=("nas dashboard runs/mine",),
        draws=True,
    ),
    Guide(
        "replay.md",
        lambda folder: (folder / "benchmarks").symlink_to(guide_files.DOCS.parent / "benchmarks"),
        {"range(3)": "range(1)", "trials=40": "trials=9"},
        adds=True,
    ),
    Guide(
        "extend.md",
        guide_files.for_extend,
        {
            "--budget 100K-params": "--budget 50K-params --profile smoke --trials 1 --data photos",
            "--budget 90K-params": f"--budget 50K-params {_TINY} --data photos",
            "--budget 200KB-file": f"--budget 40KB-file {_TINY} --data photos",
        },
        adds=True,
    ),
)


def pieces(guide: Guide) -> Iterator[Piece]:
    """The commands and blocks of Python of a guide, as the test runs them."""
    for kind, block in _BLOCK.findall(guide.text):
        for one in [block] if kind == "python" else block.replace("\\\n", " ").splitlines():
            line = one.partition("  #")[0].rstrip() if kind == "sh" else one
            line = line.removeprefix(".venv/bin/")
            if not line or line.startswith("#") or line in guide.aside:
                continue
            for written, small in guide.instead.items():
                line = line.replace(written, small)
            yield Piece(kind, line)


CHAIN = Guide(
    "../README.md",
    lambda folder: guide_files.tiny_photos(folder / "photos"),
    {
        "--budget 600K-params": f"--budget 30K-params {_TINY}",
        "train found best": "train found best --recipe smoke --steps 2 --no-tensorboard",
        "--budget 70%": "--budget 70% --profile smoke --steps 1 --size 16x9",
        "--size 320x180": "--size 16x15 --rounds 1 --reference small.safetensors",
        "compare photo.png": "compare photos/0.png",
    },
    section="From the winner to use",
)
