"""``nas latency fit``: a latency model of this device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.bars import bars
from nas.cli.latency_device import check_none
from nas.cli.options import (
    OUTPUT,
    Dtype,
    Force,
    LatencyCommand,
    LatencyLimit,
    LatencyPattern,
    Rounds,
    Runtime,
    Scale,
    Threads,
    TimedOn,
    option,
)
from nas.cli.targets import check_target
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.latency.measure import Measured
    from nas.latency.model import LatencyModel
    from search_spaces import Architecture

__all__ = ["fit"]

_ROUNDS = 7


def fit(
    output: Annotated[Path, option("The model: a .yaml file.", *OUTPUT)],
    space: Annotated[
        str, option("The space whose networks are measured (nas spaces), or a file.")
    ] = "distillation",
    scale: Scale = 4,
    size: Annotated[
        str, option("WIDTHxHEIGHT of the input image; nas search asks for 160x90.")
    ] = "160x90",
    runtime: Runtime = "torch",
    device: TimedOn = "cpu",
    dtype: Dtype = "float32",
    threads: Threads = None,
    networks: Annotated[int, option("Networks to fit on.")] = 60,
    held_out: Annotated[
        int, option("Networks measured beside, which only tell the accuracy.")
    ] = 20,
    rounds: Rounds = _ROUNDS,
    seed: Annotated[int, option("Of the choice of networks.")] = 0,
    latency_command: LatencyCommand = None,
    latency_pattern: LatencyPattern = None,
    latency_limit: LatencyLimit = None,
    force: Force = False,
) -> None:
    """Fit a model of this device's latency: measure random networks, learn each operator's cost.

    `nas search --latency-model FILE` then knows any network's latency without measuring it.
    The same command again goes on where it was stopped.
    """
    from functools import partial
    from itertools import islice

    from nas.deploy.runtimes import TORCH
    from nas.evaluate.environment import environment
    from nas.evaluate.threads import threads as with_threads
    from nas.latency.campaign import AT_ONCE, measure_networks
    from nas.latency.command.clock import DeviceClock
    from nas.latency.command.many import device_of, measure_on_devices
    from nas.latency.command.setup import DeviceCommands
    from nas.latency.device import this_device
    from nas.latency.fit import LEAST_NETWORKS, fit_model
    from nas.latency.measure import measure_batch
    from nas.latency.samples import random_networks
    from nas.size import parse_size
    from search_spaces import Space

    if output.suffix.lower() not in (".yaml", ".yml"):
        raise InputError(f"--output {output}: expected a name that ends in .yaml")
    check_target(output, force=force)
    lr_size = parse_size(size)
    setup = DeviceCommands.given(latency_command, latency_pattern, latency_limit)
    if setup is not None:
        check_none({"--runtime": runtime != TORCH, "--device": device != "cpu",
                    "--dtype": dtype != "float32", "--threads": threads is not None,
                    "--rounds": rounds != _ROUNDS})  # fmt: skip
    for name, value, least in (("--networks", networks, LEAST_NETWORKS),
                                 ("--held-out", held_out, 0), ("--rounds", rounds, 1),
                                 ("--seed", seed, 0)):  # fmt: skip
        if value < least:
            raise InputError(f"{name}: expected {least} or more, got {value}")
    if scale not in (1, 2, 3, 4):
        raise InputError(f"--scale: expected 1, 2, 3 or 4, got {scale}")
    loaded = Space.load(space)
    drawn = list(islice(random_networks(loaded, scale, seed), networks + held_out))
    if len(drawn) < LEAST_NETWORKS:
        raise InputError(
            f"space {loaded.name!r}: has {len(drawn)} networks that differ, a model needs "
            f"{LEAST_NETWORKS} or more"
        )
    notes = output.with_name(f".{output.name}.measured.jsonl")
    with with_threads(threads) as used:
        measure: Callable[[Sequence[Architecture]], list[Measured]]
        if setup is not None:
            clock = DeviceClock(setup, lr_size)
            here, at_once = device_of(clock, scale), len(setup.commands)
            measure = partial(measure_on_devices, clock=clock)
        else:
            here, at_once = this_device(place=device, runtime=runtime, dtype=dtype, threads=used,
                                        lr_size=lr_size, scale=scale), AT_ONCE  # fmt: skip
            measure = partial(measure_batch, device=here, rounds=rounds)
        with _progress(str(here), len(drawn)) as tell:
            measured = measure_networks(
                notes, drawn, here, measure=measure, at_once=at_once, on_batch=tell
            )
    # Of a space with few networks, as many are held out as were asked for in proportion.
    apart = held_out * len(measured) // (networks + held_out)
    model = fit_model(
        measured, here, space=loaded.name, made_with=environment().to_dict(), held_out=apart
    )
    model.save(output)
    notes.unlink(missing_ok=True)
    print(_summary(model, output))


def _summary(model: LatencyModel, output: Path) -> str:
    line = f"{output}: {model.device}; fitted on {model.fitted_on} networks"
    if model.accuracy is None:
        return line
    a = model.accuracy
    return (
        f"{line}\n{a.networks} others: median error {a.median_error:.1%}, worst "
        f"{a.worst_error:.1%}, Kendall tau {a.kendall_tau:.3f}"
    )


@contextmanager
def _progress(device: str, total: int) -> Iterator[Callable[[list[Measured]], None]]:
    """Tells a person who watches how many are measured."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with bars(*columns, transient=False) as progress:
        task = progress.add_task("networks", total=total)
        if progress.console.is_terminal:
            progress.console.print(device, highlight=False)
        yield lambda measured: progress.update(task, completed=len(measured))
