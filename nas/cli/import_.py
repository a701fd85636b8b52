"""``nas import``: a published checkpoint as a network of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nas.cli.options import OUTPUT, Force, argument, option
from nas.cli.targets import check_target
from search_spaces.errors import InputError

__all__ = ["import_"]


def import_(
    file: Annotated[Path, argument("The checkpoint, a .pth file.")],
    preset: Annotated[str, option("Which published system it is: see nas presets.")],
    output: Annotated[Path, option("The .safetensors to write.", *OUTPUT)],
    scale: Annotated[int, option("2, 3 or 4.")] = 4,
    layout: Annotated[
        list[Path] | None,
        option("A key map (YAML) for weights that other code names; may be repeated."),
    ] = None,
    force: Force = False,
) -> None:
    """Import published weights: every one is used, nothing in the file is run."""
    if output.suffix != ".safetensors":
        raise InputError(f"--output: expected a name that ends in .safetensors, got {output}")
    check_target(output, force=force)
    from search_spaces import price, save_weights
    from search_spaces.checkpoints import import_checkpoint

    network = import_checkpoint(file, preset, scale, layouts=layout or ())
    save_weights(network, output)
    arch = network.architecture
    print(f"{output}: {preset} x{scale}, {price(arch).params:,} parameters, hash {arch.hash}")
