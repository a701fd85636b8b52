"""Upscaling with E-RFDN x4: speed against plain eager float32, seams, and peak memory.

``plain`` is the bare forward pass of published test scripts: contiguous float32 in and out.
``exact`` and ``fast`` are all that ``nas upscale`` does between reading and writing a file
(uint8 to uint8), without and with ``--fast``. The three take turns. Quality is PSNR-Y against
the HR photo, and the difference from what ``plain`` gives. Seams are the gray levels by which
tiles differ from the image at once. Peak memory is that of the whole command, in a process of
its own, as the kernel counts it.

    python -m benchmarks.upscaling NET.safetensors PHOTO --pooling IMDN.safetensors
        [--rounds 12] [--wide 7680x4320]
"""

from __future__ import annotations

import argparse
import copy
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.data.degradation import bicubic_down
from nas.evaluate.quality import psnr_y_db
from nas.latency.clock import summary, time_in_turns
from nas.upscale.upscaler import DEFAULT_OVERLAP_PX, Upscaler
from search_spaces import Network, load

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

GOALS = {"times_plain": 1.8, "psnr_y_db_off": 0.01, "peak_mb": 2000, "seam_levels": 1}
LR_SIZE = (180, 320)


def photo_of(path: Path, scale: int) -> tuple[Pixels, Pixels]:
    """LR of 320x180 and its HR, cut from the middle of a photo that is enlarged if need be."""
    height, width = (side * scale for side in LR_SIZE)
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    factor = max(1.0, height / image.height, width / image.width)
    image = image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC
    )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    hr = np.asarray(image.crop((left, top, left + width, top + height)))
    return bicubic_down(hr, scale), hr


def plain(network: Network, image: torch.Tensor) -> torch.Tensor:
    """The forward pass alone."""
    with torch.no_grad():
        out: torch.Tensor = network(image)
    return out


def speed(network: Network, photo: Path, rounds: int) -> dict[str, Any]:
    """The three ways in turns, their quality, and how far they are from ``plain``."""
    scale = network.architecture.scale
    lr, hr = photo_of(photo, scale)
    image = torch.from_numpy(np.ascontiguousarray(lr.transpose(2, 0, 1)))[None].float() / 255
    nchw = copy.deepcopy(network)
    exact, fast = (Upscaler(network, device="cpu", fast=f) for f in (False, True))
    laps = time_in_turns(
        {
            "plain": lambda: plain(nchw, image),
            "exact": lambda: exact.enlarge(lr),
            "fast": lambda: fast.enlarge(lr),
        },
        rounds=rounds,
        warmup=2,
    )
    times = {name: of.passed_ms for name, of in laps.items()}
    pixels = plain(nchw, image)[0].mul(255).clamp(0, 255).round().byte().numpy().transpose(1, 2, 0)
    results = {"plain": pixels, "exact": exact.enlarge(lr), "fast": fast.enlarge(lr)}
    figures: dict[str, Any] = {}
    for name, of in times.items():
        timing = summary(of)
        by_round = [p / o for p, o in zip(times["plain"], of, strict=True)]
        psnr = psnr_y_db(np.asarray(results[name], np.uint8), hr, scale)
        figures[name] = {
            "median_ms": round(timing.median_ms, 1),
            "minimum_ms": round(timing.minimum_ms, 1),
            "times_plain_median": round(statistics.median(by_round), 3),
            "times_plain_minimum": round(min(times["plain"]) / timing.minimum_ms, 3),
            "psnr_y_db": round(psnr, 5),
        }
    for of_way in figures.values():
        of_way["psnr_y_db_off"] = round(of_way["psnr_y_db"] - figures["plain"]["psnr_y_db"], 5)
    return figures


def seams(network: Network, photo: Path, tile: int, overlap: int | None) -> dict[str, Any]:
    """Gray levels between tiles and the image at once."""
    with Image.open(photo) as opened:
        pixels = np.asarray(opened.convert("RGB"))[:320, :400]
    whole = Upscaler(network, device="cpu", memory_mb=8000).enlarge(pixels)
    upscaler = Upscaler(network, device="cpu", tile=tile, overlap=overlap)
    off = np.abs(upscaler.enlarge(pixels).astype(int) - whole)
    return {
        "tile": tile,
        "overlap": upscaler.overlap,
        "most_levels": int(off.max()),
        "mean_levels": round(float(off.mean()), 6),
        "share_off": round(float((off > 0).mean()), 6),
    }


def memory(network: Path, photo: Path, size: tuple[int, int], fast: bool) -> dict[str, Any]:
    """Peak resident memory of the command on an image of ``size`` (width, height)."""
    with tempfile.TemporaryDirectory() as folder:
        wide, out = Path(folder) / "wide.png", Path(folder) / "out.png"
        with Image.open(photo) as opened:
            opened.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(
                wide, compress_level=1
            )
        code = "from nas.cli.main import main; main()"
        words = ["upscale", str(wide), "-o", str(out), "--net", str(network)]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", code, *words, *(["--fast"] if fast else [])],
            check=True,
            cwd=Path(__file__).resolve().parents[1],
            env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        )
        seconds = time.perf_counter() - began
        written = out.stat().st_size
    # The largest child of this process so far, which is this one; kilobytes on Linux.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
    return {
        "size": f"{size[0]}x{size[1]}",
        "fast": fast,
        "peak_mb": round(peak),
        "seconds": round(seconds, 1),
        "written_mb": round(written / 1e6),
    }


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--pooling", type=Path, help="a trained network with CCA, for its seams")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--wide", default="7680x4320", help="WIDTHxHEIGHT, or 0x0 for none")
    parser.add_argument("--exact", action="store_true", help="memory without --fast")
    args = parser.parse_args()

    network = load(args.network)
    result: dict[str, Any] = {"network": args.network.name, "photo": args.photo.name}
    result |= {"lr_size": list(LR_SIZE), "rounds": args.rounds, "goals": GOALS}
    print(header_line())
    result["speed"] = speed(network, args.photo, args.rounds)
    for name, of in result["speed"].items():
        print(f"{name:6} {of['median_ms']:8.1f} ms (minimum {of['minimum_ms']:.1f})  "
              f"{of['times_plain_median']:.2f} times plain ({of['times_plain_minimum']:.2f} by "
              f"minima)  {of['psnr_y_db']:.4f} dB ({of['psnr_y_db_off']:+.4f})")  # fmt: skip
    result["seams"] = [
        seams(network, args.photo, tile, overlap)
        for tile in (96, 160)
        for overlap in (12, 24, 36, DEFAULT_OVERLAP_PX, 64)
    ]
    pooling: list[dict[str, Any]] = []
    if args.pooling is not None:
        other = load(args.pooling)
        pooling = [seams(other, args.photo, tile, None) for tile in (96, 160)]
        result["seams_of_global_pooling"] = {"network": args.pooling.name, "tiles": pooling}
    for of in (*result["seams"], *pooling):
        print(f"tile {of['tile']}, overlap {of['overlap']}: at most {of['most_levels']} levels, "
              f"{of['share_off']:.3%} of values off")  # fmt: skip
    # The rest takes many minutes: what is measured by now is kept.
    write_result("upscaling", result)
    width, _, height = args.wide.partition("x")
    if int(width):
        result["memory"] = memory(
            args.network, args.photo, (int(width), int(height)), not args.exact
        )
        print(f"{result['memory']}")
    print(f"written to {write_result('upscaling', result).name}")


if __name__ == "__main__":
    main()
