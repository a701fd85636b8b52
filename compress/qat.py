"""Quantisation-aware fine-tuning: weights and ranges that are used to rounding.

The int8 file itself is simulated (`nas.deploy.litert.simulation`): what LiteRT rounds is rounded,
where it rounds it. Weights, biases and the ends of ranges learn to give what the network gives
unrounded, and the file is written of them.

Source: Jacob et al., CVPR 2018, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", section 3; Esser et al., ICLR 2020, "Learned step size
quantization".
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compress.calibration import Array
from nas.data import Patches, Photo
from nas.deploy.int8_graph import Ranges, put
from nas.deploy.onnx_graph import read_graph
from nas.training.loop import OnStep, train
from nas.training.recipe import Recipe
from nas.training.state import start
from search_spaces.extras import need
from search_spaces.network import Network

__all__ = ["need_litert", "qat"]


def need_litert() -> None:
    """Raises MissingExtra where the extra ``litert`` is not installed."""
    need("fine-tuning with rounding", "litert", "ai_edge_litert", "flatbuffers")


def qat(
    network: Network,
    path: Path,
    target: Path,
    photos: Sequence[Photo],
    recipe: Recipe,
    *,
    ranges: Ranges,
    rounded: Mapping[str, Array] | None = None,
    float_layers: Collection[str] = (),
    on_step: OnStep | None = None,
) -> tuple[Ranges, dict[str, Array]]:
    """Writes the float graph with weights and biases that are used to rounding.

    Args:
        network: the teacher, whose outputs are wanted; it stays as it is.
        path: its prepared float graph, folded or not.
        target: the graph to write.
        photos: HR photos to train on; no ground truth of theirs is used.
        recipe: steps, batch, patches and learning rate; always in float32. The learning rate counts
            in steps of 8 bits.
        ranges: of the graph's tensors, to start from.
        rounded: weights to start from, by layer; those left out are rounded to the nearest.
        float_layers: layers that are not rounded, and do not learn.
        on_step: called with the steps done, and the loss.

    Returns:
        Ranges, and by layer weights on the grid of 8 bits, to write an int8 file of the graph with.

    Raises:
        InputError: LiteRT is not installed, or a photo holds no patch.
        NotPossible: LiteRT has no word for an operator.
        Diverged: the training did not hold.
    """
    need_litert()
    import onnx

    from nas.deploy.litert.int8 import rounding_of
    from nas.deploy.litert.learnt import learnt
    from nas.deploy.litert.simulation import Simulation

    recipe = recipe.replace(precision="fp32")
    arch = network.architecture
    patches = Patches.of(photos, arch.scale, recipe)
    teacher = copy.deepcopy(network).eval().requires_grad_(False)
    model = onnx.load(str(path))
    graph = read_graph(model)
    draft = rounding_of(graph, ranges, float_layers=float_layers, rounded=rounded)
    student = Simulation(draft, graph)

    def mimicry(student: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = teacher(lr)
        return F.mse_loss(student(lr), wanted).sqrt()

    state = start(student, recipe, colors=arch.colors)
    train(state, patches, recipe, on_step=on_step, objective=mimicry)
    made = state.averaged()
    assert isinstance(made, Simulation)
    found = learnt(made, ranges)
    put(model, found.constants)
    onnx.save(model, str(target))
    return found.ranges, {**(rounded or {}), **found.rounded}
