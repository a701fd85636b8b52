"""``nas latency``: how long a forward pass takes, beside a network that everybody can build."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from nas.cli.console import PlainConsole, figures_table
from nas.cli.latency_fit import fit
from nas.cli.options import (
    Dtype,
    Json,
    PresetScale,
    Rounds,
    Runtime,
    Threads,
    TimedOn,
    argument,
    option,
)
from nas.deploy.formats import FORMATS
from nas.deploy.runtimes import RUNTIMES, TORCH, known_runtime, read_endings, runtime_of
from nas.size import parse_size
from search_spaces.errors import InputError

__all__ = ["app", "measure"]


class _MeasuresUnlessTold(typer.core.TyperGroup):
    """``nas latency NET`` is ``nas latency measure NET``: what people want is short."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["measure", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_MeasuresUnlessTold,
    help="Measure how long networks take here (nas latency NET...), or fit a model of it.",
    no_args_is_help=True,
)
app.command("fit")(fit)


@app.command("measure")
def measure(
    networks: Annotated[
        list[str],
        argument(
            f"Files (.safetensors, .yaml{', '.join(('', *read_endings()))}), runs, presets, "
            f"networks that ship.",
            metavar="NET...",
        ),
    ],
    size: Annotated[str, option("WIDTHxHEIGHT of the input image.")] = "320x180",
    reference: Annotated[str, option("What the others are compared with.")] = "e_rfdn",
    runtime: Runtime = "torch",
    device: TimedOn = "cpu",
    dtype: Dtype = "float32",
    threads: Threads = None,
    rounds: Rounds = 20,
    warmup: Annotated[int, option("Rounds before, not timed.")] = 3,
    scale: PresetScale = 4,
    layers: Annotated[bool, option("Also a table of the layers.", "--layers")] = False,
    json_output: Json = False,
) -> None:
    """Measure latency: all networks in turns with a reference, so that a drift meets all alike.

    Median, minimum, a 95% interval of the median, and the ratio to the reference. With
    --reference span also NTIRE's score, by the minima.
    """
    from nas.evaluate.environment import environment
    from nas.evaluate.threads import threads as with_threads
    from nas.latency.clock import best_ms, summary, time_until_settled
    from nas.latency.layers import layer_times

    lr_size = parse_size(size)
    if rounds < 1 or warmup < 0:
        raise InputError(f"expected --rounds of 1 or more and --warmup of 0 or more, got {rounds} "
                         f"and {warmup}")  # fmt: skip
    if layers and (runtime != TORCH or any(runtime_of(name) is not None for name in networks)):
        raise InputError("--layers: expected --runtime torch; other runtimes fuse their layers")
    names = list(dict.fromkeys([*networks, reference]))
    nets = {name: _Entrant.of(name, scale, runtime) for name in names}
    with with_threads(threads) as used:
        entrants = {
            name: net.runner(lr_size, device=device, dtype=dtype) for name, net in nets.items()
        }
        times = time_until_settled(entrants, rounds=rounds, warmup=warmup, device=device)
        tables = {
            name: layer_times(
                nets[name].network, lr_size, device=device, rounds=rounds, warmup=warmup
            )
            for name in (networks if layers else ())
        }
    timings = {name: summary(of.passed_ms) for name, of in times.items()}
    base = timings[reference]
    rows = [
        {
            "network": name, "runtime": nets[name].runtime,
            "dtype": nets[name].number_format or dtype, **nets[name].facts(lr_size),
            **asdict(timings[name]),
            "alone_ms": best_ms(times[name].own_ms(device)),
            "times_reference": timings[name].median_ms / base.median_ms,
            "times_reference_minimum": timings[name].minimum_ms / base.minimum_ms,
            "esr_score": _score(
                nets[name], nets[reference], timings[name].minimum_ms, base.minimum_ms
            ),
        }
        for name in nets
    ]  # fmt: skip
    facts: dict[str, Any] = {
        "lr_size": list(lr_size), "reference": reference, "device": device, "threads": used,
        "warmup": warmup, "networks": rows,
        "layers": {name: [asdict(row) for row in table] for name, table in tables.items()},
        "environment": environment().to_dict(),
    }  # fmt: skip
    print(json.dumps(facts)) if json_output else _print(facts)


def _score(net: _Entrant, base: _Entrant, latency_ms: float, baseline_ms: float) -> float | None:
    """The challenge's, where the reference is its baseline for networks like this one."""
    from nas.latency.esr_score import Baseline, baseline_network

    arch, span = net.architecture, base.architecture
    if arch is None or span is None or span != baseline_network(arch.scale, arch.colors):
        return None
    return round(Baseline(span, baseline_ms).score(arch, latency_ms).score, 3)


@dataclass(frozen=True)
class _Entrant:
    """A network to measure: one of ours, or an exported file as it lies there, in its own format.

    A file runs in the runtime that is asked for where that reads it, else in its own.
    """

    name: str
    runtime: str
    network: Any
    architecture: Any
    colors: int
    number_format: str = ""

    @classmethod
    def of(cls, name: str, scale: int, runtime: str) -> _Entrant:
        known_runtime(runtime)
        if (own := runtime_of(name)) is not None:
            from nas.upscale.runtime_network import RuntimeNetwork

            reads = FORMATS[RUNTIMES[own].file_format]
            if runtime in RUNTIMES and RUNTIMES[runtime].ending == RUNTIMES[own].ending:
                own = runtime
            file = RuntimeNetwork.of_file(name, runtime=own, threads=1)
            form = reads.number_format(Path(name))
            return cls(name, own, None, file.architecture, file.colors, form)
        from nas.networks import any_network

        network = any_network(name, scale)
        return cls(name, runtime, network, network.architecture, network.architecture.colors)

    def runner(self, lr_size: tuple[int, int], *, device: str, dtype: str) -> Callable[[], object]:
        from nas.latency.runtime import file_runner, runner

        if self.network is not None:
            return runner(self.network, lr_size, runtime=self.runtime, device=device, dtype=dtype)
        if device != "cpu":
            raise InputError(
                f"{self.name}: an exported file is measured on the CPU, not on {device}"
            )
        return file_runner(Path(self.name), self.colors, lr_size, self.runtime)

    def facts(self, lr_size: tuple[int, int]) -> dict[str, Any]:
        """What is known of it; a file of another maker says nothing."""
        from search_spaces import price

        arch = self.architecture
        if arch is None:
            return dict.fromkeys(("hash", "scale", "params", "macs"))
        cost = price(arch, lr=lr_size)
        return {"hash": arch.hash, "scale": arch.scale, "params": cost.params, "macs": cost.macs}


def _counted(count: int | None, unit: float, digits: int) -> str:
    return "" if count is None else f"{count / unit:,.{digits}f}"


def _ms(time_ms: float) -> str:
    """Four digits are more than any clock here can tell."""
    return f"{time_ms:.{2 if time_ms < 100 else 1 if time_ms < 1000 else 0}f}"


def _print(facts: dict[str, Any]) -> None:
    from nas.evaluate.threads import shown_threads
    from nas.latency.network_time import BUSY

    height, width = facts["lr_size"]
    where = facts["environment"]["cpu" if facts["device"] == "cpu" else "device"]
    ran = {row["network"]: f"{row['runtime']}, {row['dtype']}" for row in facts["networks"]}
    alike = len(set(ran.values())) == 1
    title = ", ".join((
        f"{width}x{height} input", *(set(ran.values()) if alike else ()),
        f"{facts['device']} ({where})", shown_threads(facts["threads"]),
        f"{facts['networks'][0]['rounds']} rounds; ratio to {facts['reference']}",
    ))  # fmt: skip
    console = PlainConsole()
    table = figures_table(
        "Network", "Params\n[K]", "Multi-\nAdds\n[G]", "Median\n[ms]", "95%\ninterval\n[ms]",
        "Minimum\n[ms]", "Ratio", "of\nminima", title=title,
    )  # fmt: skip
    # A terminal of 80 columns is to hold it, and names of files are long.
    table.collapse_padding, table.pad_edge = True, False
    for row in facts["networks"]:
        name = row["network"] if alike else f"{row['network']}\n({ran[row['network']]})"
        table.add_row(
            name, _counted(row["params"], 1e3, 1), _counted(row["macs"], 1e9, 2),
            _ms(row["median_ms"]), f"{_ms(row['low_ms'])}–{_ms(row['high_ms'])}",
            _ms(row["minimum_ms"]), f"{row['times_reference']:.3f}",
            f"{row['times_reference_minimum']:.3f}",
        )  # fmt: skip
    console.print(table)
    scored = [row for row in facts["networks"] if row["esr_score"] is not None]
    if scored:
        told = ", ".join(f"{row['network']} {row['esr_score']:.2f}" for row in scored)
        console.print(f"Score by NTIRE's rules, by the minima: {told}", highlight=False)
    apart = max(row["median_ms"] / row["minimum_ms"] for row in facts["networks"])
    if apart > BUSY:
        alone = ", ".join(
            f"{row['network']} {_ms(row['alone_ms'])} ms" for row in facts["networks"]
        )
        console.print(
            f"Others use this machine: medians are up to {apart:.1f} times the minima, by which "
            f"networks compare better. By the processor's time alone, as a search counts: {alone}",
            highlight=False,
        )  # fmt: skip
    for name, rows in facts["layers"].items():
        title = f"{name}: layers (torch, float32)"
        layers = figures_table("Layer", "Kind", "Median [ms]", "Share", title=title, names=2)
        for row in rows:
            layers.add_row(
                row["name"], row["kind"], f"{row['median_ms']:.3f}", f"{row['share']:.1%}"
            )
        console.print(layers)
