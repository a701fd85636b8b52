"""A device that is none: prints what a network would take, by a known cost, with faults on demand.

``python benchmarks/fake_device.py FILE HEIGHT WIDTH [FAULTS]``: 3 ms and 1e-9 ms for each
multiply-add of the convolutions in an ONNX file, or 1e-3 ms for each byte of another file. FAULTS
is a file with a word a line, of which each call takes the first one away: ``dies``, ``nonsense``,
``hangs`` or ``well``. It imports nothing of ours and, but for ONNX, nothing heavy.
"""

import sys
import time
from math import prod

BASE_MS, MS_PER_MAC, MS_PER_BYTE = 3.0, 1e-9, 1e-3


def main() -> int:
    """Answers one call; the exit code."""
    file, height, width, *faults = sys.argv[1:]
    fault = _next(faults[0]) if faults else "well"
    if fault == "dies":
        print("device: no route to host", file=sys.stderr)
        return 255
    if fault == "nonsense":
        print("segmentation fault (core dumped)")
        return 0
    if fault == "hangs":
        time.sleep(3600)
    print(f"warm-up done\n{file}: {cost_ms(file, int(height), int(width)):.6f} ms")
    return 0


def cost_ms(file: str, height: int, width: int) -> float:
    """What the device takes for a network's file at an input of this size."""
    if file.endswith(".onnx"):
        return BASE_MS + MS_PER_MAC * _macs(file, height, width)
    with open(file, "rb") as opened:
        return BASE_MS + MS_PER_BYTE * len(opened.read())


def _macs(file: str, height: int, width: int) -> int:
    import onnx

    model = onnx.load(file)
    for dim, size in zip(
        model.graph.input[0].type.tensor_type.shape.dim, (1, None, height, width), strict=True
    ):
        if size is not None:
            dim.dim_value = size
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim]
        for one in (*graph.value_info, *graph.output)
    }
    weights = {one.name: one.dims for one in graph.initializer}
    return sum(
        prod(weights[node.input[1]]) * prod(shapes[node.output[0]][2:])
        for node in graph.node
        if node.op_type == "Conv"
    )


def _next(faults: str) -> str:
    with open(faults, encoding="utf-8") as opened:
        first, *rest = opened.read().split() or ["well"]
    with open(faults, "w", encoding="utf-8") as opened:
        opened.write("\n".join(rest))
    return first


if __name__ == "__main__":
    sys.exit(main())
