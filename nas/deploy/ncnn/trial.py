"""A file of another maker tried in a process of its own, which it may end.

ncnn believes what it reads: a width that does not fit the layer before is memory written where
there is none. What is known of its layers (`known.py`) refuses most of that, and this the rest. Run
as a program it needs ncnn and numpy alone, and so begins at once.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["survived"]

_SIDES_PX = (32, 33)
_LIMIT_S = 60


def survived(param: Path, weights: Path, read: str, made: str, colors: int) -> bool:
    """Whether ncnn loads the files and enlarges a small image, twice, and ends well.

    Args:
        param: path of the .param file.
        weights: path of the .bin file.
        read: name of the image.
        made: name of the result.
        colors: of the image.
    """
    words = [str(param), str(weights), read, made, str(colors)]
    try:
        # -P: it finds none of the modules beside it by their short names.
        done = subprocess.run(
            [sys.executable, "-P", __file__, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _tried(param: str, weights: str, read: str, made: str, colors: str) -> int:
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
