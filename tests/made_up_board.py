"""The boards and phones of docs/devices.md: its scripts, and programs that they find on the way.

Whatever would go to another machine stays in the folder, where ``/tmp`` and ``/data`` of devices
lie, too; a benchmark there speaks in its own way, and a device takes 3 ms and a microsecond for
each byte of a network.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from benchmarks import fake_device

__all__ = ["make_boards"]

_SCRIPT = re.compile(r"^```bash\n(#!/bin/sh\n# (\S+\.sh).*?)^```$", re.M | re.S)


def make_boards(guide: str, folder: Path) -> None:
    """Puts the scripts of the guide, and the programs for them, into a folder."""
    there = folder / "device"
    for place in (there / "tmp", there / "data/local/tmp", folder / "bin"):
        place.mkdir(parents=True)
    device = shlex.quote(str(there))
    moved = rf"sed -E 's#(^|[ =])((/data/local)?/tmp/)#\1{there}\2#g'"
    takes = f"{sys.executable} -S -E {fake_device.__file__}"
    ms = f'ms=$({takes} "$file.bytes" 1 1 | tail -n 1 | sed "s/.*: //; s/ ms//")'
    programs = {
        "bin/scp": f'cp "$2" "{there}${{3#*:}}"',
        "bin/ssh": f'shift; cd {device}; exec $(echo "$@" | {moved})',
        "bin/adb": f'case $1 in push) cp "$2" "{there}$3";; shell) shift; '
        f'exec $(echo "$@" | {moved});; esac',
        "device/bench": f'file=$1; cp "$file" "$file.bytes"; {ms}; echo "$2x$3: $ms ms"',
        "device/benchncnn": "for word; do case $word in param=*) file=${word#param=};; esac; done; "
        f'cp "$file" "$file.bytes"; {ms}; '
        'echo "  $file  min = $ms  max = $ms  avg = $ms" >&2',
        "device/data/local/tmp/benchmark_model": "file=${1#--graph=}; "
        f'cp "$file" "$file.bytes"; {ms}; us=$(echo "$ms * 1000" | tr -d . | cut -d " " -f 1); '
        'echo "INFO: Inference timings in us: Init: 5, Inference (avg): ${us%???}.5"; '
        'echo "INFO: Peak memory footprint (MB): init=2.9 overall=16.5"',
    }
    for name, body in programs.items():
        _write(folder / name, f"#!/bin/sh\n{body}\n")
    for script, name in _SCRIPT.findall(guide):
        # These programs come before those of this machine.
        path = f"PATH={shlex.quote(str(folder / 'bin'))}:$PATH"
        _write(folder / name, script.replace("#!/bin/sh\n", f"#!/bin/sh\n{path}\n", 1))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
