"""Which channels of a network belong together, by torch-pruning's dependency graph."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from search_spaces.network import Network

__all__ = ["Dependencies", "torch_pruning", "widths_of"]

_SIDE_PX = 16


class Dependencies:
    """The groups of channels of a network; each is named by its first layer.

    Pruning a channel of a group takes it out of every layer that makes or reads it.

    Args:
        network: written without slices (`compress.slices.unsliced`); it is pruned in place.
    """

    def __init__(self, network: Network) -> None:
        tp = torch_pruning()
        network.requires_grad_(True)  # others are skipped silently
        # In a tuple: a batch by itself is unpacked, and a network takes a single image as well.
        image = (torch.rand(1, network.architecture.colors, _SIDE_PX, _SIDE_PX),)
        self._graph = tp.DependencyGraph()
        with _without_numbers(network):
            self._graph.build_dependency(network, image, verbose=False)
        self._network = network
        self._modules = dict(network.named_modules())
        self.groups: dict[str, Any] = {}
        self._find_groups(network)

    def _find_groups(self, network: Network) -> None:
        covered: set[tuple[Any, int]] = set()
        convs = [
            (name, module)
            for name, module in network.named_modules()
            # What an image skip makes are pixels, as the output layer's.
            if isinstance(module, nn.Conv2d) and not name.startswith("image_skip.")
        ]
        output = network.output_layer
        # Narrow layers first: a gate on a concatenation spans the groups of all its slices.
        for name, layer in sorted(convs, key=lambda named: named[1].out_channels):
            if layer is output or (layer, 0) in covered:
                continue
            pruner = self._graph.get_pruner_of_module(layer)
            every = list(range(layer.out_channels))
            group = self._graph.get_pruning_group(layer, pruner.prune_out_channels, every)
            makers = [
                (dep.target.module, index)
                for dep, indices in group
                if self._graph.is_out_channel_pruning_fn(dep.handler)
                for index in indices
            ]
            covered.update(makers)
            if not any(module is output for module, _ in makers):
                self.groups[name] = group

    def kept(self, pruned: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
        """The output channels that every layer has left when groups lose these channels."""
        names = {module: name for name, module in self._modules.items()}
        gone: dict[str, set[int]] = {}
        for root, channels in pruned.items():
            for item in self.groups[root]:
                if self._graph.is_out_channel_pruning_fn(item.dep.handler):
                    name = names.get(item.dep.target.module)
                    if name is not None:
                        gone.setdefault(name, set()).update(
                            index
                            for index, of_root in zip(item.idxs, item.root_idxs, strict=True)
                            if of_root in channels
                        )
        widths = widths_of(self._network)
        return {
            name: [k for k in range(width) if k not in gone.get(name, ())]
            for name, width in widths.items()
        }

    def prune(self, name: str, channels: Sequence[int]) -> None:
        """Takes these channels out of the group."""
        if channels:
            layer = self._modules[name]
            pruner = self._graph.get_pruner_of_module(layer)
            self._graph.get_pruning_group(layer, pruner.prune_out_channels, list(channels)).prune()


def widths_of(network: nn.Module) -> dict[str, int]:
    """The output channels of every convolution by its name."""
    return {
        name: int(module.out_channels)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    }


@contextmanager
def _without_numbers(network: Network) -> Iterator[None]:
    """Learned numbers that are no channels (1-D, outside torch's layers) as constants meanwhile.

    The graph would take those of a weighted residual for channels.
    """
    taken = [
        (module, name, parameter)
        for module in network.modules()
        if not type(module).__module__.startswith("torch.nn")
        for name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim == 1
    ]
    for module, name, parameter in taken:
        delattr(module, name)
        setattr(module, name, parameter.detach())
    try:
        yield
    finally:
        for module, name, parameter in taken:
            delattr(module, name)
            module.register_parameter(name, parameter)


def torch_pruning() -> Any:
    """The library, without the deprecation warnings that importing it raises."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=DeprecationWarning)
        import torch_pruning

        return torch_pruning
