"""``nas latency``: how long a forward pass takes, beside a network that everybody can build."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from nas.cli.latency_fit import fit
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
        typer.Argument(metavar="NET...", help="Files (.safetensors, .yaml, .onnx), runs, presets."),
    ],
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of the input image.")] = "320x180",
    reference: Annotated[str, typer.Option(help="What the others are compared with.")] = "e_rfdn",
    runtime: Annotated[str, typer.Option(help="torch or onnxruntime.")] = "torch",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16.")] = "float32",
    threads: Annotated[
        int | None, typer.Option(help="CPU threads; by default torch's own choice.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Timed rounds; each runs every network once.")] = 20,
    warmup: Annotated[int, typer.Option(help="Rounds before, not timed.")] = 3,
    scale: Annotated[int, typer.Option(help="Scale of presets: 2, 3 or 4.")] = 4,
    layers: Annotated[bool, typer.Option("--layers", help="Also a table of the layers.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Measure latency: all networks in turns with a reference, so that a drift meets all alike.

    Median, minimum, a 95% interval of the median, and the ratio to the reference.
    """
    from nas.evaluate.environment import environment
    from nas.evaluate.threads import threads as with_threads
    from nas.latency.clock import summary, time_in_turns
    from nas.latency.layers import layer_times

    lr_size = parse_size(size)
    if rounds < 1 or warmup < 0:
        raise InputError(f"expected --rounds of 1 or more and --warmup of 0 or more, got {rounds} "
                         f"and {warmup}")  # fmt: skip
    if layers and (runtime != "torch" or any(name.endswith(".onnx") for name in networks)):
        raise InputError("--layers: expected --runtime torch; other runtimes fuse their layers")
    names = list(dict.fromkeys([*networks, reference]))
    nets = {name: _Entrant.of(name, scale, runtime) for name in names}
    with with_threads(threads) as used:
        entrants = {
            name: net.runner(lr_size, device=device, dtype=dtype) for name, net in nets.items()
        }
        times = time_in_turns(entrants, rounds=rounds, warmup=warmup)
        tables = {
            name: layer_times(
                nets[name].network, lr_size, device=device, rounds=rounds, warmup=warmup
            )
            for name in (networks if layers else ())
        }
    timings = {name: summary(of.passed_ms) for name, of in times.items()}
    base = timings[reference]
    rows: list[dict[str, Any]] = []
    for name, net in nets.items():
        timing = timings[name]
        rows.append(
            {
                "network": name,
                "runtime": net.runtime,
                **net.facts(lr_size),
                **asdict(timing),
                "times_reference": timing.median_ms / base.median_ms,
                "times_reference_minimum": timing.minimum_ms / base.minimum_ms,
            }
        )
    facts: dict[str, Any] = {
        "lr_size": list(lr_size), "reference": reference, "runtime": runtime, "device": device,
        "dtype": dtype, "threads": used, "warmup": warmup, "networks": rows,
        "layers": {name: [asdict(row) for row in table] for name, table in tables.items()},
        "environment": environment().to_dict(),
    }  # fmt: skip
    print(json.dumps(facts)) if json_output else _print(facts)


@dataclass(frozen=True)
class _Entrant:
    """A network to measure: one of ours, or an ONNX file as it lies there."""

    name: str
    runtime: str
    network: Any
    architecture: Any
    colors: int

    @classmethod
    def of(cls, name: str, scale: int, runtime: str) -> _Entrant:
        if Path(name).suffix.lower() == ".onnx":
            from nas.upscale.onnx_network import OnnxNetwork

            file = OnnxNetwork.of_file(name, threads=1)
            return cls(name, "onnxruntime", None, file.architecture, file.colors)
        from nas.networks import any_network

        network = any_network(name, scale)
        return cls(name, runtime, network, network.architecture, network.architecture.colors)

    def runner(self, lr_size: tuple[int, int], *, device: str, dtype: str) -> Callable[[], object]:
        from nas.latency.runtime import onnx_runner, runner

        if self.network is not None:
            return runner(self.network, lr_size, runtime=self.runtime, device=device, dtype=dtype)
        if device != "cpu":
            raise InputError(f"{self.name}: an ONNX file is measured on the CPU, not on {device}")
        return onnx_runner(Path(self.name), self.colors, lr_size)

    def facts(self, lr_size: tuple[int, int]) -> dict[str, Any]:
        """What is known of it; a file of another maker says nothing."""
        from search_spaces import price

        arch = self.architecture
        if arch is None:
            return dict.fromkeys(("hash", "scale", "params", "macs"))
        cost = price(arch, lr=lr_size)
        return {"hash": arch.hash, "scale": arch.scale, "params": cost.params, "macs": cost.macs}


def _counted(count: int | None, unit: float, letter: str) -> str:
    return "" if count is None else f"{count / unit:,.{1 if letter == 'K' else 2}f} {letter}"


def _print(facts: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from nas.cli.console import PlainConsole
    from nas.latency.network_time import BUSY

    height, width = facts["lr_size"]
    where = facts["environment"]["cpu" if facts["device"] == "cpu" else "device"]
    title = (
        f"{width}x{height} input, {facts['runtime']}, {facts['dtype']}, {facts['device']} ({where})"
        f", {facts['threads']} threads, {facts['networks'][0]['rounds']} rounds"
        f"; ratio to {facts['reference']}"
    )
    console = PlainConsole()
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Network")
    for heading in ("Params", "Multi-Adds", "Median [ms]", "95% interval", "Minimum [ms]",
                    "Ratio", "of minima"):  # fmt: skip
        table.add_column(heading, justify="right")
    for row in facts["networks"]:
        table.add_row(
            Text(row["network"]), _counted(row["params"], 1e3, "K"),
            _counted(row["macs"], 1e9, "G"),
            f"{row['median_ms']:.2f}", f"{row['low_ms']:.2f}–{row['high_ms']:.2f}",
            f"{row['minimum_ms']:.2f}", f"{row['times_reference']:.3f}",
            f"{row['times_reference_minimum']:.3f}",
        )  # fmt: skip
    console.print(table)
    apart = max(row["median_ms"] / row["minimum_ms"] for row in facts["networks"])
    if apart > BUSY:
        console.print(
            f"Others use this machine: medians are up to {apart:.1f} times the minima, by which "
            f"networks compare better", highlight=False,
        )  # fmt: skip
    for name, rows in facts["layers"].items():
        layers = Table(title=Text(f"{name}: layers (torch, float32)"), title_justify="left",
                       box=box.SIMPLE_HEAD)  # fmt: skip
        for heading in ("Layer", "Kind", "Median [ms]", "Share"):
            layers.add_column(heading, justify="left" if heading in ("Layer", "Kind") else "right")
        for row in rows:
            layers.add_row(
                row["name"], row["kind"], f"{row['median_ms']:.3f}", f"{row['share']:.1%}"
            )
        console.print(layers)
