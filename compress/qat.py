"""Quantisation-aware fine-tuning: weights that are used to being rounded.

torchao's pt2e flow puts rounding into the exported training graph, where the integer graph will
round: before and after every convolution, and its weights by output channel. What is trained
are the network's own weights: the result is a network like any other.

Source: Jacob et al., CVPR 2018, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", section 3.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compress.fold import fold
from nas.data import Patches, Photo
from nas.deploy.int8_graph import quiet_logs
from nas.training.loop import OnStep, train
from nas.training.recipe import Recipe
from nas.training.state import start
from search_spaces.extras import need
from search_spaces.network import Network, build

__all__ = ["need_torchao", "qat"]

_CONVOLUTIONS = ("conv2d", "conv_transpose2d")
_BETWEEN = ("leaky_relu", "relu", "add", "cat", "mul", "sigmoid")


def need_torchao() -> None:
    """Raises MissingExtra where the extra ``quantize`` is not installed."""
    need("quantisation-aware fine-tuning", "quantize", "torchao")


def qat(
    network: Network,
    photos: Sequence[Photo],
    recipe: Recipe,
    *,
    float_layers: Collection[str] = (),
    on_step: OnStep | None = None,
) -> Network:
    """A folded copy whose rounded outputs were trained towards the network's own, unrounded.

    Args:
        network: the teacher; it stays as it is.
        photos: HR photos to train on; no ground truth of theirs is used.
        recipe: steps, batch, patches and learning rate; always in float32.
        float_layers: layers that are not rounded.
        on_step: called with the steps done, and the loss.

    Raises:
        InputError: torchao is not installed, or a photo holds no patch.
        Diverged: the training did not hold.
    """
    need_torchao()
    recipe = recipe.replace(precision="fp32")
    lean = fold(network).network
    arch = lean.architecture
    patches = Patches.of(photos, arch.scale, recipe)
    teacher = copy.deepcopy(lean).eval().requires_grad_(False)
    shape = (recipe.batch, arch.colors, recipe.lr_size, recipe.lr_size)
    with _quiet():
        rounded = _Graph(_insert_rounding(lean, torch.rand(shape), frozenset(float_layers)))

    def mimicry(student: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = teacher(lr)
        return F.mse_loss(student(lr), wanted).sqrt()

    state = start(rounded, recipe, colors=arch.colors)
    train(state, patches, recipe, on_step=on_step, objective=mimicry)
    with _quiet():
        learnt = state.averaged().state_dict()
    made = build(arch)
    made.load_state_dict({name: learnt[f"graph.{name}"] for name in made.state_dict()})
    return made.eval()


def _insert_rounding(network: Network, example: Tensor, float_layers: frozenset[str]) -> nn.Module:
    from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e

    copied = copy.deepcopy(network).train().requires_grad_(True)
    graph = torch.export.export(copied, (example,), strict=False).module()
    prepared: nn.Module = prepare_qat_pt2e(graph, _quantizer(float_layers))
    return prepared


def _quantizer(float_layers: frozenset[str]) -> Any:
    from torchao.quantization.pt2e import (
        FusedMovingAvgObsFakeQuantize,
        MovingAverageMinMaxObserver,
        MovingAveragePerChannelMinMaxObserver,
    )
    from torchao.quantization.pt2e.quantizer import (
        QuantizationAnnotation,
        QuantizationSpec,
        Quantizer,
    )

    rounding = FusedMovingAvgObsFakeQuantize.with_args
    values = QuantizationSpec(
        dtype=torch.uint8, quant_min=0, quant_max=255, qscheme=torch.per_tensor_affine,
        observer_or_fake_quant_ctr=rounding(observer=MovingAverageMinMaxObserver),
    )  # fmt: skip
    weights = QuantizationSpec(
        dtype=torch.int8, quant_min=-127, quant_max=127, qscheme=torch.per_channel_symmetric,
        ch_axis=0,
        observer_or_fake_quant_ctr=rounding(observer=MovingAveragePerChannelMinMaxObserver),
    )  # fmt: skip

    class AsOnnxRuntime(Quantizer):  # type: ignore[misc]
        """Rounds where ONNX Runtime's static quantisation does."""

        def annotate(self, model: torch.fx.GraphModule) -> torch.fx.GraphModule:
            for node in model.graph.nodes:
                kind = _kind(node)
                if kind in _CONVOLUTIONS:
                    if str(node.args[1].target).removesuffix(".weight") in float_layers:
                        continue
                    # A transposed convolution's channels lie on another axis: left as it is.
                    taken = {node.args[0]: values}
                    if kind == "conv2d":
                        taken[node.args[1]] = weights
                    note = QuantizationAnnotation(taken, values, _annotated=True)
                elif kind in _BETWEEN:
                    note = QuantizationAnnotation({}, values, _annotated=True)
                else:
                    continue
                node.meta["quantization_annotation"] = note
            return model

        def validate(self, model: torch.fx.GraphModule) -> None:
            """Nothing to check: what is not annotated stays in float32."""

    return AsOnnxRuntime()


def _kind(node: torch.fx.Node) -> str:
    packet = getattr(node.target, "overloadpacket", None)
    if node.op != "call_function" or packet is None:
        return ""
    return str(packet).rpartition(".")[2].removesuffix("_")


class _Graph(nn.Module):
    """An exported graph, which has no modes to change."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors, H, W), rounded on the way."""
        out: Tensor = self.graph(image)
        return out

    def train(self, mode: bool = True) -> _Graph:
        """Does nothing."""
        return self


@contextmanager
def _quiet() -> Iterator[None]:
    # torchao logs which of its GPU kernels do not load, and torch warns of its own future.
    with quiet_logs(), warnings.catch_warnings(action="ignore"):
        yield
