"""What came out in a class: means over the seeds, who is ahead, what it costs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from benchmarks.proven.candidates import Candidates
from benchmarks.proven.classes import WeightClass
from benchmarks.proven.trainings import ENDS, Row, latencies_ms
from nas.shipped.catalog import cards, shipped_weights
from search_spaces import Architecture, load

__all__ = ["account", "architectures", "compare", "keep", "show", "timed"]

_GOAL_DB, _END_DB = 0.05, 0.02
_OURS = ("found", "quick")


def account(one: WeightClass, rows: Iterable[Row]) -> dict[str, Any]:
    """Means over the seeds, and whether the end was reached."""
    own = [row for row in rows if row.weight_class == one.name]
    ended: dict[str, list[Row]] = {}
    for row in own:
        if row.part in ENDS:
            ended.setdefault(row.network, []).append(row)
    networks = {name: _means(some) for name, some in ended.items()}
    figures: dict[str, Any] = {"params": one.params, "macs": one.macs, "networks": networks}
    for row in own:
        once = networks.get(row.network)
        if row.part == "twice" and once is not None:
            figures["twice_as_long_gains_db"] = round(row.psnr_y_db - once["each_db"][0], 4)
    return figures


def compare(one: WeightClass, figures: dict[str, Any], seeds: int) -> None:
    """Writes into an account which of ours is best, of all and of the quick ones, and by how much.

    Quick is what takes no longer than the design that the class is to be as quick as; it is known
    once latencies are measured.
    """
    whole = {
        name: each for name, each in figures["networks"].items() if len(each["each_db"]) == seeds
    }
    ours = {name: each for name, each in whole.items() if each["part"] in _OURS}
    most_ms = whole.get(one.quick_as, {}).get("latency_ms", -inf)
    quick = {name: each for name, each in ours.items() if each.get("latency_ms", inf) <= most_ms}
    figures["ours"], figures["ahead_db"] = {}, {}
    for which, some in (("found", ours), ("quick", quick)):
        if not some:
            continue
        best = max(some, key=lambda name: float(some[name]["psnr_y_db"]))
        figures["ours"][which] = best
        figures["ahead_db"][best] = {
            name: round(some[best]["psnr_y_db"] - each["psnr_y_db"], 4)
            for name, each in whole.items()
            if name not in ours
        }


def _means(some: list[Row]) -> dict[str, Any]:
    first = some[0]
    found: dict[str, Any] = {
        "part": first.part, "hash": first.hash, "params": first.params, "macs": first.macs,
        "steps": first.steps,
        "psnr_y_db": round(statistics.mean(row.psnr_y_db for row in some), 4),
        "each_db": [row.psnr_y_db for row in some],
    }  # fmt: skip
    for name, each_db in (
        ("Set5", [row.set5_psnr_y_db for row in some]),
        ("Set14", [row.set14_psnr_y_db for row in some]),
    ):
        measured = [db for db in each_db if db is not None]
        if len(measured) == len(some):
            found.setdefault("test", {})[name] = round(statistics.mean(measured), 3)
    return found


def keep(before: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Writes into the account of a class what an earlier one measured of the same networks."""
    earlier = before.get("networks", {})
    same = earlier.keys() == own["networks"].keys()
    for name, each in own["networks"].items():
        known = earlier.get(name, {})
        if known.get("hash") != each["hash"]:
            continue
        # Latencies are compared within one sitting.
        for what in ("test", *(["latency_ms"] if same else [])):
            if what in known:
                each.setdefault(what, known[what])


def architectures(
    one: WeightClass, figures: Mapping[str, Any], candidates: Candidates
) -> dict[str, Architecture]:
    """Of the account's networks those that are at hand."""
    known = {**one.published, **one.family, **candidates.all(one.name)}
    ships = (load(shipped_weights(card.name)).architecture for card in cards())
    by_hash = {arch.hash: arch for arch in (*known.values(), *ships)}
    return {
        name: by_hash[each["hash"]]
        for name, each in figures["networks"].items()
        if each["hash"] in by_hash
    }


def timed(figures: Mapping[str, Any], networks: Mapping[str, Architecture]) -> None:
    """Writes the latency of each network into the account of its class, measured in turns."""
    for each in figures["networks"].values():
        each.pop("latency_ms", None)
    for name, latency_ms in zip(networks, latencies_ms(list(networks.values())), strict=True):
        figures["networks"][name]["latency_ms"] = latency_ms


def show(figures: Mapping[str, Mapping[str, Any]]) -> None:
    """The networks of each class, the best first, and what ours are ahead by."""
    for name, one in figures.items():
        limit = f"{one['macs'] / 1e9:.2f} G" if one["macs"] else "quick as the first one published"
        print(f"\n{name}: at most {one['params']:,} parameters, {limit}")
        for network, each in sorted(
            one["networks"].items(), key=lambda named: -float(named[1]["psnr_y_db"])
        ):
            latency = f"{each['latency_ms']:7.2f} ms" if "latency_ms" in each else " " * 10
            tested = "  ".join(f"{on} {db:.3f}" for on, db in each.get("test", {}).items())
            print(
                f"  {each['part']:>9}  {network:<24} {each['params'] / 1e3:7.1f} K "
                f"{each['macs'] / 1e9:6.2f} G  {latency}  {each['psnr_y_db']:7.3f} dB  {tested}"
            )
        if "twice_as_long_gains_db" in one:
            print(f"  twice as long gains {one['twice_as_long_gains_db']:+.3f} dB; goal {_END_DB}")
        for ours, ahead_db in one.get("ahead_db", {}).items():
            print(f"  {ours} is ahead by {ahead_db} dB; goal {_GOAL_DB}")
