"""Training from photos on disk, ten times as many as memory may hold, against photos in memory.

    SR_DATA=path/to/data python -m benchmarks.large_data               # 500 photos, 6 GB of disk
    SR_DATA=path/to/data python -m benchmarks.large_data --photos 40   # a quick look

Photos of 2 megapixels are put together from pieces of T91's and BSD200's, turned and flipped, saved
as PNG, and prepared as `nas data prepare` does it. Then two processes train the same networks in
turns, one from what was prepared, one from the same photos in memory, on the same patches: their
losses must be equal to the bit. What the kernel keeps of the prepared files it is made to forget
at the beginning, and whenever patches of a tenth of all pixels may have been read since: so much
memory the photos get, and no more. Goals: 0.90 of the speed from memory, the first batch within a
minute, 200 photos a minute.

Peak memory is what the process has to itself (``RssAnon`` of Linux, looked at 20 times a second):
pages of files, which the kernel takes back when it needs them, do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.research_data import research_data
from nas.data.folder import read_folder
from nas.data.places import PhotoPlaces
from nas.data.prepare import plan, prepare
from nas.data.strips import STRIP_PX

NAME = "large_data"
SCALE, BATCH, LR_SIZE = 4, 16, 24
HEIGHT, WIDTH, PIECE = 1152, 1728, 300
NETWORKS = {"e_rfdn": 2, "ecbsr_m4c16": 20}
"""Presets, and how many steps they train in each turn."""

LEAST_RATIO, MOST_S, LEAST_A_MINUTE = 0.90, 60, 200
_UNTIMED_TURNS = 1
CLOCKS = ("wall", "processor", "wall_in_batches")


def make_photos(folder: Path, count: int) -> None:
    """That many different photos of 2 megapixels."""
    pieces = [
        photo.pixels
        for name in ("T91", "BSD200")
        for photo in read_folder(research_data() / "train" / name, min_side_px=PIECE).photos
    ]
    folder.mkdir()

    def make(number: int) -> None:
        rng = np.random.default_rng(number)
        rows, columns = -(-HEIGHT // PIECE), -(-WIDTH // PIECE)
        whole = np.empty((rows * PIECE, columns * PIECE, 3), np.uint8)
        for top in range(0, rows * PIECE, PIECE):
            for left in range(0, columns * PIECE, PIECE):
                photo = np.rot90(pieces[rng.integers(len(pieces))], int(rng.integers(4)))
                y, x = (rng.integers(side - PIECE + 1) for side in photo.shape[:2])
                whole[top : top + PIECE, left : left + PIECE] = photo[y : y + PIECE, x : x + PIECE]
        image = Image.fromarray(whole[:HEIGHT, :WIDTH])
        image.save(folder / f"{number:05}.png", compress_level=1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make, range(count)))


@contextmanager
def peak_mb() -> Iterator[list[float]]:
    """The most memory that this process has to itself meanwhile, in MB, in a list of one."""
    found, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            lines = Path("/proc/self/status").read_text().splitlines()
            kb = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
            found[0] = max(found[0], kb * 1024 / 1e6)

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield found
    finally:
        over.set()
        watch.join()


def forget(cache: Path) -> None:
    """Has the kernel keep nothing of the prepared files."""
    for path in cache.glob("*.pixels"):
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def preparing(pipe: Connection, photos: Path, cache: Path) -> None:
    """Prepares, and tells how fast and in how much memory."""
    with peak_mb() as peak:
        load = os.getloadavg()[0]
        began, began_cpu = time.monotonic(), time.process_time()
        done = prepare(plan(photos, cache, scales=[SCALE]))
        seconds, cpu_s = time.monotonic() - began, time.process_time() - began_cpu
    pipe.send({
        "photos": done.photos, "megapixels": HEIGHT * WIDTH / 1e6, "load_before": round(load, 1),
        "photos_a_minute": round(done.photos / seconds * 60),
        "processor_ms_a_photo": round(cpu_s / done.photos * 1e3),
        "seconds": round(seconds, 1), "peak_mb": round(peak[0]), "disk_gb": done.nbytes / 1e9,
    })  # fmt: skip


def training(pipe: Connection, data: Path, cap_bytes: int, from_disk: bool) -> None:
    """Trains a network so many steps at every word, and tells seconds and the last loss."""
    import torch

    from nas.data import Batch, Patches, load_dataset
    from nas.training.loop import train
    from nas.training.recipe import profile
    from nas.training.state import seeded, start
    from search_spaces import build, preset

    class Clocked(Patches):
        seconds = 0.0

        def batch(self, step: int, part: slice = slice(None)) -> Batch:
            began = time.monotonic()
            found = super().batch(step, part)
            self.seconds += time.monotonic() - began
            return found

    torch.set_num_threads(1)
    # Times do not depend on the rates, and so low nothing diverges.
    recipe = profile("quick").replace(
        batch=BATCH, lr_size=LR_SIZE, learning_rate=5e-5, filter_rate=0.02, first_weights="random"
    )
    read_bytes = 0
    if from_disk:
        forget(data)
    with peak_mb() as peak:
        began = time.monotonic()
        dataset = load_dataset(
            SCALE, PhotoPlaces(data), lr_size=LR_SIZE, memory_cap_bytes=2 * 10**10
        )
        patches = Clocked(dataset.train, SCALE, lr_size=LR_SIZE, batch=BATCH, seed=recipe.seed)
        patches.batch(0)
        first_batch_s = time.monotonic() - began
        pipe.send((first_batch_s, dataset.fingerprint))
        states = {}
        for name in NETWORKS:
            network = seeded(partial(build, preset(name, scale=SCALE)), 0)
            states[name] = start(network, recipe, colors=network.architecture.colors)
        # Two strips of either, where one would often do.
        a_step = BATCH * 2 * STRIP_PX * 3 * LR_SIZE * (SCALE + 1)
        while (word := pipe.recv()) is not None:
            name, steps = word
            losses: list[float] = []
            patches.seconds = 0.0
            began, began_cpu = time.monotonic(), time.process_time()
            train(states[name], patches, recipe, states[name].step + steps,
                  on_step=partial(_note, losses))  # fmt: skip
            spent = time.monotonic() - began, time.process_time() - began_cpu, patches.seconds
            pipe.send((dict(zip(CLOCKS, spent, strict=True)), losses))
            read_bytes += steps * a_step
            if from_disk and read_bytes > cap_bytes - steps * a_step:
                forget(data)
                read_bytes = 0
                for state in states.values():
                    # The next patches had been announced: once more.
                    patches.batch(state.step - 1 if state.step else 0)
    pipe.send(round(peak[0]))


def _note(losses: list[float], step: int, loss: float) -> None:
    losses.append(loss)


@contextmanager
def beside(target: Any, *arguments: object) -> Iterator[Connection]:
    """A process of its own, and the pipe to it."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=target, args=(there, *arguments))
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(60)


def trained(photos: Path, cache: Path, turns: int, cap_bytes: int) -> dict[str, Any]:
    """Both processes' figures."""
    with (
        beside(training, cache, cap_bytes, True) as disk,
        beside(training, photos, cap_bytes, False) as memory,
    ):
        pipes = {"disk": disk, "memory": memory}
        first = {name: pipe.recv() for name, pipe in pipes.items()}
        if first["disk"][1] != first["memory"][1]:
            raise SystemExit(f"other photos: {first}")
        spent: dict[str, dict[str, list[dict[str, float]]]] = {
            name: {each: [] for each in pipes} for name in NETWORKS
        }
        for turn in range(turns + _UNTIMED_TURNS):
            for name, steps in NETWORKS.items():
                losses = []
                for each in pipes if turn % 2 else reversed(pipes):
                    pipes[each].send((name, steps))
                    took, told = pipes[each].recv()
                    losses.append(told)
                    if turn >= _UNTIMED_TURNS:
                        spent[name][each].append({of: s / steps for of, s in took.items()})
                if losses[0] != losses[1]:
                    raise SystemExit(f"{name}: other losses from disk than from memory")
        for pipe in pipes.values():
            pipe.send(None)
        peaks = {name: pipe.recv() for name, pipe in pipes.items()}
    networks = {}
    for network, own in spent.items():
        pairs = list(zip(own["memory"], own["disk"], strict=True))
        ratios = {
            of: round(statistics.median(one[of] / two[of] for one, two in pairs), 3)
            for of in ("wall", "processor")
        }
        ms = {
            each: {of: round(1e3 * statistics.median(turn[of] for turn in own[each]), 2)
                   for of in CLOCKS}
            for each in own
        }  # fmt: skip
        networks[network] = {"ratio_of_speed": ratios, "ms_a_step": ms}
    return {
        "networks": networks,
        "first_batch_s": {name: round(told[0], 1) for name, told in first.items()},
        "peak_mb": peaks,
    }


def main() -> None:
    """Makes, prepares and trains; prints the figures beside their goals, and writes them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--turns", type=int, default=20, help="0: nothing is trained")
    parser.add_argument("--folder", type=Path, help="where the photos are made; removed again")
    parser.add_argument("--no-result", action="store_true", help="write no file")
    arguments = parser.parse_args()
    print(header_line(), flush=True)
    pixels = arguments.photos * HEIGHT * WIDTH * 3
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        photos, cache = Path(folder, "photos"), Path(folder, "prepared")
        make_photos(photos, arguments.photos)
        with beside(preparing, photos, cache) as pipe:
            preparation = pipe.recv()
        print(
            f"prepared: {preparation['photos_a_minute']} photos of {HEIGHT * WIDTH / 1e6:.1f} "
            f"megapixels a minute (goal {LEAST_A_MINUTE}) at a load of "
            f"{preparation['load_before']}, {preparation['processor_ms_a_photo']} ms of a "
            f"processor each, {preparation['peak_mb']} MB at most (goal 2,000), "
            f"{preparation['disk_gb']:.1f} GB on disk",
            flush=True,
        )
        path = RESULTS / f"{NAME}.json"
        before: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        found: dict[str, Any] = {}
        if arguments.turns:
            found = {
                "load_before": round(os.getloadavg()[0], 1),
                "pixels_gb": pixels / 1e9, "cap_gb": pixels / 1e10,
                "turns": arguments.turns, "steps_a_turn": NETWORKS,
                **trained(photos, cache, arguments.turns, pixels // 10),
            }  # fmt: skip
            _show(found)
    if not arguments.no_result:
        runs = {**before.get("runs", {}), str(arguments.photos): {
            "preparation": preparation, "training": found,
        }}  # fmt: skip
        write_result(NAME, {"runs": runs})


def _show(found: dict[str, Any]) -> None:
    for network, one in found["networks"].items():
        print(
            f"{network}: {one['ratio_of_speed']['wall']} of the speed from memory (goal "
            f"{LEAST_RATIO}), by the processor's time {one['ratio_of_speed']['processor']}; ms a "
            f"step from disk {one['ms_a_step']['disk']}, from memory {one['ms_a_step']['memory']}"
        )
    print(
        f"first batch after {found['first_batch_s']['disk']} s (goal {MOST_S}), from memory "
        f"{found['first_batch_s']['memory']} s; memory of the process {found['peak_mb']['disk']} "
        f"MB, from memory {found['peak_mb']['memory']} MB"
    )


if __name__ == "__main__":
    main()
