"""A draft in int8 as a torch module: what its file computes, with gradients.

Every map that the file rounds is rounded here, on the same grid; in between, whole numbers are
floats that stand for them. Rounding passes gradients on as they are, and so do the ends of grids to
themselves (Esser et al., "Learned step size quantization", ICLR 2020; Bhalgat et al., "LSQ+",
CVPR 2020 workshops).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.deploy.litert.draft import Grid, Step
from nas.deploy.litert.grids import FIXED, LEAST, MOST, room
from nas.deploy.litert.origins import moved
from nas.deploy.litert.rounding import Rounding
from nas.deploy.onnx_graph import Graph

__all__ = ["Simulation"]

_CHANNELS_LAST = (0, 2, 3, 1)
_AXES = {0: 0, 1: 2, 2: 3, 3: 1}
# By what share of itself an end of a grid grows with each unit of its parameter: so it goes as far
# in a step as ten levels, and never past 0.
_PACE = 10 / MOST


class Simulation(nn.Module):
    """The draft's maps on its grids; parameters count in steps of what they change, from 0.

    Args:
        rounding: the draft, in int8 or partly.
        graph: that it was made of. Weights and biases learn that have one place in it each.
    """

    def __init__(self, rounding: Rounding, graph: Graph) -> None:
        super().__init__()
        self.rounding, self.graph, self._draft = rounding, graph, rounding.draft
        self.moved = moved(graph, dict(rounding.layers.values()))
        draft, image = self._draft, rounding.ends[0].number
        self._values = {
            number: _first(torch.from_numpy(np.array(values)))
            for number, values in draft.values.items()
        }
        exact = [s.output.number for s in draft.steps if s.inputs[0].number == image]
        fixed = {*FIXED.values(), *(draft.grids[k] for k in exact if k in draft.grids)}
        found = dict.fromkeys(
            draft.grids[s.output.number] for s in draft.steps if s.output.number in draft.grids
        )
        self._place = {grid: k for k, grid in enumerate(one for one in found if one not in fixed)}
        self.ends = nn.Parameter(torch.zeros(len(self._place), 2))
        self._begun = {k: self._begin(draft.steps[k]) for k in rounding.layers}
        self.kernels, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for k, (kernels, biases, _, _) in self._begun.items():
            learns = [places is not None for places in self.moved[rounding.layers[k][0]]]
            self.kernels[str(k)] = nn.Parameter(torch.zeros_like(kernels), learns[0])
            self.biases[str(k)] = nn.Parameter(torch.zeros_like(biases), learns[1])

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors, H, W)."""
        given, wanted = (one.number for one in self.rounding.ends)
        maps: dict[int, Tensor] = {given: image}
        numbers = self._numbers()
        for k, step in enumerate(self._draft.steps):
            maps[step.output.number] = self._made(k, step, maps, numbers)
        return maps[wanted]

    def layer(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of a step: kernels before and after they are rounded, and biases, as the walk has them.

        Kernels lie as in torch.
        """
        kernels, biases = self._layer(k)
        wide = self._widened(self._draft.steps[k].inputs[0].number)
        return kernels, _on_own_grid(kernels / wide) * wide, biases

    def grid(self, grid: Grid) -> Grid:
        """What has become of a grid of the draft."""
        if grid not in self._place:
            return grid
        step, zero = (float(one[self._place[grid]].detach()) for one in self._numbers())
        return Grid((step,), round(zero))

    def _begin(self, step: Step) -> tuple[Tensor, Tensor, Tensor, float]:
        """Kernels and biases at first, and the steps that they are changed by."""
        source, *weights = (one.number for one in step.inputs)
        kernels, biases = (self._real(number) for number in weights)
        steps = torch.tensor(self._draft.grids[weights[0]].steps).reshape(-1, 1, 1, 1)
        if step.operator == "DEPTHWISE_CONV_2D":
            kernels = kernels.transpose(0, 1)
        wide = self._widened(source)
        (out,) = self._draft.grids[step.output.number].steps
        return kernels * wide, biases, steps * wide, out

    def _layer(self, k: int) -> tuple[Tensor, Tensor]:
        kernels, biases, step, out = self._begun[k]
        return kernels + step * self.kernels[str(k)], biases + out * self.biases[str(k)]

    def _widened(self, number: int) -> Tensor:
        """How many times as large as in the walk the channels of a map are."""
        parts = self.rounding.joined.get(number, [(1, None)])
        factors = [torch.full((count,), self._factor(wide)) for count, wide in parts]
        return torch.cat(factors).reshape(1, -1, 1, 1)

    def _factor(self, number: int | None) -> float:
        return 1.0 if number is None else room(*map(self.grid, self.rounding.wider[number]))

    def _real(self, number: int) -> Tensor:
        """A constant, in what its numbers stand for."""
        values, grid = self._values[number], self._draft.grids.get(number)
        if grid is None:
            return values
        steps = torch.tensor(grid.steps)
        if len(grid.steps) > 1:
            axis = _AXES[grid.axis] if values.ndim == 4 else 0
            steps = steps.reshape([-1 if k == axis else 1 for k in range(values.ndim)])
        return (values.float() - grid.zero) * steps

    def _numbers(self) -> tuple[Tensor, Tensor]:
        """Step and zero of every grid."""
        before = torch.tensor([(g.steps[0], g.zero) for g in self._place]).reshape(-1, 2)
        step, zero = before.unbind(1)
        least, most = (
            (end - zero) * step * torch.exp(_PACE * self.ends[:, k])
            for k, end in enumerate((LEAST, MOST))
        )
        now = ((most - least) / (MOST - LEAST)).clamp_min(1e-12)
        return now, (LEAST - least / now).clamp(LEAST, MOST)

    def _made(
        self, k: int, step: Step, maps: Mapping[int, Tensor], numbers: tuple[Tensor, Tensor]
    ) -> Tensor:
        taken = [
            maps[one.number] if one.number in maps else self._real(one.number)
            for one in step.inputs
        ]
        if k in self._begun:
            kernels, taken[2] = self._layer(k)
            taken[1] = _on_own_grid(kernels / self._widened(step.inputs[0].number))
        elif step.operator == "DEPTHWISE_CONV_2D":
            taken[1] = taken[1].transpose(0, 1)
        elif step.output.number in self.rounding.wider:
            taken[1] = torch.tensor(self._factor(step.output.number))
        options: Mapping[str, Any] = next(iter(step.options.values()), {})
        out = _OPERATORS[step.operator](options, *taken)
        grid = self._draft.grids.get(step.output.number)
        if grid is None:
            return out
        if grid in self._place:
            one, zero = (of[self._place[grid]] for of in numbers)
        else:
            one, zero = torch.tensor(grid.steps[0]), torch.tensor(float(grid.zero))
        rounded: Tensor = torch._fake_quantize_learnable_per_tensor_affine(
            out, one.reshape(1), zero.reshape(1), LEAST, MOST, 1.0
        )
        return rounded


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, values: Tensor) -> Tensor:
        return values.round()

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return gradient


def _on_own_grid(kernels: Tensor) -> Tensor:
    steps = kernels.detach().abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-30) / MOST
    levels: Tensor = _Whole.apply(kernels / steps)  # type: ignore[no-untyped-call]
    return levels * steps


def _first(values: Tensor) -> Tensor:
    """Channels first, also of what is spread over maps."""
    return values.movedim(-1, -3) if values.ndim > 2 else values


def _convolution(options: Mapping[str, Any], x: Tensor, kernels: Tensor, biases: Tensor) -> Tensor:
    stride = (options["strideH"], options["strideW"])
    dilation = (options["dilationHFactor"], options["dilationWFactor"])
    groups = x.shape[1] // kernels.shape[1]
    if options["padding"] == 0:
        pairs = [
            ((side - 1) * wide // 2, (side - 1) * wide - (side - 1) * wide // 2)
            for side, wide in zip(kernels.shape[2:], dilation, strict=True)
        ]
        if all(before == after for before, after in pairs):
            around = tuple(before for before, _ in pairs)
            return F.conv2d(x, kernels, biases, stride, around, dilation, groups)
        x = F.pad(x, (*pairs[1], *pairs[0]))
    return F.conv2d(x, kernels, biases, stride, 0, dilation, groups)


def _window(options: Mapping[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Sides and strides."""
    sides = options["filterHeight"], options["filterWidth"]
    return sides, (options["strideH"], options["strideW"])


def _joined(options: Mapping[str, Any], *maps: Tensor) -> Tensor:
    return torch.cat(maps, dim=_AXES[options["axis"]])


def _cut(options: Mapping[str, Any], x: Tensor, *ends: Tensor) -> Tensor:
    begin, end, by = (one.tolist() for one in ends)
    for axis in range(x.ndim):
        first = None if options["beginMask"] >> axis & 1 else begin[axis]
        last = None if options["endMask"] >> axis & 1 else end[axis]
        where = [slice(None)] * x.ndim
        where[_AXES[axis] if x.ndim == 4 else axis] = slice(first, last, by[axis])
        x = x[tuple(where)]
    return x


def _mean(options: Mapping[str, Any], x: Tensor, axes: Tensor) -> Tensor:
    return x.mean(dim=[_AXES[axis] for axis in axes.tolist()], keepdim=options["keepDims"])


def _around(_options: Mapping[str, Any], x: Tensor, sides: Tensor) -> Tensor:
    _, rows, columns, _ = sides.tolist()
    return F.pad(x, (*columns, *rows))


def _shuffle(options: Mapping[str, Any], x: Tensor) -> Tensor:
    """Channels in LiteRT's order: those of a pixel lie together."""
    side = options["blockSize"]
    n, channels, height, width = x.shape
    squares = x.reshape(n, side, side, channels // side**2, height, width)
    return squares.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, height * side, width * side)


def _resized(_options: Mapping[str, Any], x: Tensor, size: Tensor) -> Tensor:
    return F.interpolate(x, size.tolist(), mode="bilinear", align_corners=False)


def _shape(_options: Mapping[str, Any], x: Tensor) -> Tensor:
    return torch.tensor([x.shape[axis] for axis in _CHANNELS_LAST])


def _plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda _options, *taken: function(*taken)


_OPERATORS: Mapping[str, Callable[..., Tensor]] = {
    "QUANTIZE": _plain(lambda x: x),
    # It widens weights of 16 bits, too.
    "DEQUANTIZE": _plain(lambda x: x.float()),
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "ADD": _plain(torch.add),
    "SUB": _plain(torch.sub),
    "MUL": _plain(torch.mul),
    "DIV": _plain(torch.div),
    "POW": _plain(torch.pow),
    "MAXIMUM": _plain(torch.maximum),
    "MINIMUM": _plain(torch.minimum),
    "RELU": _plain(F.relu),
    "LEAKY_RELU": lambda options, x: F.leaky_relu(x, options["alpha"]),
    "PRELU": _plain(lambda x, slopes: torch.where(x > 0, x, slopes * x)),
    "LOGISTIC": _plain(torch.sigmoid),
    "TANH": _plain(torch.tanh),
    "GELU": lambda options, x: F.gelu(x, approximate="tanh" if options["approximate"] else "none"),
    "SQRT": _plain(torch.sqrt),
    "NEG": _plain(torch.neg),
    "ABS": _plain(torch.abs),
    "EXP": _plain(torch.exp),
    "CONCATENATION": _joined,
    "STRIDED_SLICE": _cut,
    "MEAN": _mean,
    "MAX_POOL_2D": lambda options, x: F.max_pool2d(x, *_window(options)),
    "AVERAGE_POOL_2D": lambda options, x: F.avg_pool2d(x, *_window(options)),
    "DEPTH_TO_SPACE": _shuffle,
    "PAD": _around,
    "RESIZE_BILINEAR": _resized,
    "SHAPE": _shape,
}
