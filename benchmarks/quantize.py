r"""int8 beside float32: quality on test sets, speed and size of published networks.

    python -m benchmarks.quantize make --work DIR --data BSD200 \
        --network E-RFDN=e_rfdn_x4.safetensors --network IMDN=imdn_x2.safetensors
    python -m benchmarks.quantize score --work DIR --set Set5=DIR --set Set14=DIR
    python -m benchmarks.quantize time --work DIR

The plain trunks, in a folder and a result of their own (``time --result quantize_trunks``), were
made with ``--calibration mse --max-drop 0.05`` from SPAN's, DISP's and SPANV2's weights. With
``--ending .tflite`` the files are LiteRT's (``time --threads 1 --result quantize_litert``), by
limits of 0.05 (E-RFDN), 0.06 (DISP, ``--qat-steps 1000``), 0.065 (SPAN, as many), 0.05 (SPANV2)
and 0.08 (RLFN, ``--qat-steps 800``).

Ranges and layers in float32 are chosen on BSD200 alone: its last 20 photos by name validate, the
others calibrate. The networks come from ``nas import``. Times are those of ONNX Runtime, or of
LiteRT, on both files in turns, by the processor's time; the float32 file is the network's own
export. Beside them is the float32 .onnx file in ONNX Runtime.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import RESULTS, header_line, write_result
from compress.int8_candidate import FileModule
from compress.quantize import QuantizeOptions, quantize
from nas.data.folder import read_folder
from nas.deploy.int8_formats import INT8_FORMATS
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.latency.clock import summary, time_in_turns
from search_spaces import load

GOALS = {
    "quantize": {"drop_db": 0.12, "times_as_fast": 1.7, "share_of_bytes": 0.4},
    # On Set14, on one thread.
    "quantize_trunks": {"drop_db": 0.1, "times_as_fast": 1.8},
    "quantize_litert": {"drop_db": 0.1, "times_as_fast": 1.8},
}
_VALIDATION = 20


def named(text: str) -> tuple[str, Path]:
    """NAME=PATH in two."""
    name, _, path = text.partition("=")
    return name, Path(path)


def make(args: argparse.Namespace) -> None:
    """Both files of every network, and how the int8 one was made."""
    photos = read_folder(args.data).photos
    for name, path in args.networks:
        network = load(path)
        form = INT8_FORMATS[args.ending]
        for one in {form.ending, ".onnx"}:
            INT8_FORMATS[one].in_float.write(network, args.work / f"{name}.float{one}")
        kept = dict(args.keep_float).get(name)
        options = QuantizeOptions(
            keep_float=tuple(str(kept).split(",")) if kept else (),
            max_drop_db=None if kept else args.max_drop, rounds=0, qat_steps=args.qat_steps,
            calibration=args.calibration,
        )  # fmt: skip
        result = quantize(
            network, photos[:-_VALIDATION], photos[-_VALIDATION:],
            args.work / f"{name}.int8{form.ending}", options=options,
            on_stage=lambda line: print(line, flush=True),
            on_step=lambda step, loss: None if step % 100 else print(f"step {step}", flush=True),
        )  # fmt: skip
        facts = dataclasses.asdict(result) | {"path": "", "scale": network.architecture.scale}
        facts |= {"max_drop_db": options.max_drop_db, "ending": form.ending}
        (args.work / f"{name}.made.json").write_text(json.dumps(facts, indent=1))
        print(name, json.dumps(facts), flush=True)


def score(args: argparse.Namespace) -> None:
    """PSNR-Y and SSIM-Y of both files on the test sets."""
    for made in sorted(args.work.glob("*.made.json")):
        name, facts = made.name.removesuffix(".made.json"), json.loads(made.read_text())
        scale = facts["scale"]
        rows: dict[str, Any] = {}
        for kind in ("float", "int8"):
            session = FileModule(args.work / f"{name}.{kind}{facts['ending']}")
            for test_set, folder in args.sets:

                def enlarge(lr: Any, net: torch.nn.Module = session, by: int = scale) -> Any:
                    return upscale(net, lr, by)

                quality = evaluate_set(enlarge, TestSet.open(test_set, folder, scale))
                rows.setdefault(test_set, {})[kind] = {
                    "psnr_y_db": round(quality.psnr_y_db, 4),
                    "ssim_y": round(quality.ssim_y, 6),
                }
                print(name, test_set, kind, f"{quality.psnr_y_db:.4f} {quality.ssim_y:.5f}",
                      flush=True)  # fmt: skip
        for row in rows.values():
            row["drop_db"] = round(row["float"]["psnr_y_db"] - row["int8"]["psnr_y_db"], 4)
        (args.work / f"{name}.score.json").write_text(json.dumps(rows, indent=1))


def timed(args: argparse.Namespace) -> None:
    """Both files in turns, then everything into a result."""
    height, width = 180, 320
    image = np.random.default_rng(0).random((1, 3, height, width), np.float32)
    networks: dict[str, Any] = {}
    for made in sorted(args.work.glob("*.made.json")):
        name = made.name.removesuffix(".made.json")
        ending = json.loads(made.read_text())["ending"]
        files = {kind: args.work / f"{name}.{kind}{ending}" for kind in ("float", "int8")}
        sizes = {kind: path.stat().st_size for kind, path in files.items()}
        # The float32 that a user has otherwise.
        files["onnxruntime"] = args.work / f"{name}.float.onnx"
        speeds = []
        for threads in args.threads:
            runs = {
                kind: INT8_FORMATS[path.suffix].open(path, threads=threads)
                for kind, path in files.items()
            }
            times = time_in_turns(
                {kind: partial(run, image) for kind, run in runs.items()},
                rounds=args.rounds, warmup=2,
            )  # fmt: skip
            # The processor's time: what other jobs take beside it does not count.
            timings = {kind: summary(of.worked_ms) for kind, of in times.items()}
            ratio, beside = (
                timings[kind].median_ms / timings["int8"].median_ms
                for kind in ("float", "onnxruntime")
            )
            speeds.append(
                {"threads": threads, "lr_size": [height, width], "times_as_fast": round(ratio, 3),
                 "times_as_fast_as_onnxruntime": round(beside, 3),
                 **{kind: dataclasses.asdict(timing) for kind, timing in timings.items()}}
            )  # fmt: skip
            ms = {kind: f"{timing.median_ms:.1f} ms" for kind, timing in timings.items()}
            print(f"{name}, {threads} threads: {ms}, {ratio:.2f} times as fast", flush=True)
        scores = args.work / f"{name}.score.json"
        networks[name] = {
            "made": json.loads(made.read_text()),
            "test_sets": json.loads(scores.read_text()) if scores.is_file() else {},
            "speed": speeds,
            "bytes": sizes,
            "share_of_bytes": round(sizes["int8"] / sizes["float"], 4),
        }
    kept = RESULTS / f"{args.result}.json"
    notes = json.loads(kept.read_text()).get("notes", []) if kept.is_file() else []
    goals = GOALS[args.result]
    print(write_result(args.result, {"goals": goals, "networks": networks, "notes": notes}))


def main() -> None:
    """One of the three parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parts = parser.add_subparsers(required=True)
    first = parts.add_parser("make")
    first.add_argument("--data", type=Path, required=True)
    first.add_argument("--network", dest="networks", type=named, action="append", required=True)
    first.add_argument("--max-drop", type=float, default=0.025)
    first.add_argument("--keep-float", type=named, action="append", default=[])
    first.add_argument("--qat-steps", type=int)
    first.add_argument("--calibration", default="best")
    first.add_argument("--ending", choices=sorted(INT8_FORMATS), default=".onnx")
    first.set_defaults(run=make)
    second = parts.add_parser("score")
    second.add_argument("--set", dest="sets", type=named, action="append", required=True)
    second.set_defaults(run=score)
    third = parts.add_parser("time")
    third.add_argument("--rounds", type=int, default=11)
    third.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    third.add_argument("--result", choices=sorted(GOALS), default="quantize")
    third.set_defaults(run=timed)
    for part in (first, second, third):
        part.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    print(header_line())
    args.run(args)


if __name__ == "__main__":
    main()
