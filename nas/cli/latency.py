"""``nas latency``: how long a forward pass takes, beside a network that everybody can build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
import typer.core

from nas.cli.latency_device import check_none, times_by_command
from nas.cli.latency_entrant import Entrant
from nas.cli.latency_fit import fit
from nas.cli.latency_table import print_table
from nas.cli.lines import say
from nas.cli.options import (
    Dtype,
    Json,
    LatencyCommand,
    LatencyLimit,
    LatencyPattern,
    PresetScale,
    Runtime,
    Threads,
    TimedOn,
    argument,
    option,
)
from nas.deploy.runtimes import TORCH, read_endings, runtime_of
from nas.size import parse_size
from search_spaces.errors import InputError

__all__ = ["app", "measure"]

_ROUNDS = 20
_SIZE = "320x180"


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
    size: Annotated[
        str | None,
        option(f"WIDTHxHEIGHT of the input image. Default: {_SIZE}, or the one that a file takes."),
    ] = None,
    reference: Annotated[str, option("What the others are compared with.")] = "e_rfdn",
    runtime: Runtime = "torch",
    device: TimedOn = "cpu",
    dtype: Dtype = "float32",
    threads: Threads = None,
    rounds: Annotated[
        int | None,
        option("Timed rounds; each runs every network once. Default: 20, 3 of a command."),
    ] = None,
    warmup: Annotated[int, option("Rounds before, not timed.")] = 3,
    scale: PresetScale = 4,
    layers: Annotated[bool, option("Also a table of the layers.", "--layers")] = False,
    latency_command: LatencyCommand = None,
    latency_pattern: LatencyPattern = None,
    latency_limit: LatencyLimit = None,
    json_output: Json = False,
) -> None:
    """Measure latency: all networks in turns with a reference, so that a drift meets all alike.

    Median, minimum, a 95% interval of the median, and the ratio to the reference. With
    --reference span also NTIRE's score, by the minima.
    """
    from nas.evaluate.environment import environment
    from nas.evaluate.threads import threads as with_threads
    from nas.latency.clock import best_ms, summary, time_until_settled
    from nas.latency.command.clock import ROUNDS
    from nas.latency.command.setup import DeviceCommands
    from nas.latency.layers import LayerTime, layer_times

    asked = None if size is None else parse_size(size)
    setup = DeviceCommands.given(latency_command, latency_pattern, latency_limit)
    if setup is not None:
        of_here = {"--runtime": runtime != TORCH, "--device": device != "cpu",
                   "--dtype": dtype != "float32", "--threads": threads is not None,
                   "--layers": layers}  # fmt: skip
        check_none(of_here)
    if rounds is None:
        rounds = _ROUNDS if setup is None else ROUNDS
    if rounds < 1 or warmup < 0:
        raise InputError(f"expected --rounds of 1 or more and --warmup of 0 or more, got {rounds} "
                         f"and {warmup}")  # fmt: skip
    if layers and (runtime != TORCH or any(runtime_of(name) is not None for name in networks)):
        raise InputError("--layers: expected --runtime torch; other runtimes fuse their layers")
    names = list(dict.fromkeys([*networks, reference]))
    nets = {name: Entrant.of(name, scale, runtime) for name in names}
    lr_size = _size(asked, nets)
    tables: dict[str, list[LayerTime]] = {}
    used: int | None = None
    if setup is not None:
        device, times = times_by_command(nets, setup, lr_size, rounds)
    else:
        with with_threads(threads) as used:
            entrants = {
                name: net.runner(lr_size, device=device, dtype=dtype) for name, net in nets.items()
            }
            times = time_until_settled(entrants, rounds=rounds, warmup=warmup, device=device)
            for name in networks if layers else ():
                tables[name] = layer_times(
                    nets[name].network, lr_size, device=device, rounds=rounds, warmup=warmup
                )
    timings = {name: summary(of.passed_ms) for name, of in times.items()}
    base = timings[reference]
    rows = [
        {
            "network": name,
            "runtime": nets[name].runtime if setup is None else "+".join(setup.formats),
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
    print(json.dumps(facts)) if json_output else print_table(facts)


def _size(asked: tuple[int, int] | None, nets: Mapping[str, Entrant]) -> tuple[int, int]:
    """(height, width) of the image that all take."""
    only = {name: net.lr_size for name, net in nets.items() if net.lr_size is not None}
    if not only:
        return asked or parse_size(_SIZE)
    first, own = next(iter(only.items()))
    chosen = asked or own
    for name, size in only.items():
        if size != chosen:
            raise InputError(
                f"{name}: takes images of {size[1]}x{size[0]} alone, and cannot be measured at "
                f"{chosen[1]}x{chosen[0]}"
            )
    if asked is None:
        say(f"nas: measured at {own[1]}x{own[0]}, the one size that {first} takes")
    return chosen


def _score(net: Entrant, base: Entrant, latency_ms: float, baseline_ms: float) -> float | None:
    """The challenge's, where the reference is its baseline for networks like this one."""
    from nas.latency.esr_score import Baseline, baseline_network

    arch, span = net.architecture, base.architecture
    if arch is None or span is None or span != baseline_network(arch.scale, arch.colors):
        return None
    return round(Baseline(span, baseline_ms).score(arch, latency_ms).score, 3)
