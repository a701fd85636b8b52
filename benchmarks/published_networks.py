r"""Published networks on published test sets: what we measure beside what papers state.

    python -m benchmarks.published_networks --set Set5=DIR --set Set14=DIR \
        --network IMDN=imdn_x2.safetensors --network E-RFDN=e_rfdn_x4.safetensors \
        --network RLFN=rlfn_x4.safetensors --network SPAN=span28_x4.safetensors \
        --network DISP=disp_x4.safetensors --network SPANV2=spanv2_x4.safetensors

The networks come from ``nas import``. Bicubic enlargement is measured at x2, x3 and x4. Each
network is exported to ONNX as well, and its outputs there are compared on the same images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.data.degradation import bicubic_up
from nas.deploy.onnx_file import export_onnx, open_session
from nas.deploy.parity import runner
from nas.evaluate.benchmark import Enlarge, TestSet, evaluate_set
from nas.evaluate.exact import exact_convolutions
from nas.evaluate.upscale import upscale
from reports.published import published_results
from search_spaces import load

# By the published code, with the same weights and the same protocol; measured once.
BY_PUBLISHED_CODE = {
    ("IMDN", "Set5"): (37.9960, 0.96049), ("IMDN", "Set14"): (33.6266, 0.91773),
    ("E-RFDN", "Set5"): (32.1589, 0.89459), ("E-RFDN", "Set14"): (28.6451, 0.78246),
    ("RLFN", "Set5"): (32.0973, 0.89387), ("RLFN", "Set14"): (28.5980, 0.78152),
    ("SPAN", "Set5"): (31.7390, 0.88974), ("SPAN", "Set14"): (28.4009, 0.77683),
    ("DISP", "Set5"): (31.9377, 0.89183), ("DISP", "Set14"): (28.4654, 0.77850),
    ("SPANV2", "Set5"): (31.7681, 0.88958), ("SPANV2", "Set14"): (28.3805, 0.77667),
}  # fmt: skip


def named(text: str) -> tuple[str, Path]:
    """NAME=PATH in two."""
    name, _, path = text.partition("=")
    return name, Path(path)


def bicubic(scale: int) -> Enlarge:
    """Bicubic enlargement."""
    return lambda lr: bicubic_up(lr, scale)


def network(path: Path) -> tuple[Enlarge, int]:
    """The network in a file, and its scale."""
    net = load(path).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    arch = net.architecture
    return lambda lr: upscale(net, lr, arch.scale, colors=arch.colors), arch.scale


def onnx_difference(path: Path, test_set: TestSet) -> float:
    """The largest between ONNX Runtime's outputs and the network's on a set's images in 0..1."""
    net = load(path)
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(net, file := Path(folder) / "net.onnx")
        run = open_session(file, threads=torch.get_num_threads())
    worst = 0.0
    for number in range(len(test_set)):
        planes = test_set.reference(number).lr.transpose(2, 0, 1)[None]
        image = np.ascontiguousarray(planes, np.float32) / np.float32(255)
        worst = max(worst, float(np.abs(run(image) - runner(net)(image)).max()))
    return worst


def published(name: str, test_set: str, scale: int) -> dict[str, float | None]:
    """What a paper states: the row with a table of all methods where there are several."""
    found = [r for r in published_results() if (r.network, r.test_set, r.scale) ==
             (name, test_set, scale)]  # fmt: skip
    found.sort(key=lambda row: row.table != "Table 3")
    return {"psnr_db": found[0].psnr_db, "ssim": found[0].ssim} if found else {}


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="sets", type=named, action="append", required=True)
    parser.add_argument("--network", dest="networks", type=named, action="append", default=[])
    args = parser.parse_args()

    entrants: list[tuple[str, Enlarge, int, Path | None]] = [
        ("Bicubic", bicubic(scale), scale, None) for scale in (2, 3, 4)
    ]
    entrants += [(name, *network(path), path) for name, path in args.networks]
    print(header_line())
    rows: list[dict[str, Any]] = []
    for name, enlarge, scale, path in entrants:
        for set_name, folder in args.sets:
            test_set = TestSet.open(set_name, folder, scale)
            with exact_convolutions():
                quality = evaluate_set(enlarge, test_set)
            stated = published(name, set_name, scale)
            onnx = None if path is None else onnx_difference(path, test_set)
            rows.append(
                {
                    "network": name,
                    "test_set": set_name,
                    "scale": scale,
                    "psnr_y_db": round(quality.psnr_y_db, 5),
                    "ssim_y": round(quality.ssim_y, 6),
                    "published": stated,
                    "by_published_code": BY_PUBLISHED_CODE.get((name, set_name)),
                    "onnx_difference": onnx,
                }
            )
            told = f"{stated['psnr_db']:.2f} / {stated['ssim']:.4f}" if stated else "-"
            print(
                f"{name:8} x{scale} {set_name:6} "
                f"{quality.psnr_y_db:.4f} / {quality.ssim_y:.5f}  published {told}"
                + (f"  ONNX within {onnx:.1e}" if onnx is not None else ""),
                flush=True,
            )
    print(f"written to {write_result('published_networks', {'results': rows}).name}")


if __name__ == "__main__":
    main()
