"""What a short training can tell apart: seed noise, and what the image skip is worth to it.

    python -m benchmarks.proxy_noise

Trains a few published systems, as the default space writes them, under the quick recipe with
several seeds each (weights and patches), and E-RFDN without the image skip beside it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.hardware import header_line, write_result
from nas.data import Patches, load_dataset
from nas.evaluate.recipe import profile
from nas.explore.trainer import NetworkTrainer
from search_spaces import Architecture, Space

NETWORKS = ("e_rfdn", "rlfn")


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    space, quick = Space.load("distillation"), profile("quick")
    networks = {name: space.architecture(space.starting_points[name]) for name in NETWORKS}
    plain = networks["e_rfdn"].to_dict() | {"image_skip": "none"}
    networks["e_rfdn without image skip"] = Architecture.from_dict(plain)
    dataset = load_dataset(4, lr_size=quick.lr_size)
    print(header_line())
    found: dict[str, list[float]] = {}
    for name, arch in networks.items():
        found[name] = []
        for seed in range(arguments.seeds):
            recipe = quick.replace(seed=seed)
            patches = Patches(
                dataset.train, 4, lr_size=recipe.lr_size, batch=recipe.batch, seed=seed
            )
            trainer = NetworkTrainer(dataset, patches, recipe)
            with tempfile.TemporaryDirectory() as folder:
                rung = trainer.advance(
                    arch,
                    recipe.steps,
                    checkpoint=Path(folder) / "state.pt",
                    on_step=lambda *_: None,
                )
            found[name].append(rung.psnr_y_db)
        shown = ", ".join(f"{value:.3f}" for value in found[name])
        print(f"{name:>26}  {shown} dB, standard deviation {statistics.stdev(found[name]):.3f}")
    gain_db = statistics.mean(found["e_rfdn"]) - statistics.mean(found["e_rfdn without image skip"])
    print(f"the image skip is worth {gain_db:.2f} dB to {quick.steps} steps")
    figures = {"recipe": quick.model_dump(mode="json"), "psnr_y_db": found, "skip_gain_db": gain_db}
    print(f"written to {write_result('proxy_noise', figures)}")


if __name__ == "__main__":
    main()
