"""A file of another maker tried in a process of its own, which it may end.

LiteRT checks that a file is laid out by its schema, and believes the rest: an operator that reads
a tensor too few, or strides by 0, ends the process. Run as a program it needs LiteRT and numpy
alone, and so begins at once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["survived"]

_SIDES = {0: 1, 1: 32, 2: 33}
"""Of what is free: the number of images, height and width."""

_LIMIT_S = 60


def survived(path: Path) -> bool:
    """Whether LiteRT gets to an end with a file, be it a refusal."""
    try:
        # -P: it finds none of the modules beside it by their short names.
        done = subprocess.run(
            [sys.executable, "-P", __file__, str(path)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _tried(path: str) -> None:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=Path(path).read_bytes(), num_threads=1)
        interpreter.allocate_tensors()
        for one in interpreter.get_input_details():
            sides = [_SIDES.get(k, 1) if n < 0 else n for k, n in enumerate(one["shape_signature"])]
            interpreter.resize_tensor_input(one["index"], sides)
        interpreter.allocate_tensors()
        for one in interpreter.get_input_details():
            interpreter.set_tensor(one["index"], np.zeros(one["shape"], one["dtype"]))
        for _ in range(2):
            interpreter.invoke()
    # What it says of them is what whoever opens the file is told.
    except (ValueError, RuntimeError, TypeError):
        return


if __name__ == "__main__":
    _tried(sys.argv[1])
