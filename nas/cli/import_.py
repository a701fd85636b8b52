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
    output: Annotated[Path, option("The .safetensors to write.", *OUTPUT)],
    preset: Annotated[
        str | None,
        option("Which published system it is (see nas presets). Default: found out."),
    ] = None,
    scale: Annotated[int | None, option("2, 3 or 4. Default: found out.")] = None,
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
    from search_spaces.checkpoints import find_checkpoint

    found = find_checkpoint(file, preset, scale, layouts=layout or ())
    print(f"{file}: {found.told}")
    network = found.network()
    save_weights(network, output)
    arch = network.architecture
    print(f"{output}: {price(arch).params:,} parameters, hash {arch.hash}")
