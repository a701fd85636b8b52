"""The walk of an engineer who needs a x3 upscaler for an app: 100 K parameters, 5 ms, int8.

    python -m benchmarks.walks.app_engineer --data path/to/photos
    python -m benchmarks.walks.app_engineer --busy 2      # beside two busy jobs, and again without

From photos to an int8 ONNX file, an enlarged picture and a picture to show, by the commands of
README.md ("From the winner to use") and the guides alone. 5 ms are those of one thread at 160x90,
the size that docs/latency.md begins with. With --busy, all of it runs beside so many jobs that
never rest; the int8 file is measured there and again without them, by the processor's time. Both
latencies and their ratio go to benchmarks/results/walks.json; they are to differ by a
fifth at most. --files FOLDER measures those of a walk kept there (--keep), and nothing else. The
search is short: what comes out shows that the way is open, not how good a network can be.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from benchmarks.hardware import header_line, write_result
from benchmarks.research_data import research_data
from benchmarks.walks.walk import Walk, walking

SCALE, SIZE = 3, "160x90"
PHOTOS = 40
GOAL = 1.2
TURNS = 3
_JOB = "while True: pass"


def main() -> None:
    """Walks; ends non-zero where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="photos; default: SR_DATA/train/BSD200")
    parser.add_argument("--busy", type=int, default=0, help="so many busy jobs beside it")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="folder to walk in; default: a temporary one")
    parser.add_argument("--files", type=Path, help="measure those of a walk that was kept")
    arguments = parser.parse_args()
    print(header_line())
    if arguments.files is not None:
        compare(Walk(arguments.files.resolve()), arguments.busy)
        return
    photos = arguments.data or research_data() / "train" / "BSD200"
    with walking("app", arguments.keep) as folder:
        shown = take_photos(photos, folder)
        walk = Walk(folder)
        with busy(arguments.busy):
            way(walk, shown, arguments.trials)
        if arguments.busy:
            compare(walk, arguments.busy)


def compare(walk: Walk, jobs: int) -> None:
    """The int8 file's latency beside busy jobs and without them, in turns; it is written down."""
    told: list[dict[str, float]] = []
    again: list[dict[str, float]] = []
    for _ in range(TURNS):
        with busy(jobs):
            told.append(latency(walk))
        again.append(latency(walk))
    ratios = {
        key: round(statistics.median(a[key] for a in told)
                   / statistics.median(b[key] for b in again), 3)
        for key in told[0]
    }  # fmt: skip
    figures = {
        "goal": GOAL,
        "busy_jobs": jobs,
        "load": round(os.getloadavg()[0], 1),
        "with_them": told,
        "without_them": again,
        "ratios_of_medians": ratios,
    }
    print(json.dumps(figures, indent=2))
    print(f"written to {write_result('walks', figures)}")
    ratio = ratios["alone_ms"]
    walk.holds(f"both differ by a fifth at most: {ratio:.2f}", 1 / GOAL <= ratio <= GOAL)


def take_photos(source: Path, folder: Path) -> str:
    """Some of the photos to search by, and one more to look at; returns its name."""
    endings = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
    found = sorted(p for p in source.rglob("*") if p.suffix.lower() in endings)[: PHOTOS + 1]
    if len(found) < 10:
        sys.exit(f"{source}: expected ten photos or more, got {len(found)}; give --data FOLDER")
    (folder / "photos").mkdir()
    for path in found[:-1]:
        shutil.copyfile(path, folder / "photos" / path.name)
    with Image.open(found[-1]) as image:
        image.convert("RGB").save(folder / "photo.png")
    return "photo.png"


def way(walk: Walk, photo: str, trials: int) -> None:
    """From photos to ``small.onnx`` in int8, and to two pictures."""
    walk.run(
        f"nas search --scale {SCALE} --budget 100K-params --budget 5ms-latency --space fast "
        f"--threads 1 --data photos --trials {trials} --run found",
        "no network over a budget is trained; a table of the front, best.safetensors",
    )
    walk.has("found/best.safetensors", "found/pareto.png")
    trained = pd.read_csv(walk.folder / "found" / "trials.csv").query("train_steps > 0")
    walk.holds("100 K parameters at most", bool((trained["params"] <= 100_000).all()))
    walk.holds("5 ms at most", bool((trained["latency_ms"] <= 5).all()))

    said = walk.run("nas train found best --run full --steps 400",
                    "goes on from the search's weights, and says what was gained")  # fmt: skip
    walk.holds("the gain over bicubic is told", "above bicubic" in said)
    walk.has("full/best.safetensors")

    said = walk.run(
        "nas compress auto full/best.safetensors --budget 90% --steps 200 --threads 1 -o small",
        "small.safetensors; small.onnx in int8, or the command that writes one all the same",
    )
    walk.has("small.safetensors", "small.csv")
    if not (walk.folder / "small.onnx").is_file():
        command = re.search(r"in int8 all the same: (nas .*)$", said, re.M)
        walk.holds("the command for int8 is told", command is not None)
        assert command is not None
        walk.run(f"{command[1]} --threads 1", "the int8 file, and what it loses and takes")
    walk.has("small.onnx")

    walk.run(f"nas upscale {photo} -o large.png --net small.onnx", "the photo, 3 times as large")
    with Image.open(walk.folder / photo) as small, Image.open(walk.folder / "large.png") as large:
        walk.holds(f"{large.size} is 3 times {small.size}",
                   large.size == (SCALE * small.width, SCALE * small.height))  # fmt: skip
    said = walk.run(
        f"nas compare {photo} --hr --net full=full/best.safetensors --net int8=small.onnx "
        f"-o seen.png", "one picture: bicubic, the network, int8 and the original",
    )  # fmt: skip
    walk.has("seen.png")
    whole = {words[0]: float(words[1]) for line in said.splitlines()
             if (words := line.split()) and words[0] in ("bicubic", "full", "int8")}  # fmt: skip
    walk.holds("int8 is better than bicubic there", whole["int8"] > whole["bicubic"])


def latency(walk: Walk) -> dict[str, Any]:
    """What `nas latency` tells of the int8 file: by the processor's time, minimum, median, ms."""
    said = walk.run(
        f"nas latency small.onnx --reference full/best.safetensors --threads 1 --size {SIZE} "
        f"--json", "median, minimum and the ratio to what it was made of", quiet=True,
    )  # fmt: skip
    # What stands before it is told on standard error.
    rows = json.loads(said.splitlines()[-1])["networks"]
    row = next(one for one in rows if one["network"] == "small.onnx")
    told = {key: round(row[key], 3) for key in ("alone_ms", "minimum_ms", "median_ms")}
    print(f"  {row['dtype']}, {SIZE}: {told}", flush=True)
    walk.holds("int8", "int8" in row["dtype"])
    return told


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that never rest, for as long."""
    jobs = [subprocess.Popen([sys.executable, "-c", _JOB]) for _ in range(count)]
    try:
        yield
    finally:
        for job in jobs:
            job.kill()
            job.wait()


if __name__ == "__main__":
    main()
