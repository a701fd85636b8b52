"""How well a fitted latency model foretells networks that it hasn't seen.

Random networks of the default space are measured in batches, in turns with a fixed reference:
60 to fit on, as ``nas latency fit`` draws them, and 48 others, drawn under four budgets of
parameters, which only judge. Beside the model stand, fitted on the same networks: multi-adds
alone, and the mix of multi-adds, activations and layers that a search without a model uses for
its proposals. Run it again and again with --seconds until all are measured; then it fits.

    python -m benchmarks.latency_fit [--seconds 200]
    python -m benchmarks.latency_fit --runtime onnxruntime --export; and again without --export
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.evaluate.threads import threads
from nas.latency.campaign import measure_networks
from nas.latency.device import this_device
from nas.latency.fit import accuracy_of, fit_model
from nas.latency.guess import LatencyGuess
from nas.latency.measure import Measured, measure_batch
from nas.latency.model import Accuracy, LatencyModel
from nas.latency.runtime import runner
from nas.latency.samples import random_networks
from nas.training.state import seeded
from search_spaces import Architecture, Space, build, price

BUDGETS = (1e5, 3e5, 6e5, 1e6)
FITTED_ON, HELD_OUT_EACH = 60, 12
GOALS = {"median_error": 0.10, "kendall_tau": 0.9}


def drawn(
    space: Space, scale: int, fitted_on: int, held_out_each: int
) -> tuple[list[Architecture], dict[float, list[Architecture]]]:
    """The networks to fit on, and the held-out ones by budget, none of which is among those."""
    known = list(islice(random_networks(space, scale, 0), fitted_on))
    hashes = {architecture.hash for architecture in known}
    held_out: dict[float, list[Architecture]] = {}
    for number, budget in enumerate(BUDGETS):
        others = random_networks(space, scale, 1 + number, most_params=budget)
        fresh = (architecture for architecture in others if architecture.hash not in hashes)
        held_out[budget] = list(islice(fresh, held_out_each))
        hashes |= {architecture.hash for architecture in held_out[budget]}
    return known, held_out


def by_multi_adds(known: list[Measured], unseen: list[Measured], lr: tuple[int, int]) -> Accuracy:
    """A line through multi-adds, by relative error."""

    def rows(of: list[Measured]) -> Any:
        macs = [price(Architecture.from_dict(one.architecture), lr=lr).macs / 1e9 for one in of]
        return np.stack([np.array(macs), np.ones(len(macs))], axis=1)

    times = np.array([one.latency_ms for one in known])
    weights = np.linalg.lstsq(rows(known) / times[:, None], np.ones(len(times)), rcond=None)[0]
    predicted = (rows(unseen) @ weights).tolist()
    return Accuracy.of(predicted, [one.latency_ms for one in unseen])


def by_guess(known: list[Measured], unseen: list[Measured], lr: tuple[int, int]) -> Accuracy:
    """What a search without a model makes its proposals by, without its safety margin."""
    guess = LatencyGuess()
    for one in known:
        guess.learn(Architecture.from_dict(one.architecture), lr, one.latency_ms)
    predicted = [
        guess.predict_ms(Architecture.from_dict(one.architecture), lr) / guess.margin
        for one in unseen
    ]
    return Accuracy.of(predicted, [one.latency_ms for one in unseen])


def seconds_each(model: LatencyModel, architectures: list[Architecture]) -> float:
    """Seconds of one prediction of a network not asked for before."""
    began = time.perf_counter()
    for architecture in architectures:
        model.predict_ms(architecture)
    return (time.perf_counter() - began) / len(architectures)


def main() -> None:
    """Measures for a while; when all is measured, fits, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runtime", default="torch")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--fitted-on", type=int, default=FITTED_ON)
    parser.add_argument("--held-out-each", type=int, default=HELD_OUT_EACH)
    parser.add_argument("--export", action="store_true", help="only make the ONNX files")
    parser.add_argument("--notes", type=Path, default=Path("runs/latency_fit"))
    args = parser.parse_args()

    began = time.monotonic()
    space, scale = Space.load("distillation"), 4
    known, held_out = drawn(space, scale, args.fitted_on, args.held_out_each)
    every = [*known, *(one for of in held_out.values() for one in of)]
    # Fitted and held-out ones take turns, so that a drift of the machine meets both alike.
    order = [every[k] for k in np.random.default_rng(0).permutation(len(every))]
    with threads(1) as used:
        device = this_device(place="cpu", runtime=args.runtime, dtype=args.dtype, threads=used,
                             lr_size=(90, 160), scale=scale)  # fmt: skip
        notes = args.notes / f"{args.runtime}-{args.dtype}.jsonl"

        def tell(done: list[Measured]) -> bool:
            print(f"{len(done)}/{len(every)} measured", flush=True)
            return time.monotonic() - began > float(args.seconds)

        exports = args.notes / "onnx"
        if args.export:
            for number, architecture in enumerate(order):
                runner(seeded(partial(build, architecture), 0).eval(), device.lr_size,
                       runtime=args.runtime, device="cpu", exports=exports)  # fmt: skip
                print(f"{number + 1}/{len(order)} exported", flush=True)
            return
        measure = partial(measure_batch, device=device, rounds=args.rounds, exports=exports)
        measured = measure_networks(notes, order, device, measure=measure, on_batch=tell)
    if len(measured) < len(every):
        return
    by_hash = {Architecture.from_dict(one.architecture).hash: one for one in measured}
    to_fit = [by_hash[architecture.hash] for architecture in known]
    judges = {b: [by_hash[one.hash] for one in of] for b, of in held_out.items()}
    unseen = [one for of in judges.values() for one in of]
    model = fit_model(to_fit, device, space=space.name, made_with={})
    result: dict[str, Any] = {
        "device": device.to_dict(),
        "fitted_on": len(to_fit),
        "held_out": len(unseen),
        "goals": GOALS,
        "model": asdict(accuracy_of(model, unseen)),
        "by_budget": {
            f"{budget / 1e3:.0f}K": asdict(accuracy_of(model, of)) for budget, of in judges.items()
        },
        "multi_adds_alone": asdict(by_multi_adds(to_fit, unseen, device.lr_size)),
        "mix_of_a_search": asdict(by_guess(to_fit, unseen, device.lr_size)),
        "latency_ms": [min(o.latency_ms for o in unseen), max(o.latency_ms for o in unseen)],
        "reference_ms": [min(o.reference_ms for o in measured),
                         max(o.reference_ms for o in measured)],
        "seconds_a_prediction": round(
            seconds_each(model, list(islice(random_networks(space, scale, 99), 20))), 4
        ),
    }  # fmt: skip
    print(header_line())
    for name in ("model", "multi_adds_alone", "mix_of_a_search"):
        of = result[name]
        print(f"{name:18} median error {of['median_error']:.1%}, worst {of['worst_error']:.1%}, "
              f"Kendall tau {of['kendall_tau']:.3f}")  # fmt: skip
    name = "latency_fit" if args.runtime == "torch" else f"latency_fit_{args.runtime}"
    print(f"written to {write_result(name, result).name}")


if __name__ == "__main__":
    main()
