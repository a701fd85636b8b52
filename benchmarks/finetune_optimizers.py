"""What fine-tunes a pruned network best: Adam or Muon, at which step sizes, falling or constant.

    SR_DATA=path/to/data python -m benchmarks.finetune_optimizers

Two networks are trained by the long recipe of the recorded table, pruned to 60% of their
parameters by importance and refitted, and fine-tuned for the quick profile's steps, with the
unpruned network as teacher and without. T91 and BSD200 apart from its last 20 photos, which judge.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.hardware import header_line, write_result
from benchmarks.speedrun.cases import networks, skipped
from benchmarks.table.contents import LONG, RECIPE, SCALE, photos
from compress.distill import MIMICRY, Teaching
from compress.finetune import finetune, psnr_of
from compress.prune import Method, prune
from nas.data import Dataset, Patches
from nas.training.first_weights import set_first_weights
from nas.training.loop import train
from nas.training.recipe import Recipe
from nas.training.state import seeded, start
from search_spaces import Architecture, Network, build, price

NETWORKS = ("e_rfdn", "plain")
KEPT = 0.6
FACTORS = (0.2, 0.4, 1.0)
ADAM_RATES = (2e-4, 5e-4, 1e-3)


def main() -> None:
    """Trains, prunes, fine-tunes in every way, and writes a table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    dataset, rows = photos(), list[dict[str, Any]]()
    for name in NETWORKS:
        teacher = grown(skipped(networks(SCALE)[name], "linear"), dataset)
        budget = round(KEPT * price(teacher.architecture).params)
        pruned = prune(teacher, "params", budget, Method("lamp"), dataset=dataset).network
        print(f"{name}: {psnr_of(teacher, dataset):.3f} dB, pruned {psnr_of(pruned, dataset):.3f}")
        for label, recipe in ways():
            for taught in (False, True):
                teaching = Teaching((teacher,), MIMICRY) if taught else None
                tuned = finetune(pruned, dataset, recipe, teaching=teaching)
                row = {"network": name, "way": label, "teacher": taught, "after_db": tuned.after_db}
                rows.append(row)
                print(row, flush=True)
    summary = {}
    for label, _ in ways():
        own = [one["after_db"] for one in rows if one["way"] == label]
        if None not in own:
            summary[label] = round(statistics.mean(own), 4)
    best = sorted(summary, key=lambda label: -summary[label])
    for label in best:
        print(f"{summary[label]:.3f} dB  {label}")
    print(f"written to {write_result('finetune_optimizers', {'rows': rows, 'mean_db': summary})}")


def ways() -> Iterator[tuple[str, Recipe]]:
    """Label and recipe of each."""
    adam = RECIPE.replace(optimizer="adam", filter_rate=Recipe().filter_rate)
    each: list[tuple[str, Recipe]] = [
        *((f"muon times {factor:g}", RECIPE.slowed(factor)) for factor in FACTORS),
        *((f"adam {rate:g}", adam.replace(learning_rate=rate)) for rate in ADAM_RATES),
    ]
    falls: tuple[dict[str, Any], ...] = ({}, {"schedule": "linear"})
    for (label, recipe), fall in itertools.product(each, falls):
        yield f"{label}, {fall.get('schedule', 'constant')}", recipe.replace(**fall)


def grown(arch: Architecture, dataset: Dataset) -> Network:
    """Trained long."""
    recipe = LONG.replace(seed=0)
    patches = Patches.of(dataset.train, SCALE, recipe)
    network = seeded(lambda: build(arch), recipe.seed)
    set_first_weights(network, patches, recipe)
    averaged = train(start(network, recipe), patches, recipe).averaged()
    assert isinstance(averaged, Network)
    return averaged


if __name__ == "__main__":
    main()
