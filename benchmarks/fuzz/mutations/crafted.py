"""Checkpoints of tensors that are whole files, and still nothing that we may believe."""

from __future__ import annotations

import collections
import io
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.case import CANARY

__all__ = ["Runs", "code_pickles", "nested_checkpoint", "unsafe_checkpoint"]


class Runs:
    """Its pickle asks for a function to be called when it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._asks = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._asks


def code_pickles() -> dict[str, Any]:
    """Objects whose pickles would make the canary, by what they ask for."""
    return {
        "os.system": Runs(os.system, f"touch {CANARY}"),
        "open": Runs(open, CANARY, "w"),
        "exec": Runs(exec, f"open({CANARY!r}, 'w')"),
        "eval": Runs(eval, f"open({CANARY!r}, 'w')"),
        "os.mkdir": Runs(os.mkdir, CANARY),
        "a counter": collections.Counter({"a": 1}),
        "a path": Path("x"),
    }


def unsafe_checkpoint(rng: random.Random, path: Path) -> str:
    """Rewrites a checkpoint of ours with something strange in it; returns what."""
    import torch

    from benchmarks.fuzz.mutations.values import broken_tree, strange

    try:
        content = torch.load(path, weights_only=False)
    except Exception:
        content = {"step": 1}
    kind = rng.choice(
        ("code", "code beside", "values", "values", "tensors", "tensors", "another thing", "zip")
    )
    if kind == "code":
        which, content = rng.choice(sorted(code_pickles().items(), key=lambda item: item[0]))
        kind = f"code: {which}"
    elif kind == "code beside" and isinstance(content, dict):
        content["extra"] = code_pickles()["os.system"]
    elif kind == "values":
        content, told = broken_tree(rng, content)
        kind = f"values: {told}"
    elif kind == "tensors":
        content, kind = _other_tensors(rng, content)
    elif kind == "another thing":
        content = strange(rng)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x/data.pkl", pickle.dumps(code_pickles()["os.system"]))
            file.writestr("x/version", struct.pack("<I", 3))
        return kind
    buffer = io.BytesIO()
    old = rng.random() < 0.2
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    path.write_bytes(buffer.getvalue())
    return f"{kind}{' in the old format' if old else ''}"


def _other_tensors(rng: random.Random, content: Any) -> tuple[Any, str]:
    """One tensor, anywhere in the nested content, becomes one of another sort."""
    import torch

    from benchmarks.fuzz.mutations.tensors import other_tensor
    from benchmarks.fuzz.mutations.values import places_in

    places = [
        (holder, key) for holder, key in places_in(content) if isinstance(holder[key], torch.Tensor)
    ]
    if not places:
        return content, "nothing"
    holder, key = rng.choice(places)
    holder[key], told = other_tensor(rng, holder[key])
    return content, f"{key} {told}"


def nested_checkpoint(rng: random.Random, path: Path) -> str:
    """Wrapped as training code does it, or as nobody does; returns how."""
    import torch

    state: Any = torch.load(path, weights_only=True)
    way = rng.choice(("wrapped", "itself", "deep", "prefixes", "many", "keys", "renamed"))
    if way == "wrapped":
        for name in rng.choices(("params", "params_ema", "state_dict", "model", "net", "x"), k=3):
            state = {name: state}
    elif way == "itself":
        state["params"] = state
    elif way == "deep":
        for _ in range(rng.choice((50, 200))):
            state = {"state_dict": state}
    elif way == "prefixes":
        prefix = rng.choice(("module.", "module." * 500, "model.net.", "_orig_mod."))
        state = {f"{prefix}{key}": value for key, value in state.items()}
    elif way == "many":
        state = {f"k{n}": torch.zeros(1) for n in range(20_000)}
    elif way == "keys":
        keys = (1, None, (1, 2), 1.5, "", "\x1b[31m", "a\nb", "x" * 5_000)
        state[rng.choice(keys)] = torch.zeros(1)
    else:
        key = rng.choice(sorted(state))
        state[f"{key}x"] = state.pop(key)
    torch.save(state, path)
    return way
