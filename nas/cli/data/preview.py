"""``nas data preview``: a picture of what networks are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nas.cli.lines import one_line, say
from nas.cli.options import OUTPUT, Data, Degradation, Force, Lr, Scale, option
from nas.cli.targets import check_target
from search_spaces.errors import InputError

__all__ = ["preview"]


def preview(
    output: Annotated[Path, option("The .png to write.", *OUTPUT)],
    data: Data = None,
    lr: Lr = None,
    degradation: Degradation = None,
    scale: Scale = 4,
    patch: Annotated[int, option("Side of the HR patches, pixels.")] = 128,
    samples: Annotated[int, option("So many patches.")] = 8,
    seed: Annotated[int, option("Of the patches and of their degradation.")] = 0,
    force: Force = False,
) -> None:
    """Draw training patches: HR, and LR enlarged pixel by pixel beside it, with what was drawn.

    They are the first patches of a training with that seed and as many patches a step.
    """
    from nas.cli.data.sheet import drawn
    from nas.data import Patches, load_dataset
    from nas.data.places import PhotoPlaces
    from search_spaces.files import atomic_path

    check_target(output, force=force)
    if output.suffix.lower() != ".png":
        raise InputError(f"--output: expected a name in .png, got {output}")
    if patch < scale:
        raise InputError(f"--patch: expected at least {scale}, got {patch}")
    if not 1 <= samples <= 100:
        raise InputError(f"--samples: expected 1 to 100, got {samples}")
    places = PhotoPlaces.of(data, None, lr, None, degradation)
    photos = load_dataset(scale, places, lr_size=patch // scale)
    patches = Patches(photos.train, scale, lr_size=patch // scale, batch=samples, seed=seed)
    sheet = drawn(patches.batch(0), patches.said(0), scale)
    with atomic_path(output) as temporary:
        sheet.save(temporary, "PNG")
    side = patch // scale
    say(one_line(f"Photos {photos.name}: {len(photos.train)} to train on"))
    print(one_line(
        f"Picture {output}: {samples} patches, HR {side * scale} x {side * scale} pixels at the "
        f"left, LR {side} x {side} at the right"
    ))  # fmt: skip
