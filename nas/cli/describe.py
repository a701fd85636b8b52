"""``nas describe``: what a network is made of and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from rich.table import Table

from nas.cli.console import PlainConsole, figures_table
from nas.cli.options import Json, PresetScale, Trial, argument, option
from nas.cli.shipped import card_rows

if TYPE_CHECKING:
    from search_spaces import Architecture

__all__ = ["describe"]

# A network that takes more is priced, and not run to be counted.
_MOST_MB = 500


def describe(
    network: Annotated[
        str,
        argument(
            "A .yaml or .safetensors file, a run folder, a folder of nas export, or the name of "
            "a preset or of a network that ships."
        ),
    ],
    trial: Trial = "best",
    scale: PresetScale = 4,
    latency: Annotated[
        bool, option("Measure the latency here, and with it NTIRE's score beside SPAN.")
    ] = True,
    json_output: Json = False,
) -> None:
    """Show a network's layers, parameters, multi-adds by three counters, latency and score.

    Of a network that ships also its card: how it was trained, and what it is worth.
    """
    from nas.evaluate.counters import count
    from nas.evaluate.memory import peak_memory_mb
    from nas.networks import architecture_of, shipped_card
    from search_spaces import folded, price
    from search_spaces.cost import HR_720P, layers, lr_size

    arch = architecture_of(network, scale, trial=trial)
    size = lr_size(arch.scale, HR_720P)
    priced, memory_mb = price(arch), peak_memory_mb(arch, size)
    counted = count(arch, size, fvcore=memory_mb <= _MOST_MB)
    facts: dict[str, Any] = {
        "hash": arch.hash,
        "params_in_use": price(folded(arch)).params,
        "macs_in_use": price(folded(arch)).macs,
        "scale": arch.scale,
        "lr_size": list(size),
        "params": priced.params,
        "macs": priced.macs,
        "activations": priced.activations,
        "memory_mb": round(memory_mb, 2),
        "thop": {"params": counted.thop_params, "macs": counted.thop_macs},
        "fvcore": {
            "params": counted.fvcore_params,
            "macs": counted.fvcore_macs,
            "of_which_resizing": counted.fvcore_resizing,
        }
        if counted.fvcore_params is not None
        else None,
        "architecture": arch.to_dict(),
        "layers": [layer._asdict() for layer in layers(arch)],
    }
    if latency:
        facts |= _timed(arch, size)
    card = shipped_card(network)
    if json_output:
        facts |= {} if card is None else {"card": card.model_dump(mode="json")}
        print(json.dumps(facts))
    else:
        _print(network, facts, () if card is None else card_rows(card))


def _timed(arch: Architecture, size: tuple[int, int]) -> dict[str, Any]:
    """Latency and score: of the network as it is and as it is used, in turns with SPAN."""
    from nas.latency.esr_score import BASELINE, Baseline, baseline_network
    from nas.latency.network_time import measure_latency
    from search_spaces import build, folded

    in_use, span = folded(arch), baseline_network(arch.scale, arch.colors)
    every = {one.hash: one for one in (arch, in_use, span)}
    built = [build(one) for one in every.values()]
    results = measure_latency(built, lr_size=size, repeats=5, colors=arch.colors)
    of = dict(zip(every, results, strict=True))
    measured, ours, theirs = of[arch.hash], of[in_use.hash], of[span.hash]
    score = Baseline(span, theirs.latency_ms).score(in_use, ours.latency_ms)
    return {
        "latency": {
            "latency_ms": round(measured.latency_ms, 2), "median_ms": round(measured.median_ms, 2),
            "busy": measured.busy, "minimum_ms": round(measured.latency_min_ms, 2),
            "device": measured.device, "threads": measured.threads, "dtype": measured.dtype,
        },
        "esr_score": {
            "score": round(score.score, 3), "baseline": BASELINE,
            "baseline_ms": round(theirs.latency_ms, 2), "latency_ms": round(ours.latency_ms, 2),
            "time": round(score.time, 3), "macs": round(score.macs, 3),
            "params": round(score.params, 3),
        },
    }  # fmt: skip


def _print(name: str, facts: dict[str, Any], more: Sequence[tuple[str, str]]) -> None:
    from nas.evaluate.threads import shown_threads

    console = PlainConsole()
    height, width = facts["lr_size"]
    table = figures_table("Layer", "Kind", "In", "Out", "Size", "Params", "Multi-Adds", names=2)
    # The longest names of published designs and their figures just fit into 80 columns.
    table.padding = (0, 1, 0, 0)
    for layer in facts["layers"]:
        table.add_row(
            layer["name"], layer["operation"], str(layer["channels_in"]),
            str(layer["channels_out"]), f"{layer['size'][1]}×{layer['size'][0]}",
            f"{layer['params']:,}", f"{layer['macs'] / 1e6:,.1f} M",
        )  # fmt: skip
    console.print(table)
    fvcore = facts["fvcore"]
    params, macs = "fvcore not asked, it runs the network", "fvcore not asked"
    if fvcore is not None:
        params = f"fvcore {fvcore['params']:,}"
        macs = (
            f"fvcore {fvcore['macs'] / 1e9:.3f} G, of which bilinear resizing "
            f"{fvcore['of_which_resizing'] / 1e9:.3f} G"
        )
    rows = [
        (name, f"x{facts['scale']}, hash {facts['hash']}, input {width}×{height}"),
        ("Parameters", f"{facts['params']:,}  (thop {facts['thop']['params']:,}, {params})"),
        ("Multi-Adds", f"{facts['macs'] / 1e9:.3f} G  (thop {facts['thop']['macs'] / 1e9:.3f} G, "
                       f"{macs})"),
        ("Activations", f"{facts['activations'] / 1e6:.2f} M"),
        ("Memory", f"{facts['memory_mb']:.1f} MB of weights and live tensors at the peak"),
    ]  # fmt: skip
    if facts["params_in_use"] != facts["params"]:
        in_use = f"{facts['params_in_use']:,} parameters, {facts['macs_in_use'] / 1e9:.3f} G"
        rows.append(("Folded", f"{in_use} multi-adds: what a search budgets"))
    if "latency" in facts:
        m = facts["latency"]
        times = f"{m['latency_ms']:.1f} ms, {m['minimum_ms']:.1f} ms at best"
        if m["busy"]:
            times += f"; others use the machine: {m['median_ms']:.1f} ms pass"
        threads = shown_threads(m["threads"])
        at = f"{width}×{height} input, {m['device']}, {threads}, {m['dtype']}"
        rows.append(("Latency", f"{times} ({at})"))
        s = facts["esr_score"]
        rows.append((
            "Score",
            f"{s['score']:.2f} by NTIRE's rules: {s['time']:.2f} of the time, {s['macs']:.2f} of "
            f"the multi-adds, {s['params']:.2f} of the parameters of SPAN, which has 7.39 and took "
            f"{s['baseline_ms']:.1f} ms in turns with it",
        ))  # fmt: skip
    grid = Table.grid(padding=(0, 2))
    for row in (*rows, *more):
        grid.add_row(*row)
    console.print(grid)
