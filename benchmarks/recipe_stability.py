"""Does any network of the space fall back under a recipe? Trains a spread of them and looks.

    python -m benchmarks.recipe_stability --profile quick --networks 20

A network falls back when it diverges, or when its PSNR-Y at the end is below that at half
of the steps by more than the seed noise. Results are written as they come, so that a run
which is stopped goes on.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from benchmarks.hardware import RESULTS, header_line, write_result
from nas.data import Patches, load_dataset
from nas.evaluate.validate import bicubic_quality, validate
from nas.noise import noise_of
from nas.training.loop import Diverged, train
from nas.training.recipe import Recipe, profile
from nas.training.state import seeded, start
from search_spaces import Architecture, Space, build, price


def random_network(space: Space, seed: int, params: float) -> Architecture:
    """A network of the space within a parameter budget, larger ones more often."""
    rng = np.random.default_rng(seed)
    labels = space.sample(rng)
    fractions = {d.name: float(rng.random() ** 0.5) for d in space.filling}
    point = space.fill(labels, fractions, 4, lambda arch: price(arch).params <= params)
    assert point is not None
    return space.architecture(point)


def look(arch: Architecture, recipe: Recipe, patches: Patches, photos: Any) -> dict[str, Any]:
    """PSNR-Y at half and at all of the steps, or the reason of a divergence."""
    state = start(seeded(lambda: build(arch), recipe.seed), recipe)
    found: dict[str, Any] = {"params": price(arch).params, "architecture": arch.to_dict()}
    try:
        for name, step in (("half_db", recipe.steps // 2), ("end_db", recipe.steps)):
            train(state, patches, recipe, step)
            found[name] = validate(state.averaged(), photos, 4).psnr_y_db
    except Diverged as error:
        found["diverged"] = error.reason
    found["seconds"] = round(state.seconds, 1)
    noise_db = noise_of("custom", recipe.steps).psnr_db
    found["fell_back"] = "diverged" in found or found["end_db"] < found["half_db"] - noise_db
    return found


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--networks", type=int, default=20)
    arguments = parser.parse_args()
    recipe, space = profile(arguments.profile), Space.load("distillation")
    dataset = load_dataset(4, lr_size=recipe.lr_size)
    patches = Patches.of(dataset.train, 4, recipe)
    name = f"recipe_stability_{arguments.profile}"
    path = RESULTS / f"{name}.json"
    settings = {"recipe": recipe.model_dump(mode="json"), "space": space.hash}
    done = json.loads(path.read_text()) if path.exists() else {}
    networks = done["networks"] if done.get("settings") == settings else {}
    print(header_line())
    bicubic_db = bicubic_quality(dataset.validation, 4).psnr_y_db
    for seed in range(arguments.networks):
        arch = random_network(space, seed, 600_000)
        if arch.hash not in networks:
            networks[arch.hash] = look(arch, recipe, patches, dataset.validation)
            figures = {"settings": settings, "bicubic_db": bicubic_db, "networks": networks}
            write_result(name, figures)
        found = networks[arch.hash]
        shown = found.get("diverged") or f"{found['half_db']:.3f} -> {found['end_db']:.3f} dB"
        print(f"{arch.hash}  {found['params']:>7,} params  {shown}  {found['seconds']} s")
    fell = [hash_ for hash_, found in networks.items() if found["fell_back"]]
    print(f"{len(fell)} of {len(networks)} networks fell back: {', '.join(fell) or 'none'}")


if __name__ == "__main__":
    main()
