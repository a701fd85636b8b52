"""Weights to begin a training with."""

from __future__ import annotations

from pathlib import Path

from nas.training.state import seeded
from search_spaces import Architecture, Network, build, load
from search_spaces.errors import InputError

__all__ = ["initial_network", "of_other_scale"]

_OF_SCALE = ("upsampler.", "image_skip.")


def initial_network(architecture: Architecture, init: Path | None, seed: int) -> Network:
    """The network with the weights of a .safetensors file, or fresh ones by the seed.

    Of a network of another scale all weights but those of upsampler and image skip are taken, as
    papers begin x3 and x4 with the weights of x2.

    Raises:
        InputError: a file that cannot be read, or of another network.
    """
    network = seeded(lambda: build(architecture), seed)
    if init is None:
        return network
    given = load(init)
    own, theirs = network.state_dict(), given.state_dict()
    differ = [
        name
        for name in sorted(own.keys() | theirs.keys())
        if name not in own or name not in theirs or own[name].shape != theirs[name].shape
    ]
    other_scale = given.architecture.scale != architecture.scale
    strange = [name for name in differ if not (other_scale and name.startswith(_OF_SCALE))]
    if strange:
        raise InputError(
            f"--init {init}: the weights are of another network ({len(strange)} tensors differ, "
            f"the first {strange[0]}); expected those of {architecture.hash}, of any scale"
        )
    if other_scale:
        theirs = {
            name: fresh if name.startswith(_OF_SCALE) else theirs[name]
            for name, fresh in own.items()
        }
    network.load_state_dict(theirs)
    return network


def of_other_scale(init: Path | None, scale: int) -> bool:
    """Whether a trunk is trained already and upsampler and image skip are fresh."""
    return init is not None and load(init).architecture.scale != scale
