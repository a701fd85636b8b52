"""A program: whether LiteRT gets to an end with a file, be it a refusal.

LiteRT checks that a file is laid out by its schema, and believes the rest: an operator that reads
a tensor too few, or strides by 0, ends the process. The program needs LiteRT and numpy alone, and
so begins at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

_SIDES = {0: 1, 1: 32, 2: 33}
"""Of what is free: the number of images, height and width."""


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
