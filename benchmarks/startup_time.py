"""How long `nas --help` takes, beside Python's own start and the import of torch.

python -m benchmarks.startup_time
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.hardware import header_line, write_result

ROUNDS = 15
GOAL_S = 0.5


def main() -> None:
    """Runs the benchmark and writes its result."""
    nas = str(Path(sys.executable).parent / "nas")
    commands = {
        "nas --help": [nas, "--help"],
        "nas search --help": [nas, "search", "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import torch'": [sys.executable, "-c", "import torch"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    print(header_line())
    for _ in range(ROUNDS):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - began)
    torch_s = statistics.median(seconds["python -c 'import torch'"])
    figures = {}
    for name, values in seconds.items():
        median = statistics.median(values)
        figures[name] = {"median_s": round(median, 3), "min_s": round(min(values), 3)}
        print(f"{name:>26}  {median:.3f} s median, {min(values):.3f} s minimum, "
              f"{median / torch_s:.2f} of importing torch")  # fmt: skip
    print(f"goal: nas --help under {GOAL_S} s")
    print(f"written to {write_result('startup_time', {'goal_s': GOAL_S, 'commands': figures})}")


if __name__ == "__main__":
    main()
