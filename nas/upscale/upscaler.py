"""A network made ready to enlarge images of any size, tile by tile."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nas.evaluate.exact import exact_convolutions
from nas.evaluate.memory import peak_memory_mb
from nas.evaluate.precision import best_device, resolve_precision
from nas.evaluate.zero_cost import draw_weights
from nas.upscale.colours import Alpha, enlarge_channels
from nas.upscale.pooled import Statistics, pool_together, samples
from nas.upscale.reach import receptive_radius
from nas.upscale.runtime_network import RuntimeNetwork
from nas.upscale.tiles import LEAST_TILE_PX, Span, Tiling, equal_spans, spans
from nas.upscale.whole_image import Frame, frame_attentions
from search_spaces.errors import InputError
from search_spaces.network import Network, build

__all__ = ["DEFAULT_OVERLAP_PX", "Upscaler"]

Pixels = npt.NDArray[np.uint8 | np.uint16]

DEFAULT_OVERLAP_PX = 48
"""For networks that see farther than this (ESA) or everywhere (CCA)."""

_PROBE_PX = 96
# A made-up image that is mostly dark and flat: its size, and how wide the noise at its left is.
_TRIED_PX, _NOISE_PX = (32, 320), 80
# Eight maps of 64 channels in float32.
_BYTES_OF_AN_UNKNOWN_NETWORK_PER_PX = 2048
_MOST_TILE_PX = 2048


class Upscaler:
    """Enlarges uint8 or uint16 images in bounded memory.

    The network runs in float32, channels_last. With ``fast`` its blocks run in bfloat16, but
    only where the device multiplies that natively; stem, fusion and upsampler stay exact,
    because rounding there goes straight into the pixels.

    Args:
        network: with its weights, of which a copy is used; or one that another runtime runs,
            on the CPU alone and never ``fast``. A file for images of one size gets tiles of that
            size, of which those of smaller images are filled up with the image's last pixels.
        device: as torch names it; default: the first GPU, else the CPU.
        fast: see above.
        tile: side of a tile in LR pixels; default: as large as ``memory_mb`` allows.
        overlap: pixels that tiles share with each neighbour; default: the network's
            receptive radius, or `DEFAULT_OVERLAP_PX` where that is larger or infinite.
        memory_mb: what weights and live tensors of a tile may take, in MB (10^6 bytes); with
            the scratch space of its operators a process takes about twice as much.
        alpha: how an alpha channel is enlarged.

    Raises:
        InputError: no such device, ``fast`` or a device with another runtime, or a tile or
            overlap that makes no sense.
    """

    def __init__(
        self,
        network: Network | RuntimeNetwork,
        *,
        device: str | None = None,
        fast: bool = False,
        tile: int | None = None,
        overlap: int | None = None,
        memory_mb: float = 256.0,
        alpha: Alpha = "bicubic",
    ) -> None:
        elsewhere = network if isinstance(network, RuntimeNetwork) else None
        if elsewhere is not None and (fast or device not in (None, "cpu")):
            raise InputError(
                f"{elsewhere.title} runs on the CPU in the file's own precision: leave --fast and "
                f"--device out, or choose --runtime torch"
            )
        self.device = best_device("cpu" if elsewhere is not None else device)
        self.architecture = network.architecture
        sized = network if isinstance(network, RuntimeNetwork) else network.architecture
        self.scale, self.colors = sized.scale, sized.colors
        self.fast = fast and resolve_precision("auto", self.device) is torch.bfloat16
        self.alpha = alpha
        self._tile, self._overlap, self._memory_mb = tile, overlap, memory_mb
        self.only = None if elsewhere is None else elsewhere.lr_size
        if self.only is not None and tile is not None:
            raise InputError(
                f"--tile: the file takes images of {self.only[1]}x{self.only[0]} alone, and these "
                f"are its tiles; leave --tile out"
            )
        if self.only is not None:
            equal_spans(1, min(self.only), overlap or 0)
        elif tile is not None or overlap is not None:
            spans(1, LEAST_TILE_PX if tile is None else tile, overlap or 0)
        self._frame, self._statistics = Frame(), Statistics()
        self._source: Network | None = None
        self._elsewhere = elsewhere
        if isinstance(network, Network):
            source = network
        elif network.architecture is not None:
            # For what there is to know of it; its weights are in the file. Zeros, as fresh
            # networks have, would hide how far it sees.
            source = build(network.architecture)
            draw_weights(source.parameters())
        else:
            self.pools_globally, self._sees_far = False, True
            return
        self._source = source
        copied = copy.deepcopy(source).eval().requires_grad_(False)
        self.pools_globally = pool_together(copied, self._statistics) > 0
        self._sees_far = frame_attentions(copied, self._frame.stretched) > 0 or self.pools_globally
        if self._elsewhere is not None:
            return
        if self.fast:
            copied.blocks = nn.ModuleList(_Bfloat16(block) for block in copied.blocks)
        self._network: nn.Module = copied.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @cached_property
    def overlap(self) -> int:
        """Pixels that neighbouring tiles share at the least."""
        if self._overlap is not None:
            return self._overlap
        # Most of a tile is to be kept.
        return min(self._reach, self._reach if self.only is None else min(self.only) // 4)

    @cached_property
    def _reach(self) -> int:
        """How far beyond a tile the network sees, as far as that matters."""
        if self._sees_far or self._source is None:
            return DEFAULT_OVERLAP_PX
        return receptive_radius(self._source, DEFAULT_OVERLAP_PX)

    @property
    def shows_seams(self) -> bool:
        """Whether tiles are only nearly what they'd be in the whole image: ESA in a file, say."""
        if self._elsewhere is None or self._elsewhere.framed:
            return False
        return self._sees_far or self.overlap < self._reach

    @cached_property
    def sees_beyond(self) -> bool:
        """Whether a user's own part sees farther than tiles overlap, tried on a made-up image.

        Such a part pools over its whole input, but not in a method ``pool_globally``.
        """
        source = self._source
        if source is None or not source.architecture.foreign_parts():
            return False  # ours are tested
        pixels = np.full((*_TRIED_PX, 3), 30, np.uint8)
        noise = np.random.default_rng(0).integers(0, 256, (_TRIED_PX[0], _NOISE_PX, 3))
        pixels[:, :_NOISE_PX] = noise
        small, large = (
            Upscaler(source, device=str(self.device), tile=tile, overlap=self.overlap)
            .enlarge(pixels).astype(int)
            for tile in (LEAST_TILE_PX, _TRIED_PX[1] // 2)
        )  # fmt: skip
        # Float additions in another order round a value near a half otherwise.
        return bool(np.abs(small - large).max() > 1)

    @cached_property
    def _pixels_at_once(self) -> int:
        """How many LR pixels fit the memory that a tile may take."""
        if self._source is None or self.architecture is None:
            return int(self._memory_mb * 1e6 / _BYTES_OF_AN_UNKNOWN_NETWORK_PER_PX)
        probe = peak_memory_mb(self.architecture, (_PROBE_PX, _PROBE_PX))
        weights = sum(p.numel() for p in self._source.parameters()) * 4e-6
        each = (probe - weights) / _PROBE_PX**2
        return max(1, int((self._memory_mb - weights) / each))

    def plan(self, height: int, width: int) -> Tiling:
        """How an image of that size (LR pixels) is cut."""
        if self.only is not None:
            fits = height <= self.only[0] and width <= self.only[1]
            return Tiling(0, 0) if fits else Tiling(max(self.only), self.overlap)
        if self._tile is None and height * width <= self._pixels_at_once:
            return Tiling(0, 0)
        tile = self._tile
        if tile is None:
            # A side may get ALIGN_PX - 1 more pixels; a margin of a tile's overlap covers it.
            tile = math.isqrt(self._pixels_at_once) - 2 * self.overlap - 6
            tile = min(_MOST_TILE_PX, max(LEAST_TILE_PX, tile // 16 * 16))
        if max(height, width) <= tile:
            return Tiling(0, 0)
        return Tiling(tile, self.overlap)

    def strips(self, pixels: Pixels) -> Iterator[Pixels]:
        """The enlarged image from top to bottom, in strips as high as a row of tiles.

        Args:
            pixels: (h, w, C) with C of 1 to 4 (see `enlarge_channels`), uint8 or uint16.

        Yields:
            (rows, w * scale, C) of the same type: clamped, then rounded.
        """
        height, width, channels = pixels.shape
        if height < 1 or width < 1 or not 1 <= channels <= 4:
            raise InputError(f"expected an image (h, w, 1 to 4 channels), got {pixels.shape}")
        tiling = self.plan(height, width)
        rows, columns = tiling.cut((height, width), self.only)
        whole = (height, width) if tiling.tile else None
        self._statistics.mode = "own"
        if tiling.tile and self.pools_globally and self._elsewhere is not None:
            instead = "choose --runtime torch, or raise --memory"
            raise InputError(
                f"{width}x{height} pixels need tiles, but this network pools over its whole input, "
                f"which {self._elsewhere.title} can't do for a tile: "
                f"{instead if self.only is None else 'give a file for images of any size'}"
            )
        if tiling.tile and self.pools_globally:
            self._collect(pixels)
            self._statistics.mode = "apply"
        for row in rows:
            strip = np.empty(
                ((row.inner[1] - row.inner[0]) * self.scale, width * self.scale, channels),
                pixels.dtype,
            )
            for column in columns:
                begin, end = (edge * self.scale for edge in column.inner)
                strip[:, begin:end] = self._tile_of(pixels, whole, row, column)
            yield strip
            # Freed before the next one is made, where nobody else holds it.
            del strip

    def enlarge(self, pixels: Pixels) -> Pixels:
        """(h, w, C) to (h * scale, w * scale, C), in one piece."""
        return np.concatenate(list(self.strips(pixels)))

    def _collect(self, pixels: Pixels) -> None:
        """One pass over patches from all over the image, for what is pooled over all of it."""
        height, width, channels = pixels.shape
        colours = pixels[..., : channels - (channels + 1) % 2]
        cut = np.stack([colours[where] for where in samples(height, width, self._pixels_at_once)])
        self._statistics.mode, self._frame.whole = "collect", None
        with torch.inference_mode(), exact_convolutions():
            batch = torch.from_numpy(cut.transpose(0, 3, 1, 2).astype(np.float32)).to(self.device)
            batch /= np.iinfo(pixels.dtype).max
            enlarge_channels(self._forward, batch, self.scale, colors=self.colors)

    def _tile_of(
        self, pixels: Pixels, whole: tuple[int, int] | None, row: Span, column: Span
    ) -> Pixels:
        most = np.iinfo(pixels.dtype).max
        part = pixels[slice(*row.outer), slice(*column.outer)]
        if self.only is not None:
            lacks = [side - have for side, have in zip(self.only, part.shape, strict=False)]
            part = np.pad(part, ((0, lacks[0]), (0, lacks[1]), (0, 0)), mode="edge")
        part = part.transpose(2, 0, 1)
        self._frame.whole, self._frame.origin = whole, (row.outer[0], column.outer[0])
        with torch.inference_mode(), exact_convolutions():
            # torch computes little with uint16: the conversion is numpy's.
            image = torch.from_numpy(part.astype(np.float32)).to(self.device)[None] / most
            large = enlarge_channels(
                self._forward, image, self.scale, colors=self.colors, alpha=self.alpha
            )
            top, bottom, left, right = (k * self.scale for k in (*row.kept, *column.kept))
            kept = large[0, :, top:bottom, left:right].float().clamp(0, 1).mul_(most).round_()
            if kept.isnan().any():
                raise InputError("the network makes NaN of it; expected sound weights")
            out: Pixels = kept.permute(1, 2, 0).cpu().numpy().astype(pixels.dtype)
        return out

    def _forward(self, image: Tensor) -> Tensor:
        if self._elsewhere is not None:
            whole = self._frame.whole or (image.shape[2], image.shape[3])
            return self._elsewhere.enlarge(image, whole, self._frame.origin)
        out: Tensor = self._network(image.contiguous(memory_format=torch.channels_last))
        return out


class _Bfloat16(nn.Module):
    """A block that computes in bfloat16 and takes and gives float32."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        with torch.autocast(x.device.type, torch.bfloat16):
            y: Tensor = self.block(x)
        return y.float()
