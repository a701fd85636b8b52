"""The main job as a new user runs it: `nas search --budget 600K-params`, timed.

    python -m benchmarks.search_default

Prints wall time, peak memory of the process, the networks trained, and what the best one
gains over bicubic upscaling on the validation photos.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.hardware import header_line, write_result
from nas.cli.report.summarize import summarize
from nas.records import FINISHED, STOPPED
from nas.run import open_run

GOALS = {"minutes": 8.0, "networks": 16, "gain_db": 0.6, "peak_memory_mb": 2000.0}


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="keep the run folder here")
    arguments = parser.parse_args()
    folder = arguments.run or Path(tempfile.mkdtemp()) / "600K-params"
    print(header_line())
    nas = Path(sys.executable).parent / "nas"
    command = [str(nas), "search", "--budget", "600K-params", "--run", str(folder)]
    began = time.monotonic()
    subprocess.run(command, check=True)
    minutes = (time.monotonic() - began) / 60
    # The largest resident set of any child; this one is the only child. Kilobytes on Linux.
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    run = open_run(folder)
    records = run.records()
    summary, best = summarize(run, records), run.best()
    assert best is not None
    assert best.psnr_y_db is not None
    assert summary.bicubic_psnr_y_db is not None
    figures = {
        "minutes": round(minutes, 2),
        "networks": sum(record.state in (FINISHED, STOPPED) for record in records),
        "finished": sum(record.state == FINISHED for record in records),
        "gain_db": round(best.psnr_y_db - summary.bicubic_psnr_y_db, 3),
        "peak_memory_mb": round(peak_mb),
        "bicubic_psnr_y_db": summary.bicubic_psnr_y_db,
        "best_psnr_y_db": best.psnr_y_db,
        "best_params": best.params,
        "proposals": summary.proposals,
        "proposals_fit": summary.proposals_fit,
        "duplicates": summary.duplicates,
    }
    for name, goal in GOALS.items():
        print(f"{name:>15}  {figures[name]}  (goal {goal:g})")
    print(f"written to {write_result('search_default', {'goals': GOALS, **figures})}")


if __name__ == "__main__":
    main()
