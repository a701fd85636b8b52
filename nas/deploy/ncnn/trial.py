"""A program: whether ncnn loads the two files and enlarges a small image, twice, and ends well.

ncnn believes what it reads: a width that does not fit the layer before is memory written where
there is none. What is known of its layers (`known.py`) refuses most of that, and this the rest. The
program needs ncnn and numpy alone, and so begins at once.
"""

from __future__ import annotations

import sys

_SIDES_PX = (32, 33)


def _tried(param: str, weights: str, read: str, made: str, colors: str) -> int:
    """``read`` and ``made`` are the names of the image and of the result."""
    import ncnn
    import numpy as np

    net = ncnn.Net()
    net.opt.num_threads = 1
    failed = net.load_param(param) or net.load_model(weights)
    image = np.full((int(colors), *_SIDES_PX), 0.5, np.float32)
    for _ in range(2):
        if not failed:
            extractor = net.create_extractor()
            failed = extractor.input(read, ncnn.Mat(image).clone()) or extractor.extract(made)[0]
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(_tried(*sys.argv[1:]))
