"""Steps and seconds to a quality: today's recipe against the one before and against the field's.

    SR_DATA=path/to/data python -m benchmarks.speedrun               # goes on where it stopped
    SR_DATA=path/to/data python -m benchmarks.speedrun --time        # times steps; table, picture

Networks as different as they come train on T91 and BSD200, apart from its last 20 photos, which
judge. ``before`` is what the quick profile was until the first release: Adam at 1e-3, a bilinear
image skip, random first weights, a running average of the weights with decay 0.98. ``field`` is
Adam at 2e-4 without image skip or average, as IMDN's authors train, on the same batches (theirs
have eight times the pixels). ``now`` is the quick profile, with the image skip of the default
space, its steps prolonged.
"""

from __future__ import annotations

import argparse

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.speedrun.cases import GOALS
from benchmarks.speedrun.curves import fill
from benchmarks.speedrun.result import draw, summary, time_steps


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", action="store_true", help="time steps, then write the result")
    parser.add_argument("--rounds", type=int, default=25, help="of the timing")
    arguments = parser.parse_args()
    print(header_line())
    if not arguments.time:
        fill()
        return
    figures = summary(time_steps(arguments.rounds))
    for key, row in figures["networks"].items():
        shares = {k: v["share_of_seconds"] for k, v in row.items() if k != "ms_a_step"}
        print(f"{key:>12}  share of the seconds {shares}")
    print(f"medians {figures['share_of_seconds']}; goals {GOALS}")
    draw()
    print(f"written to {write_result('speedrun', figures)} and {RESULTS / 'speedrun.png'}")


if __name__ == "__main__":
    main()
