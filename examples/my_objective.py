"""Objectives of one's own: `nas search --import examples/my_objective.py --objectives psnr,file`.

One is a price: the architecture alone says it, so it is known before a network is trained and may
have a budget, such as `--budget 60KB-file`. The other is a worth: a trained network is asked for
it at every rung, so that it has a say in who goes on (`--objectives psnr,worst,params`).
"""

from __future__ import annotations

from collections.abc import Sequence

from nas.data import Photo
from nas.evaluate.validate import validate
from nas.objectives import Objective, add_objective
from search_spaces import Architecture, Network, price


def file_kb(architecture: Architecture, hr: tuple[int, int]) -> float:
    """What the weights take in a file, at two bytes each, in KB."""
    return 2 * price(architecture).params / 1000


def worst_db(network: Network, photos: Sequence[Photo]) -> float:
    """PSNR-Y of the validation photo that comes out worst, dB."""
    arch = network.architecture
    each = (validate(network, [photo], arch.scale, colors=arch.colors) for photo in photos)
    return min(quality.psnr_y_db for quality in each)


add_objective(
    Objective(
        "file", False, "KB", "File", units={"KB": 1.0, "MB": 1000.0}, example="60KB-file",
        price=file_kb,
    )
)  # fmt: skip
add_objective(Objective("worst", True, "dB", "Worst photo", digits=3, noise=0.03, worth=worst_db))
