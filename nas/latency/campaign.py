"""Measuring many networks, batch by batch, so that an interruption loses one batch at most."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from nas.latency.device import Device
from nas.latency.measure import Measured
from search_spaces import Architecture
from search_spaces.errors import InputError, WriteError
from search_spaces.regular import read_regular

__all__ = ["AT_ONCE", "measure_networks", "read_measured"]

AT_ONCE = 6
"""Networks timed in turns on this machine: an interruption loses no more."""


def measure_networks(
    path: Path,
    architectures: Sequence[Architecture],
    device: Device,
    *,
    measure: Callable[[Sequence[Architecture]], list[Measured]],
    at_once: int = AT_ONCE,
    on_batch: Callable[[list[Measured]], bool | None] | None = None,
) -> list[Measured]:
    """Measures those that the file at ``path`` doesn't hold yet, and adds them to it.

    Args:
        path: lines of JSON: the device, then a line for each network.
        architectures: in the order in which they are measured.
        device: the one at hand.
        measure: measures a batch of them; those that cannot be are left out.
        at_once: so many are a batch.
        on_batch: told of all measured so far, after each batch; stops when it returns True.

    Returns:
        The measured ones among ``architectures``, in their order.

    Raises:
        InputError: the file can't be read or written, or is of another device.
    """
    known = _by_hash(read_measured(path, device))
    waiting = [a for a in architectures if a.hash not in known]
    for first in range(0, len(waiting), at_once):
        measured = measure(waiting[first : first + at_once])
        _add(path, device, measured)
        known |= _by_hash(measured)
        done = [known[a.hash] for a in architectures if a.hash in known]
        if on_batch is not None and on_batch(done):
            break
    return [known[a.hash] for a in architectures if a.hash in known]


def read_measured(path: Path, device: Device) -> list[Measured]:
    """What `measure_networks` wrote; a last line cut short is left out.

    Raises:
        InputError: the file can't be read, or is of another device.
    """
    try:
        lines = read_regular(path).decode("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); remove it to measure anew") from None
    found = []
    for number, line in enumerate(lines):
        try:
            plain = json.loads(line)
            if number == 0:
                if Device.from_dict(plain["device"]) != device:
                    raise InputError(
                        f"{path}: holds measurements of {Device.from_dict(plain['device'])}, "
                        f"not of {device}: remove it, or choose another --output"
                    )
                continue
            times = tuple(float(ms) for ms in plain.pop("operations_ms"))
            found.append(Measured(**plain, operations_ms=times))
        except InputError:  # a ValueError itself
            raise
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return found


def _by_hash(measured: Sequence[Measured]) -> dict[str, Measured]:
    return {Architecture.from_dict(one.architecture).hash: one for one in measured}


def _add(path: Path, device: Device, measured: Sequence[Measured]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        with path.open("a", encoding="utf-8") as file:
            if fresh:
                file.write(json.dumps({"device": device.to_dict()}) + "\n")
            for one in measured:
                plain = asdict(one)
                plain["operations_ms"] = [float(f"{ms:.4g}") for ms in one.operations_ms]
                file.write(json.dumps(plain) + "\n")
    except OSError as error:
        raise WriteError(
            f"cannot write {path}: {error.strerror or error}; choose a folder that can be written"
        ) from error
