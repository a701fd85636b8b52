"""Re-parameterised convolutions: what a training step costs with them, and what they are worth.

    SR_DATA=path/to/data python -m benchmarks.rep_step            # step times alone
    SR_DATA=path/to/data python -m benchmarks.rep_step --steps 2000 --seeds 3

Five networks with plain convolutions, with `rep` and with `rep_wide`, otherwise equal. A step has
to cost at most 1.1 of a plain one's, and after 2,000 steps a form has to be worth at least 0.02 dB
in the median of networks, or it is no default. Trained by the recipe `fast` on T91 and BSD200 apart
from its last 20 photos, which judge. Every finished training is written down at once: started
again, it goes on there. One that diverges has no PSNR, and counts as worth nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.speedrun.cases import photos
from nas.data import Patches
from nas.evaluate.validate import validate
from nas.training.first_weights import set_first_weights
from nas.training.loop import Diverged, train
from nas.training.recipe import Recipe, profile
from nas.training.schedule import load_full_recipe
from nas.training.state import TrainState, seeded, start
from search_spaces import Architecture, build

NAME = "rep_step"
SCALE, CHANNELS = 4, 16
FORMS = ("plain", "rep", "rep_wide")
# The quick profile's, and eight times that: making a kernel costs the same whatever the batch.
BATCHES = (8, 64)
MOST_TIMES, LEAST_DB = 1.1, 0.02
_STEPS_A_TURN, _UNTIMED = 3, 2


def networks(form: str) -> dict[str, Architecture]:
    """By name, with one form of convolution."""
    unbiased = {"kind": form, "bias": False}
    trunks: dict[str, dict[str, Any]] = {
        "span": {
            "activation": "silu", "blocks": {"kind": "spab", "repeat": 5, "convolution": form},
            "fusion": {"kind": "span", "convolution": form},
        },
        "spanv2": {
            "activation": "relu", "upsampler": "near", "fusion": "none",
            "stem": {"kind": "chain", "convolutions": 3, "convolution": unbiased},
            "blocks": {"kind": "spab_v2", "repeat": 4, "convolution": unbiased},
        },
        "disp": {
            "activation": "silu", "fusion": {"kind": "chain", "kernel": 1},
            "blocks": {"kind": "plain", "repeat": 4, "convolutions": 4, "residual": "output",
                       "convolution": form},
        },
        "compact": {
            "activation": "prelu", "fusion": "none", "image_skip": "anchor",
            "blocks": {"kind": "plain", "repeat": 12, "convolution": form},
        },
        "rfdn": {
            "image_skip": "linear",
            "blocks": {"kind": "distillation", "repeat": 4, "stages": 4, "distillation": "fdc",
                       "distilled": 8, "last": 8, "convolution": form},
        },
    }  # fmt: skip
    whole = {"scale": SCALE, "channels": CHANNELS}
    return {name: Architecture.from_dict(whole | trunk) for name, trunk in trunks.items()}


def fresh(arch: Architecture, recipe: Recipe) -> tuple[TrainState, Patches]:
    """Step 0 of a training, and what it is trained on."""
    patches = Patches.of(photos(SCALE)[0], SCALE, recipe)
    network = seeded(lambda: build(arch), recipe.seed)
    set_first_weights(network, patches, recipe)
    return start(network, recipe), patches


def step_times(batch: int, turns: int) -> dict[str, dict[str, float]]:
    """Processor seconds of a step, of all forms of a network in turns: medians."""
    # Times do not depend on the rates, and so low nothing diverges meanwhile.
    recipe = profile("quick").replace(learning_rate=5e-5, filter_rate=0.02, batch=batch)
    found = {}
    for name in networks("plain"):
        ready = {form: fresh(networks(form)[name], recipe) for form in FORMS}
        times: dict[str, list[float]] = {form: [] for form in FORMS}
        for turn in range(turns + _UNTIMED):
            for form, (state, patches) in ready.items():
                began = time.process_time()
                train(state, patches, recipe, state.step + _STEPS_A_TURN)
                if turn >= _UNTIMED:
                    times[form].append((time.process_time() - began) / _STEPS_A_TURN)
        medians = {form: statistics.median(each) for form, each in times.items()}
        found[name] = medians
        ratios = ", ".join(f"{form} {medians[form] / medians['plain']:.3f}" for form in FORMS[1:])
        print(
            f"batch {batch:2} {name:8} plain {medians['plain']:.4f} s a step; times that: {ratios}",
            flush=True,
        )
    return found


def trainings(steps: int, seeds: int) -> Iterator[dict[str, Any]]:
    """What is to be trained: seed by seed, so that an unfinished run tells of all networks."""
    for seed in range(seeds):
        for name in networks("plain"):
            for form in FORMS:
                yield {"network": name, "form": form, "steps": steps, "seed": seed}


def trained_db(row: dict[str, Any]) -> float | None:
    """PSNR-Y of one training's averaged weights, in dB; None where it diverges."""
    (recipe,) = load_full_recipe("fast", SCALE).stretched(row["steps"]).phases
    recipe = recipe.replace(seed=row["seed"])
    state, patches = fresh(networks(row["form"])[row["network"]], recipe)
    try:
        averaged = train(state, patches, recipe).averaged()
    except Diverged:
        return None
    return round(validate(averaged, photos(SCALE)[1], SCALE).psnr_y_db, 4)


def gains(rows: list[dict[str, Any]], steps: int) -> dict[str, dict[str, float]]:
    """By form and network: dB above plain after so many steps, means over the seeds of both."""
    known = {
        (r["form"], r["network"], r["seed"]): r["psnr_y_db"] for r in rows if r["steps"] == steps
    }
    found: dict[str, dict[str, list[float]]] = {form: {} for form in FORMS[1:]}
    for (form, name, seed), db in known.items():
        if form != "plain" and ("plain", name, seed) in known:
            gain = -math.inf if db is None else db - known["plain", name, seed]
            found[form].setdefault(name, []).append(gain)
    return {
        form: {name: round(statistics.mean(each), 4) for name, each in own.items()}
        for form, own in found.items()
    }


def main() -> None:
    """Times steps, trains what is asked for and not there yet, and writes what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=20, help=f"of {_STEPS_A_TURN} steps each")
    parser.add_argument("--steps", type=int, default=0, help="of a training; 0: time steps alone")
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    path = RESULTS / f"{NAME}.json"
    before: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    rows: list[dict[str, Any]] = before.get("trainings", [])
    times: dict[str, Any] = before.get("seconds_a_step", {})
    if arguments.turns:
        times = {str(batch): step_times(batch, arguments.turns) for batch in BATCHES}
    told = {"seconds_a_step": times, "goals": {"most_times": MOST_TIMES, "least_db": LEAST_DB}}
    write_result(NAME, {**told, "trainings": rows})
    for batch, networks_ in times.items():
        ratios = [own / each["plain"] for each in networks_.values() for own in each.values()]
        print(f"batch {batch}: worst ratio {max(ratios):.3f}, goal at most {MOST_TIMES}")
    for row in trainings(arguments.steps, arguments.seeds) if arguments.steps else ():
        if not any(row.items() <= one.items() for one in rows):
            rows.append({**row, "psnr_y_db": trained_db(row)})
            print(rows[-1], flush=True)
            write_result(NAME, {**told, "trainings": rows})
    for form, own in gains(rows, arguments.steps).items():
        if own:
            median = statistics.median(own.values())
            print(f"{form}: {median:+.3f} dB in the median, goal at least {LEAST_DB}; {own}")


if __name__ == "__main__":
    main()
