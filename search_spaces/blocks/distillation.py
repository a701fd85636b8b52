"""The information-distillation block: one parametric block for IMDB, RFDB, MRDB and kin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS, AttentionPart
from search_spaces.blocks import distillation_options, distillation_pruning
from search_spaces.blocks.distillation_options import stage_outputs
from search_spaces.blocks.widths import Widths
from search_spaces.convs import CONVS, PLAIN, ConvPart
from search_spaces.layer import Layer, Size, conv, placed, scalars
from search_spaces.part import Part

__all__ = ["DistillationBlock"]

Width = Annotated[int, Ge(1)]


class DistillationBlock(nn.Module):
    """Stages of convolutions that set features aside, then a fusion and an attention.

    Stage k of ``stages`` convolves the stream; after all but the last, part of it is
    distilled: ``split`` cuts the first ``distilled[k]`` channels off the convolution's
    output (IMDN), ``fdc`` takes them by a convolution of their own beside it (feature
    distillation connection, RFDN eq. 9-10), ``none`` keeps a plain chain. The distilled
    parts and the last stage's output are concatenated, fused by a 1x1, weighted by
    attention, and joined with the block's input.

    Args:
        channels: width C of input and output.
        activation: the activation after every stage.
        stages: convolutions in the stream, the last one included.
        distillation: ``"none"``, ``"split"`` or ``"fdc"``; a single stage has nothing to distil.
        distilled: widths set aside after each stage but the last (one number: all alike).
        refined: widths that go on after each stage but the last (likewise).
        last: width of the last stage's output.
        distill_kernel: side of the distilling convolutions (``fdc`` only).
        distill_activation: activation on the distilled parts (``fdc`` only).
        convolution: the kind of the stream's convolutions.
        shallow_residual: each stage is act(conv(y) + y), RFDN's shallow residual block.
        last_residual: the same for the last stage.
        last_activation: activation after the last stage.
        distilled_first: ``split`` sets the first channels aside (else the last ones).
        distilled_attention: a part that every distilled slice passes through.
        fuse: a 1x1 convolution to C after the concatenation; without it the widths must
            add up to C.
        attention: the block's attention.
        attention_place: ``"before"`` or ``"after"`` the fusing 1x1.
        residual: how the block's input joins: ``"none"``, ``"output"`` (added at the end),
            ``"fuse"`` (added before the 1x1) or ``"weighted"`` (a*out + b*input, two
            learnable numbers that start at 1).

    Widths left out are filled in: ``distilled`` has no default but in a narrowing split
    (split with shallow residuals: C // stages); ``refined`` is C, or C - distilled for
    ``split``, or what is left over for a narrowing one.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        stages: Annotated[int, Ge(1), Le(16)],
        distillation: Literal["none", "split", "fdc"] | None = None,
        distilled: Widths = None,
        refined: Widths = None,
        last: Width | None = None,
        distill_kernel: Literal[1, 3] = 1,
        distill_activation: bool = True,
        convolution: ConvPart = PLAIN,
        shallow_residual: bool = False,
        last_residual: bool = False,
        last_activation: bool = True,
        distilled_first: bool = True,
        distilled_attention: AttentionPart | None = None,
        fuse: bool = True,
        attention: AttentionPart | None = None,
        attention_place: Literal["before", "after"] = "after",
        residual: Literal["none", "output", "fuse", "weighted"] = "output",
    ) -> None:
        super().__init__()
        # Canonical options carry everything, widths as tuples.
        assert distillation is not None
        assert isinstance(distilled, tuple)
        assert isinstance(refined, tuple)
        assert last is not None
        self.distillation, self.distilled, self.refined = distillation, distilled, refined
        self.shallow_residual, self.last_residual = shallow_residual, last_residual
        self.distilled_first, self.attention_place = distilled_first, attention_place
        inputs = (channels, *refined)
        outputs = stage_outputs(distillation, distilled, refined)
        self.stages = nn.ModuleList(
            CONVS.make(convolution, *widths) for widths in zip(inputs, outputs, strict=False)
        )
        beside = distilled if distillation == "fdc" else ()
        self.distill = nn.ModuleList(
            nn.Conv2d(i, o, distill_kernel, padding=distill_kernel // 2)
            for i, o in zip(inputs, beside, strict=False)
        )
        self.activations = _activations(activation, outputs, True)
        self.distill_activations = _activations(activation, beside, distill_activation)
        self.distilled_attention = nn.ModuleList(
            ATTENTIONS.make(distilled_attention, width)
            for width in distilled
            if distilled_attention is not None
        )
        self.last = CONVS.make(convolution, inputs[-1], last)
        (self.last_activation,) = _activations(activation, (last,), last_activation)
        total = sum(distilled) + last
        self.fuse = nn.Conv2d(total, channels, 1) if fuse else nn.Identity()
        place_width = total if attention_place == "before" else channels
        self.attention = (
            nn.Identity() if attention is None else ATTENTIONS.make(attention, place_width)
        )
        self.residual = residual
        if residual == "weighted":
            self.weights = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        kept: list[Tensor] = []
        stream = x
        for k, stage in enumerate(self.stages):
            y = stage(stream)
            y = self.activations[k](y + stream if self.shallow_residual else y)
            if self.distillation == "split":
                slice_, y = self._split(y, self.distilled[k], self.refined[k])
                kept.append(slice_)
            elif self.distillation == "fdc":
                kept.append(self.distill_activations[k](self.distill[k](stream)))
            stream = y
        if self.distilled_attention:
            kept = [gate(y) for gate, y in zip(self.distilled_attention, kept, strict=True)]
        y = self.last(stream)
        y = self.last_activation(y + stream if self.last_residual else y)
        y = torch.cat([*kept, y], dim=1) if kept else y
        if self.attention_place == "before":
            y = self.attention(y)
        y = self.fuse(y + x if self.residual == "fuse" else y)
        if self.attention_place == "after":
            y = self.attention(y)
        if self.residual == "weighted":
            y = y * self.weights[0] + x * self.weights[1]
        out: Tensor = y + x if self.residual == "output" else y
        return out

    def _split(self, y: Tensor, distilled: int, refined: int) -> tuple[Tensor, Tensor]:
        if self.distilled_first:
            return y[:, :distilled], y[:, distilled:]
        return y[:, refined:], y[:, :refined]

    @staticmethod
    def layers(channels: int, activation: Part, size: Size, **options: Any) -> Iterator[Layer]:
        """Every convolution of the block and its activation, from its canonical options."""
        distilled, refined, last = options["distilled"], options["refined"], options["last"]
        inputs = (channels, *refined)
        outputs = stage_outputs(options["distillation"], distilled, refined)
        for k, widths in enumerate(zip(inputs, (*outputs, last), strict=True)):
            yield from placed(f"stage{k + 1}", CONVS.layers(options["convolution"], *widths, size))
            if k < len(outputs) or options["last_activation"]:
                bend = ACTIVATIONS.layers(activation, widths[1])
                yield from placed(f"activation{k + 1}", bend)
        if options["distillation"] == "fdc":
            kernel = options["distill_kernel"]
            for k, (width_in, width) in enumerate(zip(inputs, distilled, strict=False)):
                yield conv(f"distill{k + 1}", width_in, width, kernel, size)
                if options["distill_activation"]:
                    bend = ACTIVATIONS.layers(activation, width)
                    yield from placed(f"distill_activation{k + 1}", bend)
        if options["distilled_attention"] is not None:
            for k, width in enumerate(distilled):
                gate = ATTENTIONS.layers(options["distilled_attention"], width, size)
                yield from placed(f"distilled_attention{k + 1}", gate)
        total = sum(distilled) + last
        if options["fuse"]:
            yield conv("fuse", total, channels, 1, size)
        if options["attention"] is not None:
            width = total if options["attention_place"] == "before" else channels
            gate = ATTENTIONS.layers(options["attention"], width, size)
            yield from placed("attention", gate)
        if options["residual"] == "weighted":
            yield scalars("weights", 2)

    canonical = staticmethod(distillation_options.canonical)
    widths = staticmethod(distillation_pruning.widths)
    unsplit = staticmethod(distillation_pruning.unsplit)


def _activations(activation: Part, widths: Iterable[int], wanted: bool) -> nn.ModuleList:
    made = (ACTIVATIONS.make(activation, width) if wanted else nn.Identity() for width in widths)
    return nn.ModuleList(made)
