"""What a latency that a command tells is worth: a model through it, ssh, a device with faults.

The device is `benchmarks.fake_device`, whose cost is known: 3 ms, and 1e-9 ms for each
multiply-add.

- A latency model is fitted on 36 networks of the default space, exported to ONNX and told by the
  command, and foretells 12 others; once as they were told, once with a spread of 1%.
- The same network by the direct command and through ssh to this machine, where there is an sshd.
- Two searches, one of whose devices dies 10 times, prints nonsense 10 times and hangs once.

Run as ``python -m benchmarks.latency_command``; the result goes to results/latency_command.json.
Networks measured stay in --notes, so that it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import getpass
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fake_device
from benchmarks.hardware import header_line, write_result
from nas.explore.events import DeviceAway, Event
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.latency.campaign import measure_networks
from nas.latency.command.clock import DeviceClock
from nas.latency.command.many import device_of, measure_on_devices
from nas.latency.command.setup import DeviceCommands
from nas.latency.fit import fit_model
from nas.latency.measure import Measured
from nas.latency.samples import random_networks
from search_spaces import Architecture, Space

_DEVICE = f"{shlex.quote(sys.executable)} -E {shlex.quote(fake_device.__file__)}"
_SIZE, _SCALE = (90, 160), 4
_FITTED, _HELD_OUT = 36, 12
_FAULTS = ("well", "dies", "well", "nonsense") * 10
_PORT = 20_322


def _fit(notes: Path) -> dict[str, Any]:
    """The error of a model on networks that it has not seen."""
    call = f"{_DEVICE} {{onnx}} {{height}} {{width}}"
    # Two of a kind: while one is asked, the next network is written.
    clock = DeviceClock(DeviceCommands.of([call, f"{call} /dev/null"]), _SIZE)
    device = device_of(clock, _SCALE)
    drawn = list(islice(random_networks(Space.load("distillation"), _SCALE, 0),
                        _FITTED + _HELD_OUT))  # fmt: skip
    measured = measure_networks(
        notes / "measured.jsonl", drawn, device, measure=partial(measure_on_devices, clock=clock),
        at_once=2, on_batch=lambda done: print(f"{len(done)}/{len(drawn)} measured", flush=True),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    found = {}
    for name, spread in (("as told", 0.0), ("spread of 1%", 0.01)):
        told = [
            replace(one, latency_ms=one.latency_ms * float(1 + spread * rng.standard_normal()))
            for one in measured
        ]
        found[name] = _accuracy(told, device)
    return {"fitted_on": _FITTED, **found}


def _accuracy(measured: Sequence[Measured], device: Any) -> dict[str, Any]:
    model = fit_model(measured, device, space="distillation", made_with={}, held_out=_HELD_OUT)
    assert model.accuracy is not None
    return asdict(model.accuracy)


def _through_ssh() -> dict[str, Any] | str:
    """Milliseconds of one network, asked directly and through ssh to this machine."""
    if shutil.which("sshd") is None or shutil.which("ssh") is None:
        return "there is no sshd here"
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = Architecture.from_dict({"scale": 4, "channels": 16, "blocks": [block]})
    call = f"{_DEVICE} {{yaml}} {{height}} {{width}}"
    with _ssh() as ssh:
        found = {}
        for name, command in (("direct", call), ("ssh", f"{ssh} {call}")):
            clock = DeviceClock(DeviceCommands.of([command]), _SIZE)
            found[name] = statistics.median(clock.times(arch)[0])
    return found


@contextmanager
def _ssh() -> Iterator[str]:
    """An sshd of our own on this machine, with keys that live as long; the command to it."""
    sshd = shutil.which("sshd")
    assert sshd is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        options = {
            "Port": _PORT, "ListenAddress": "127.0.0.1", "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "authorized", "PidFile": folder / "pid",
            "StrictModes": "no",
        }  # fmt: skip
        config = folder / "config"
        config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
        server = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)])
        try:
            yield (
                f"ssh -q -p {_PORT} -i {folder / 'user'} -o StrictHostKeyChecking=no "
                f"-o UserKnownHostsFile=/dev/null {getpass.getuser()}@127.0.0.1"
            )
        finally:
            server.terminate()
            server.wait()


def _with_faults(folder: Path) -> dict[str, Any]:
    """Whether a device with faults leads a search to the same networks."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    lines: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, DeviceAway):
            lines.append(event.line)
            print(event.line, flush=True)

    faults = folder / "faults"
    for name, words in (("well", ()), ("with faults", ("well", "hangs", *_FAULTS))):
        faults.write_text("\n".join(words))
        settings = make_settings(
            "7ms-latency", objectives="psnr,latency", space="tiny", profile="smoke", trials=8,
            run=folder / name, latency_limit=5.0,
            latency_command=f"{_DEVICE} {{yaml}} {{height}} {{width}} {shlex.quote(str(faults))}",
        )  # fmt: skip
        records = run_search(settings, tell).records()
        found[name] = [
            (r.number, r.architecture_hash, r.state, r.latency_ms, r.psnr_y_db) for r in records
        ]
    well, badly = found.values()
    kinds = {"dies": "no route to host", "nonsense": "printed no number", "hangs": "took more than"}
    counted = {kind: sum(said in line for line in lines) for kind, said in kinds.items()}
    return {"trials": len(well), "equal": well == badly, "faults": counted, "lines": len(lines)}


def main() -> None:
    """Measures all three and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=Path, default=Path("runs/latency_command"))
    args = parser.parse_args()
    args.notes.mkdir(parents=True, exist_ok=True)
    print(header_line())
    result: dict[str, Any] = {"device": "3 ms and 1e-9 ms for each multiply-add"}
    with tempfile.TemporaryDirectory() as folder:
        result["search"] = _with_faults(Path(folder))
    print(result["search"], flush=True)
    result["ssh"] = _through_ssh()
    result["model"] = _fit(args.notes)
    print(result["model"], flush=True)
    write_result("latency_command", result)


if __name__ == "__main__":
    main()
