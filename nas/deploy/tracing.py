"""A network's forward passes as lists of plain statements, class by class."""

from __future__ import annotations

import copy
import inspect
import json
import operator
import types
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from search_spaces.attention import esa
from search_spaces.errors import NotPossible
from search_spaces.exact import Exact
from search_spaces.network import Network

__all__ = ["HELPERS", "is_inlined", "statements", "traceable"]


_FUNCTIONS = (esa.continued,)

HELPERS: Mapping[str, str] = {one.__name__: inspect.getsource(one) for one in _FUNCTIONS}
"""Source of the functions that generated code may call beside torch's, by name."""

_SIGNS: Mapping[Any, str] = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.floordiv: "//",
    operator.iadd: "+",
    operator.imul: "*",
    operator.pow: "**",
}


def traceable(network: Network, *, training: bool = False) -> Network:
    """A copy on the CPU without branches that depend on an image's size or on autocast.

    Args:
        network: any.
        training: keep what only training needs (see `CCA`, whose gradient would be infinite).
    """
    copied = copy.deepcopy(network).float().cpu().train(training).requires_grad_(False)
    for module in copied.modules():
        if isinstance(module, Exact) and type(module).exactly is Exact.exactly:
            module.exactly = types.MethodType(_exactly, module)  # type: ignore[method-assign]
    return copied


def _exactly(_self: Exact, conv: nn.Module, x: Tensor) -> Tensor:
    # Whether autocast is on can't be asked of a traced value.
    out: Tensor = conv(x)
    return out


def is_inlined(module: nn.Module) -> bool:
    """Whether a module's statements stand in its parent's: it has no state, or several inputs."""
    if isinstance(module, nn.ModuleList):
        return True
    if not any(True for _ in (*module.parameters(), *module.buffers())):
        return True
    code = getattr(type(module).forward, "__code__", None)
    return code is not None and code.co_argcount != 2


class _OneClass(fx.Tracer):
    """Follows one module's forward; modules and `HELPERS` in it are called, not followed."""

    def __init__(self) -> None:
        super().__init__(autowrap_functions=_FUNCTIONS)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not is_inlined(m)


def statements(module: nn.Module) -> list[str]:
    """The lines of a forward pass ``forward(self, x)``, in terms of ``self``, ``torch`` and ``F``.

    Raises:
        NotPossible: a forward that branches on values, or calls what no plain file has.
    """
    kind = type(module).__name__
    try:
        graph = _OneClass().trace(module)
    # Tracing a user's part may fail in any way.
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NotPossible(f"{kind}: its forward can't be written out: {reason}") from error
    return _Writer(kind, graph).lines


class _Writer:
    """Turns a graph into lines; a result takes the name of its first input where that is free."""

    def __init__(self, kind: str, graph: fx.Graph) -> None:
        self.kind, self.lines = kind, list[str]()
        self._names: dict[fx.Node, str] = {}
        self._taken: set[str] = {"self", "torch", "nn", "F", *HELPERS}
        self._texts: dict[fx.Node, str] = {}
        last_user: dict[fx.Node, fx.Node] = {}
        for node in graph.nodes:
            for used in node.all_input_nodes:
                last_user[used] = node
        self._last_user = last_user
        for node in graph.nodes:
            self._write(node)

    def _write(self, node: fx.Node) -> None:
        if node.op == "placeholder":
            self._names[node] = self._fresh("x")
        elif node.op == "output":
            self._return(node)
        elif node.op == "get_attr" or self._is_size(node):
            # Sizes and the module's own numbers are written where they are used.
            self._texts[node] = self._expression(node)
        else:
            expression = self._expression(node)
            self._names[node] = self._name(node)
            self.lines.append(f"{self._names[node]} = {expression}")

    def _return(self, node: fx.Node) -> None:
        result = self._text(node.args[0])
        if self.lines and self.lines[-1].startswith(f"{result} = "):
            result = self.lines.pop().removeprefix(f"{result} = ")
        self.lines.append(f"return {result}")

    def _is_size(self, node: fx.Node) -> bool:
        if node.op != "call_function" or node.target not in (getattr, operator.getitem):
            return False
        if node.target is getattr:
            return node.args[1] in ("shape", "dtype", "device")
        source = node.args[0]
        return isinstance(source, fx.Node) and source in self._texts

    def _name(self, node: fx.Node) -> str:
        for used in node.all_input_nodes:
            # A value written where it's used keeps its source alive to the last place.
            if used in self._names and self._dies(used, node):
                return self._names[used]
        called = str(node.name) if node.op == "call_module" else "y"
        return self._fresh(called)

    def _dies(self, used: fx.Node, node: fx.Node) -> bool:
        later = self._last_user[used] is not node
        inside = any(
            used in text.all_input_nodes and self._last_user.get(text) is not node
            for text in self._texts
            if text in self._last_user
        )
        return not later and not inside

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def _expression(self, node: fx.Node) -> str:
        if node.target is operator.getitem:
            return f"{self._text(node.args[0])}[{_index(node.args[1], self._text)}]"
        args = [self._text(arg) for arg in node.args]
        usual = _defaults(node.target)
        named = [
            f"{key}={self._text(value)}"
            for key, value in node.kwargs.items()
            if key not in usual or isinstance(value, fx.Node) or value != usual[key]
        ]
        if node.op == "call_module":
            return f"self.{_path(str(node.target))}({', '.join([*args, *named])})"
        if node.op == "get_attr":
            return f"self.{_path(str(node.target))}"
        if node.op == "call_method":
            return f"{args[0]}.{node.target}({', '.join([*args[1:], *named])})"
        target = node.target
        if target is getattr:
            return f"{args[0]}.{node.args[1]}"
        if target is operator.neg:
            return f"-{args[0]}"
        if target in _SIGNS:
            return f"{args[0]} {_SIGNS[target]} {args[1]}"
        return f"{self._function(target)}({', '.join([*args, *named])})"

    def _function(self, target: Any) -> str:
        name = getattr(target, "__name__", str(target))
        if name in HELPERS:
            return name
        if getattr(F, name, None) is target:
            return f"F.{name}"
        if getattr(torch, name, None) is target:
            return f"torch.{name}"
        raise NotPossible(
            f"{self.kind}: its forward calls {name}, which isn't torch's: it can't be written out"
        )

    def _text(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            return self._texts.get(value) or self._names[value]
        if isinstance(value, (tuple, list)):
            inside = ", ".join(self._text(item) for item in value)
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if isinstance(value, (torch.dtype, torch.memory_format)):
            return str(value)
        if isinstance(value, str):
            return json.dumps(value)
        if value is None or isinstance(value, (bool, int, float)):
            return repr(value)
        raise NotPossible(f"{self.kind}: a {type(value).__name__} can't be written out")


def _defaults(target: Any) -> dict[str, Any]:
    """A function's default arguments, as far as Python can tell."""
    # Behind max_pool2d stand two functions, of which inspect sees neither.
    function: Any = vars(F).get("_max_pool2d") if target is F.max_pool2d else target
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def _index(value: Any, text: Any) -> str:
    items = value if isinstance(value, tuple) else (value,)

    def one(item: Any) -> str:
        if not isinstance(item, slice):
            return "..." if item is Ellipsis else str(text(item))
        ends = ["" if end is None else str(text(end)) for end in (item.start, item.stop)]
        step = "" if item.step is None else f":{text(item.step)}"
        return ":".join(ends) + step

    return ", ".join(one(item) for item in items)


def _path(target: str) -> str:
    """``blocks.0.last`` as Python has it: ``blocks[0].last``."""
    out = ""
    for step in target.split("."):
        out += f"[{step}]" if step.isdigit() else f".{step}" if out else step
    return out
