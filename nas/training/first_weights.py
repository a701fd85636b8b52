"""First weights that photos give in a second: what need not be learnt by steps.

A fresh network spends its first hundreds of steps on what all networks learn alike: sharpening,
which is nearly linear, from pixels that are nearly equal to their neighbours. Both have a closed
form: the best linear filter for enlarging, by least squares, and filters for the stem that make
pixels independent of their neighbours (as Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single
GPU", arXiv 2404.00498, section 3.2, begins with). And blocks that let less through than they are
given, for want of a residual or for their gates, are turned up (Mishkin & Matas 2016, "All you need
is a good init", do so for every layer): in a row of them the photo would fade out. Gates that
would begin shut are opened first (`SPAB.open_gates`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces import Network
from search_spaces.activations import ACTIVATIONS
from search_spaces.convs import CollapsedConv
from search_spaces.part import Part
from search_spaces.skips import LinearSkip

if TYPE_CHECKING:
    from nas.data import Patches
    from nas.training.recipe import Recipe

__all__ = ["fit_linear_skip", "keep_variance", "set_first_weights", "whiten"]

_PATCHES = 512
# All their windows together would take gigabytes.
_AT_ONCE = 64
# Of a whitened stem's outputs, for images in 0..1: the standard deviation that the blocks behind
# it train best with (0.15 to 0.3; at 1.0 two networks had 0.02 dB less after 240 steps).
_GAIN = 0.2
# Flatter directions than this variance (values in 0..1) are rounding, and not stretched further.
_LEAST_VARIANCE = 1e-5

_SEEN = 32
"""Patches by which blocks are turned up."""
_LACK, _MOST_LACK, _MOST_TURNS = 1.05, 4.0, 12
_EXCESS = 2.0
_FADED = 0.1


def set_first_weights(
    network: nn.Module, patches: Patches, recipe: Recipe, *, trained_trunk: bool = False
) -> None:
    """Sets what photos can tell of a fresh network's weights, where the recipe says so.

    The same network, photos and seed get the same weights. Filters larger than the patches stay.

    Args:
        network: fresh; anything but a `Network` stays as it is.
        patches: the first batches that it will be trained on.
        recipe: ``first_weights`` and the seed.
        trained_trunk: stem and blocks come from another scale: only the image skip is fitted.
    """
    if recipe.first_weights != "photos" or not isinstance(network, Network):
        return
    lr, hr = _examples(patches, network.architecture.colors)
    side = min(lr.shape[-2:])
    if isinstance(network.image_skip, LinearSkip) and network.image_skip.kernel <= side:
        fit_linear_skip(network.image_skip, lr, hr)
    if trained_trunk:
        return
    for part in network.modules():
        if callable(open_gates := getattr(part, "open_gates", None)):
            open_gates()
    inside = lr
    if network.architecture.mean is not None:
        inside = inside - network.mean.cpu()
    value_range = float(network.architecture.value_range)
    generator = torch.Generator().manual_seed(recipe.seed)
    for conv in _readers(network.stem, lr.shape[1]):
        if conv.kernel_size[0] <= side:
            whiten(conv, inside * value_range, value_range, generator)
    device = next(network.parameters()).device
    keep_variance(network, inside[:_SEEN].to(device) * value_range)


def fit_linear_skip(skip: LinearSkip, lr: Tensor, hr: Tensor) -> None:
    """The filters with the least squared error, the same for every colour; brightness is kept.

    Args:
        skip: gets the filters.
        lr: (N, colors, h, w) in 0..1, ``kernel`` pixels a side or more.
        hr: (N, colors, h * scale, w * scale) in 0..1.
    """
    kernel, scale = skip.kernel, skip.scale
    edge = kernel // 2
    inner = slice(edge * scale, -edge * scale)
    normal = torch.zeros(kernel**2, kernel**2, dtype=torch.float64)
    product = torch.zeros(kernel**2, scale**2, dtype=torch.float64)
    for small, large in zip(lr.split(_AT_ONCE), hr.split(_AT_ONCE), strict=True):
        windows = _windows(small.flatten(0, 1).unsqueeze(1), kernel)
        squares = F.pixel_unshuffle(large[..., inner, inner].flatten(0, 1).unsqueeze(1), scale)
        wanted = squares.permute(0, 2, 3, 1).reshape(-1, scale**2).double()
        # What a window differs from its middle by: so a plain area stays as bright as it is.
        centre = windows[:, kernel**2 // 2 : kernel**2 // 2 + 1].clone()
        windows, wanted = windows - centre, wanted - centre
        normal += windows.T @ windows
        product += windows.T @ wanted
    # Photos without contrast make it zero, and filters that repeat the pixel.
    least = 1e-6 * normal.trace() / len(normal)
    normal += torch.eye(len(normal), dtype=normal.dtype) * least.clamp(min=1e-12)
    filters = torch.linalg.solve(normal, product)
    filters[kernel**2 // 2] += 1 - filters.sum(dim=0)
    skip.set_filters(filters.T.reshape(scale**2, kernel, kernel).float())


def whiten(conv: nn.Conv2d, image: Tensor, value_range: float, generator: torch.Generator) -> None:
    """Filters whose outputs on the image's windows are uncorrelated, of one variance, around 0.

    First the directions in which windows vary most; further filters than a window has values
    are mixtures of all directions, turned at random.

    Args:
        conv: gets the filters, and a bias that takes the mean out where it has one.
        image: (N, in, h, w), what it will see, at least as large as the filters.
        value_range: of the image, 1 or 255.
        generator: of the turns.
    """
    mean, covariance = _moments(image, conv.kernel_size[0])
    variances, directions = torch.linalg.eigh(covariance)
    # An eigenvector's sign is the solver's choice.
    largest = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True))
    least = _LEAST_VARIANCE * value_range**2
    scaled = directions * largest.sign() / (variances.clamp(min=0) + least).sqrt()
    white = scaled.T.flip(0)
    filters = [white]
    while sum(map(len, filters)) < conv.out_channels:
        turn = torch.randn(white.shape, generator=generator, dtype=white.dtype)
        filters.append(torch.linalg.qr(turn)[0] @ white)
    chosen = torch.cat(filters)[: conv.out_channels] * _GAIN * value_range
    with torch.no_grad():
        conv.weight.copy_(chosen.reshape(conv.weight.shape))
        if conv.bias is not None:
            conv.bias.copy_(-chosen @ mean)


@torch.no_grad()
def keep_variance(network: Network, image: Tensor) -> None:
    """Turns up the filters of blocks behind which the image fades out, and down where it glares.

    Where the activation is smooth, every block's outputs are to vary as much as its inputs. ReLU
    and its kin bend all signals alike, and larger filters only learn more slowly (two networks had
    0.06 dB less after 320 steps and 0.02 dB less after 1,600): there outputs may fade to a tenth
    of the stem's, and no further. Twice as much as the inputs is too much everywhere: where blocks
    multiply, a row of them would explode (identities in re-parameterised convolutions do that).

    Args:
        network: gets the filters.
        image: (N, colors, h, w) as the stem sees it.
    """
    features = network.stem(image)
    smooth = _bends_less_near_zero(network.architecture.activation)
    least = _FADED * features.std()
    for block in network.blocks:
        wanted, most = features.std() if smooth else least, _EXCESS * features.std()
        filters, behind = _scalable(block)
        for _ in range(_MOST_TURNS):
            shown = block(features)
            lack, excess = (float(one / shown.std().clamp(min=1e-12)) for one in (wanted, most))
            if (lack < _LACK and excess > 1) or not filters:
                break
            turn = min(lack, _MOST_LACK) if lack >= _LACK else max(excess, 1 / _MOST_LACK)
            # A part each, since most lie behind one another.
            torch._foreach_mul_(filters, turn ** (1 / min(behind, 3)))
        features = shown


def _scalable(block: nn.Module) -> tuple[list[Tensor], int]:
    """Filters in which every convolution of a block is linear, and how many convolutions there are.

    Of one whose kernel is a product, the last factor alone.
    """
    collapsed = [one for one in block.modules() if isinstance(one, CollapsedConv)]
    inside = {child for one in collapsed for child in one.children()}
    convs = [one for one in block.modules() if isinstance(one, nn.Conv2d) and one not in inside]
    ends = [end for one in collapsed for end in one.parallel()]
    return [conv.weight for conv in (*convs, *ends)], len(convs) + len(collapsed)


def _examples(patches: Patches, colors: int) -> tuple[Tensor, Tensor]:
    from nas.training.loop import unit

    batches = [patches.batch(step) for step in range(-(-_PATCHES // patches.batch_size))]
    cpu = torch.device("cpu")
    return (
        unit(torch.cat([batch.lr for batch in batches]), colors, cpu),
        unit(torch.cat([batch.hr for batch in batches]), colors, cpu),
    )


def _bends_less_near_zero(activation: Part) -> bool:
    """Whether small signals pass an activation as if they passed a straight line."""
    bend, values = ACTIVATIONS.make(activation, 1), torch.tensor([[-1.0], [1.0]])
    with torch.no_grad():
        small = 100 * bend(values / 100)
        return not torch.allclose(small, bend(values.clone()), rtol=1e-4)


def _readers(stem: nn.Module, colors: int) -> list[nn.Conv2d]:
    """The plain convolutions that see the image itself, in the order in which they run."""
    found: list[nn.Conv2d] = []
    convs = [
        module
        for module in stem.modules()
        if isinstance(module, nn.Conv2d)
        and module.groups == 1
        and module.kernel_size[0] == module.kernel_size[1]
    ]
    if not convs:
        return []
    image = convs[0].weight.new_zeros(1, colors, 8, 8)

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, nn.Conv2d) and inputs[0] is image:
            found.append(module)

    hooks = [conv.register_forward_pre_hook(note) for conv in convs]
    try:
        with torch.no_grad():
            stem(image)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _moments(image: Tensor, kernel: int) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the windows."""
    size = image.shape[1] * kernel**2
    total = torch.zeros(size, dtype=torch.float64)
    squares = torch.zeros(size, size, dtype=torch.float64)
    count = 0
    for part in image.split(_AT_ONCE):
        windows = _windows(part, kernel)
        total += windows.sum(dim=0)
        squares += windows.T @ windows
        count += len(windows)
    mean = total / count
    return mean, squares / count - mean.outer(mean)


def _windows(image: Tensor, kernel: int) -> Tensor:
    """Every whole window of (N, C, h, w), flat, as a convolution's filters are: (n, C * k * k)."""
    columns = F.unfold(image.contiguous(), kernel)
    return columns.transpose(1, 2).reshape(-1, columns.shape[1]).double()
