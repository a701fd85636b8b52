r"""Published networks on published test sets: what we measure beside what papers state.

    python -m benchmarks.published_networks --set Set5=DIR --set Set14=DIR \
        --network IMDN=imdn_x2.safetensors --network E-RFDN=e_rfdn_x4.safetensors

The networks come from ``nas import``. Bicubic enlargement is measured at x2, x3 and x4.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.data.degradation import bicubic_up
from nas.evaluate.benchmark import Enlarge, TestSet, evaluate_set
from nas.evaluate.exact import exact_convolutions
from nas.evaluate.upscale import upscale
from reports.published import published_results
from search_spaces import load


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

    entrants = [("Bicubic", bicubic(scale), scale) for scale in (2, 3, 4)]
    entrants += [(name, *network(path)) for name, path in args.networks]
    print(header_line())
    rows: list[dict[str, Any]] = []
    with exact_convolutions():
        for name, enlarge, scale in entrants:
            for set_name, folder in args.sets:
                quality = evaluate_set(enlarge, TestSet.open(set_name, folder, scale))
                stated = published(name, set_name, scale)
                rows.append(
                    {
                        "network": name,
                        "test_set": set_name,
                        "scale": scale,
                        "psnr_y_db": round(quality.psnr_y_db, 5),
                        "ssim_y": round(quality.ssim_y, 6),
                        "published": stated,
                    }
                )
                told = f"{stated['psnr_db']:.2f} / {stated['ssim']:.4f}" if stated else "-"
                print(
                    f"{name:8} x{scale} {set_name:6} "
                    f"{quality.psnr_y_db:.4f} / {quality.ssim_y:.5f}  published {told}",
                    flush=True,
                )
    print(f"written to {write_result('published_networks', {'results': rows}).name}")


if __name__ == "__main__":
    main()
