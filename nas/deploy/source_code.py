"""A network as Python source that needs nothing but torch."""

from __future__ import annotations

import torch
from torch import nn

from nas.deploy.metadata import purpose
from nas.deploy.tracing import HELPERS, is_inlined, statements, traceable
from search_spaces.errors import InputError, NotPossible
from search_spaces.network import Network

__all__ = ["source_code"]

_INDENT = "    "
_LONGEST_LINE = 100


def source_code(
    network: Network, class_name: str, *, decorator: str = "", training: bool = False
) -> str:
    """Classes that build the very same network: same state-dict keys, same outputs.

    Each of the network's parts becomes a class with its widths as numbers; equal parts share
    one. What has no weights of its own (activations) stands as a function call.

    Args:
        network: any.
        class_name: of the class for the whole network.
        decorator: put on that class.
        training: keep what only training needs.

    Returns:
        The classes, helper functions first, the network's class last; to stand behind imports
        of ``torch``, ``nn`` and ``F``.

    Raises:
        InputError: a part whose forward can't be written out.
    """
    if not class_name.isidentifier():
        raise InputError(f"expected a name for a Python class, got {class_name!r}")
    writer = _Classes({class_name, "torch", "nn", "F", *HELPERS})
    body = writer.body(traceable(network, training=training))
    arch = network.architecture
    made = "restored" if arch.scale == 1 else "enlarged"
    described = f"{purpose(arch.scale).capitalize()}: (N, {arch.colors}, h, w) in 0..1"
    head = f'{_INDENT}"""{described} to the same, {made}, not clamped."""\n'
    whole = f"{decorator}class {class_name}(nn.Module):\n{head}\n{body}"
    parts = [*writer.helpers(whole), *writer.sources, whole]
    return "\n\n".join(parts)


class _Classes:
    def __init__(self, taken: set[str]) -> None:
        self.sources: list[str] = []
        self._taken = taken
        self._by_body: dict[str, str] = {}

    def helpers(self, whole: str) -> list[str]:
        text = "\n".join([*self.sources, whole])
        return [source for name, source in HELPERS.items() if f"{name}(" in text]

    def body(self, module: nn.Module) -> str:
        """The two methods of a class."""
        passes = statements(module)
        lines = [f"{_INDENT}def __init__(self):", f"{_INDENT * 2}super().__init__()"]
        for name, parameter in module.named_parameters(recurse=False):
            shape = ", ".join(map(str, parameter.shape))
            lines.append(f"{_INDENT * 2}self.{name} = nn.Parameter(torch.zeros({shape}))")
        kept = module._non_persistent_buffers_set
        for name, buffer in module.named_buffers(recurse=False):
            if name in kept and not any(f"self.{name}" in one for one in passes):
                continue
            value = torch.zeros_like(buffer) if name not in kept else buffer
            made = f"torch.tensor({value.flatten().tolist()}).view({tuple(buffer.shape)})"
            persistent = "" if name not in kept else ", persistent=False"
            lines.append(f'{_INDENT * 2}self.register_buffer("{name}", {made}{persistent})')
        for name, child in module.named_children():
            made = self._made(child)
            if made:
                lines += _wrapped(f"{_INDENT * 2}self.{name} = {made}")
        forward = [f"{_INDENT}def forward(self, x):"]
        forward += [line for one in passes for line in _wrapped(f"{_INDENT * 2}{one}")]
        return "\n".join([*lines, "", *forward]) + "\n"

    def _made(self, module: nn.Module) -> str:
        """The expression that makes a module; empty for one without state."""
        if not any(True for _ in (*module.parameters(), *module.buffers())):
            return ""
        if isinstance(module, nn.ModuleList):
            return _list([self._made(child) for child in module])
        if type(module) in (nn.Conv2d, nn.ConvTranspose2d):
            return _convolution(module)  # type: ignore[arg-type]
        if is_inlined(module):
            inside = {name: self._made(child) for name, child in module.named_children()}
            own = [name for name, _ in module.named_parameters(recurse=False)]
            if own:
                raise NotPossible(
                    f"{type(module).__name__}: has several inputs and weights of its own: it "
                    f"can't be written out"
                )
            pairs = ", ".join(f'"{name}": {made}' for name, made in inside.items() if made)
            return f"nn.ModuleDict({{{pairs}}})"
        if type(module).__module__.startswith("torch.nn"):
            return f"nn.{module!r}".replace("\n", "")
        return f"{self._class_of(module)}()"

    def _class_of(self, module: nn.Module) -> str:
        body = self.body(module)
        if body not in self._by_body:
            base, number = type(module).__name__, 1
            name = base
            while name in self._taken:
                number += 1
                name = f"{base}{number}"
            self._taken.add(name)
            self._by_body[body] = name
            self.sources.append(f"class {name}(nn.Module):\n{body}")
        return self._by_body[body]


def _list(made: list[str]) -> str:
    if len(set(made)) == 1 and len(made) > 1:
        return f"nn.ModuleList({made[0]} for _ in range({len(made)}))"
    return f"nn.ModuleList([{', '.join(made)}])"


def _convolution(module: nn.Conv2d | nn.ConvTranspose2d) -> str:
    m = module
    transposed = isinstance(m, nn.ConvTranspose2d)
    words = [str(m.in_channels), str(m.out_channels), _side(m.kernel_size)]
    for name, usual in (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)):
        value = getattr(m, name)
        written = repr(value) if isinstance(value, str) else _side(value)
        if written != str(usual):
            words.append(f"{name}={written}")
    if m.groups != 1:
        words.append(f"groups={m.groups}")
    if m.bias is None:
        words.append("bias=False")
    if m.padding_mode != "zeros":
        words.append(f"padding_mode={m.padding_mode!r}")
    return f"nn.Conv{'Transpose' if transposed else ''}2d({', '.join(words)})"


def _side(value: tuple[int, ...]) -> str:
    return str(value[0]) if len(set(value)) == 1 else str(tuple(value))


def _wrapped(line: str) -> list[str]:
    """A long line broken after its commas."""
    if len(line) <= _LONGEST_LINE:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    pieces, current = [], ""
    for word in line.split(", "):
        joined = f"{current}, {word}" if current else word
        if current and len(joined) + 1 > _LONGEST_LINE:
            pieces.append(current + ",")
            current = indent + word
        else:
            current = joined
    return [*pieces, current]
