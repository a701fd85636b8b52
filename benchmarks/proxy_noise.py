"""What a seed does to a short training: the figures of nas/noise.yaml, and what networks differ by.

    SR_DATA=DATA python -m benchmarks.proxy_noise --profile quick --data photos
    python -m benchmarks.proxy_noise --latency      # the clock's share, on a machine left alone
    python -m benchmarks.proxy_noise --show         # what is measured so far

Trains random networks of the default space, evenly spread over the logarithm of their parameters,
under a profile with several seeds each (weights and patches). For each objective it gives the
standard deviation of one network between seeds, what a seed does to all alike being left out, and
beside it how far networks of equal price differ. Every training is a row of
results/proxy_noise.csv as it ends, so a run that is stopped goes on, and several may share
the work. `--skip` also trains E-RFDN with and without the image skip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.recipe_stability import random_network
from benchmarks.winner import research_folders
from nas.audit.noise import freedom, seed_mean, seed_noise_db
from nas.audit.price import price_terms, residuals, slopes
from nas.audit.store import without_nan
from nas.data import Dataset, load_dataset
from nas.data.places import PhotoPlaces
from nas.explore.halving import rung_steps
from nas.explore.settings import DEFAULT_ETA, DEFAULT_RUNGS
from nas.explore.trainer import NetworkTrainer
from nas.latency.meter import Meter
from nas.locks import locked
from nas.training.loop import Diverged
from nas.training.recipe import PROFILES, Recipe, profile
from search_spaces import Architecture, Space, price
from search_spaces.files import atomic_path

__all__ = ["ROWS", "drawn", "figures", "main", "recipe_name", "yaml_line"]

ROWS = RESULTS / "proxy_noise.csv"
SCALE = 4
_KEY = ["data", "profile", "recipe", "hash", "seed"]
_COUNTED, _WITH, _WITHOUT = "drawn", "e_rfdn", "e_rfdn without image skip"
_REPEATS = 5


def drawn(count: int, low: float, high: float) -> list[Architecture]:
    """Networks of the default space, each the largest of its kind within its own share."""
    space = Space.load("distillation")
    limits = np.geomspace(low, high, count)
    return [random_network(space, seed, float(limit)) for seed, limit in enumerate(limits)]


def recipe_name(recipe: Recipe) -> str:
    """A short hash of the recipe, whatever its seed."""
    plain = recipe.replace(seed=0).model_dump(mode="json")
    return _digest(plain)


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:8]


@contextmanager
def photos(name: str, recipe: Recipe) -> Iterator[Dataset]:
    """The photos inside scikit-image, or T91 and BSD200 below ``SR_DATA``."""
    if name == "embedded":
        yield load_dataset(SCALE, lr_size=recipe.lr_size)
        return
    with research_folders(Path(os.environ.get("SR_DATA", "../shared/data"))) as folders:
        yield load_dataset(SCALE, PhotoPlaces.of(*folders), lr_size=recipe.lr_size)


def measure(
    dataset: Dataset, name: str, kinds: dict[str, list[Architecture]], profile_name: str, seeds: int
) -> None:
    """Trains what has no row yet: a seed of every network, then the next seed."""
    recipe = profile(profile_name)
    steps = rung_steps(recipe.steps, DEFAULT_RUNGS, DEFAULT_ETA)

    @cache
    def trainer(seed: int) -> NetworkTrainer:
        return NetworkTrainer(dataset, recipe.replace(seed=seed))

    wanted = [(kind, a, seed) for seed in range(seeds) for kind in kinds for a in kinds[kind]]
    for number, (kind, arch, seed) in enumerate(wanted, start=1):
        key = (f"{name} {dataset.fingerprint}", profile_name, recipe_name(recipe), arch.hash, seed)
        work = Path(tempfile.gettempdir()) / f"proxy-noise-{_digest(key)}.lock"
        with locked(work, wait=False) as mine:
            if not mine or _is_there(key):
                continue
            cost = price(arch)
            about = dict(zip(_KEY, key, strict=True)) | {
                "kind": kind, "params": cost.params, "macs": cost.macs,
            }  # fmt: skip
            rows = [about | rung for rung in _train(trainer(seed), arch, steps)]
            _append(rows)
        last = rows[-1]
        print(
            f"{number}/{len(wanted)}  {arch.hash}  seed {seed}  {cost.params:,} parameters  "
            f"{last['psnr_y_db']} dB after {last['step']} steps  {last['seconds']} s",
            flush=True,
        )


def _train(
    trainer: NetworkTrainer, arch: Architecture, steps: tuple[int, ...]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for step in steps:
            try:
                rung = trainer.advance(
                    arch, step, checkpoint=Path(folder) / "state.pt", on_step=lambda *_: None
                )
            except Diverged:
                rows.append({"step": step, "psnr_y_db": None, "ssim_y": None, "seconds": None})
                continue
            rows.append({k: round(v, 6) for k, v in asdict(rung).items()})
    return rows


def _is_there(key: tuple[object, ...]) -> bool:
    rows = read_rows()
    return bool((rows[_KEY] == list(key)).all(axis=1).any()) if len(rows) else False


def read_rows() -> pd.DataFrame:
    """A row a rung; hashes stay text."""
    if not ROWS.exists():
        return pd.DataFrame(columns=[*_KEY, "kind", "params", "macs", "step", "psnr_y_db"])
    return pd.read_csv(ROWS, dtype={"hash": str, "recipe": str})


def _append(rows: list[dict[str, Any]]) -> None:
    with locked(Path(tempfile.gettempdir()) / "proxy-noise-rows.lock", wait=True):
        before = [read_rows()] if ROWS.exists() else []
        with atomic_path(ROWS) as temporary:
            pd.concat([*before, pd.DataFrame(rows)], ignore_index=True).to_csv(
                temporary, index=False
            )


def figures(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """For each photo set, profile, recipe and step: the noise, and the spread at equal price."""
    found: list[dict[str, Any]] = []
    for key, part in rows.groupby(["data", "profile", "recipe", "step"]):
        data, name, recipe, step = map(str, key)
        counted = part[part["kind"] == _COUNTED]
        if not len(counted):
            continue
        networks = counted.drop_duplicates("hash").sort_values("params")
        told: dict[str, Any] = {
            "data": data, "profile": name, "recipe": recipe, "step": int(step),
            "networks": len(networks), "seeds": int(counted["seed"].nunique()),
            "diverged": int(counted["psnr_y_db"].isna().sum()),
        }  # fmt: skip
        for figure in ("psnr_y_db", "ssim_y"):
            wide = counted.pivot(index="hash", columns="seed", values=figure)
            values = wide.reindex(networks["hash"]).to_numpy(dtype=np.float64)
            told[figure] = {
                "noise": seed_noise_db(values),
                "freedom": freedom(values),
                "each_network": [_deviation(row) for row in values],
                "spread_at_price": _spread(seed_mean(values), networks),
            }
        skip = part.groupby("kind")["psnr_y_db"].mean()
        if {_WITH, _WITHOUT} <= set(skip.index):
            told["skip_gain_db"] = float(skip[_WITH] - skip[_WITHOUT])
        found.append(told)
    return found


def _deviation(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _spread(means: np.ndarray[Any, np.dtype[np.float64]], networks: pd.DataFrame) -> float:
    """Standard deviation over the networks once the price is taken out of their means."""
    terms = price_terms(networks, ["params"])
    rest = residuals(means, terms, np.ones((1, len(means))))[0]
    known = int(np.isfinite(rest).sum())
    left = known - 1 - slopes(known, terms.shape[1])
    return float(np.sqrt(np.nansum(rest**2) / left)) if known and left > 0 else float("nan")


def yaml_line(told: dict[str, Any]) -> str:
    """A profile's line for nas/noise.yaml."""
    noise = {name: told[name]["noise"] for name in ("psnr_y_db", "ssim_y")}
    return (
        f"  {told['profile']}: {{psnr_db: {noise['psnr_y_db']:.4f}, ssim: {noise['ssim_y']:.5f}, "
        f"measured: true}}"
    )


def latency_share(networks: list[Architecture]) -> float:
    """Standard deviation of the logarithm of a network's latency between measurements of it."""
    meter = Meter((), (720, 1280), (90, 160), "cpu")
    logs = np.log([[meter.measure(a).latency_ms or 1.0 for a in networks] for _ in range(_REPEATS)])
    return float(np.sqrt(logs.var(axis=0, ddof=1).mean()))


def show(found: list[dict[str, Any]]) -> None:
    """A line for each rung, and each profile's line of nas/noise.yaml."""
    for told in found:
        psnr, ssim = told["psnr_y_db"], told["ssim_y"]
        print(
            f"{told['profile']} on {told['data']}, {told['step']} steps: {told['networks']} "
            f"networks, {told['seeds']} seeds, noise {psnr['noise']:.4f} dB and "
            f"{ssim['noise']:.5f}; at equal price networks differ by "
            f"{psnr['spread_at_price']:.4f} dB and {ssim['spread_at_price']:.5f}"
        )
        if told["profile"] in PROFILES and told["step"] == profile(told["profile"]).steps:
            print(yaml_line(told))
        if "skip_gain_db" in told:
            print(f"the image skip is worth {told['skip_gain_db']:.2f} dB to E-RFDN")


def main() -> None:
    """Runs what is missing and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", choices=PROFILES, default="quick")
    parser.add_argument("--data", choices=("embedded", "photos"), default="embedded")
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--low", type=float, default=5e4, help="parameters of the smallest")
    parser.add_argument("--high", type=float, default=6e5, help="parameters of the largest")
    parser.add_argument("--skip", action="store_true", help="also what the image skip is worth")
    parser.add_argument("--latency", action="store_true", help="measure the clock's share alone")
    parser.add_argument("--show", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    print(header_line())
    networks = drawn(arguments.networks, arguments.low, arguments.high)
    path = RESULTS / "proxy_noise.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    share = before.get("latency_share")
    if arguments.latency:
        share = latency_share(networks)
        print(f"latency: {{share: {share:.4f}, measured: true}}")
    elif not arguments.show:
        kinds = {_COUNTED: networks}
        if arguments.skip:
            space = Space.load("distillation")
            whole = space.architecture(space.starting_points["e_rfdn"])
            plain = Architecture.from_dict(whole.to_dict() | {"image_skip": "none"})
            kinds |= {_WITH: [whole], _WITHOUT: [plain]}
        with photos(arguments.data, profile(arguments.profile)) as dataset:
            measure(dataset, arguments.data, kinds, arguments.profile, arguments.seeds)
    found = figures(read_rows())
    show(found)
    if not arguments.show:
        result = without_nan({"latency_share": share, "measured": found})
        print(f"written to {write_result('proxy_noise', result)}")


if __name__ == "__main__":
    main()
