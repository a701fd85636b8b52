"""Weights: our own files, published checkpoints, and ONNX graphs."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.mutations.crafted import unsafe_checkpoint
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken, shortened
from benchmarks.fuzz.mutations.values import broken_tree, strange

__all__ = ["onnx_graphs", "pth", "safetensors"]


def safetensors(rng: random.Random, place: Path, valid: Path) -> Command:
    """A file of weights whose header, metadata, tensors or bytes are broken."""
    bring(place, valid, m.WEIGHTS)
    path = place / m.WEIGHTS
    kind = rng.random()
    if kind < 0.3:
        what = _other_header(rng, path)
    elif kind < 0.5:
        what = _other_tensors(rng, path)
    elif kind < 0.65:
        what = _other_architecture(rng, path)
    elif kind < 0.92:
        content, what = broken(rng, path.read_bytes())
        path.write_bytes(content)
    else:
        what = displaced(rng, path)
    return _on_weights(rng, place, valid, what)


def _on_weights(rng: random.Random, place: Path, valid: Path, what: str) -> Command:
    bring(place, valid, m.PHOTOS)
    small = ("--steps", "0", "--data", m.PHOTOS)
    commands: tuple[tuple[int, Callable[[], Command]], ...] = (
        (6, lambda: Command(("describe", m.WEIGHTS, "--no-latency"), what)),
        (4, lambda: Command(("export", m.WEIGHTS, "-o", "out.yaml"), what, ("out.yaml",))),
        (1, lambda: Command(("export", m.WEIGHTS, "-o", "out.pt"), what, ("out.pt",))),
        (3, lambda: Command(
            ("upscale", f"{m.PHOTOS}/0.png", "--net", m.WEIGHTS, "-o", "out"), what, ("out",))),
        (3, lambda: Command(("evaluate", m.WEIGHTS, "--set", f"a={m.PHOTOS}"), what)),
        (3, lambda: Command(
            ("compress", "fold", m.WEIGHTS, "-o", "out"), what, ("out.safetensors", "out.yaml"))),
        (2, lambda: Command(
            ("compress", "prune", m.WEIGHTS, "--budget", "80%", "--no-refit", "-o", "out"), what,
            ("out.safetensors", "out.yaml"), trains=True)),
        (2, lambda: Command(
            ("compress", "auto", m.WEIGHTS, "--budget", "80%", "--no-int8", "--size", "8x8", *small,
             "-o", "out"), what, ("out.safetensors", "out.yaml", "out.csv", "out.steps"), trains=True)),
        (1, lambda: Command(
            ("compress", "quantize", m.WEIGHTS, "--data", m.PHOTOS, "--rounds", "0", "-o", "out.onnx"),
            what, ("out.onnx",), trains=True)),
        (1, lambda: Command(
            ("compress", "distill", "net.yaml", "--teacher", m.WEIGHTS, "--steps", "1", "--profile",
             "smoke", "--data", m.PHOTOS, "-o", "out"), what, ("out.safetensors", "out.yaml"), trains=True)),
        (1, lambda: Command(
            ("train", m.WEIGHTS, "--steps", "1", "--batch", "1", "--patch", "32", "--data", m.PHOTOS,
             "--no-tensorboard", "--run", "out"), what, ("out",), trains=True)),
        (1, lambda: Command(
            ("latency", m.WEIGHTS, "--size", "8x8", "--rounds", "1", "--reference", m.WEIGHTS), what)),
    )  # fmt: skip
    if (valid / m.CONFIG).is_file():
        bring(place, valid, m.CONFIG)
    weights, makers = zip(*commands, strict=True)
    return rng.choices(makers, weights)[0]()


def _other_header(rng: random.Random, path: Path) -> str:
    """The header says something else than what follows it, or than a header may say."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    names = [name for name in header if name != "__metadata__"]
    name, other = rng.choice(names), rng.choice(names)
    way = rng.choice(
        ("offsets", "overlap", "dtype", "shape", "length", "values", "metadata", "no JSON", "huge")
    )
    entry = header[name]
    if way == "offsets":
        ends = (0, -1, 2**63, 2**64 - 1, len(body), len(body) + 4, 3)
        entry["data_offsets"] = [rng.choice(ends), rng.choice(ends)]
    elif way == "overlap":
        header[name] = dict(header[other], shape=entry["shape"])
    elif way == "dtype":
        entry["dtype"] = rng.choice(("F16", "BF16", "I64", "I8", "BOOL", "F8_E4M3", "F8_E5M2", "C64",
                                     "F4", "U64", "f32", "", "X", 7, None))  # fmt: skip
    elif way == "shape":
        entry["shape"] = rng.choice(([], [0], [1], [-1], [2**32, 2**32], entry["shape"][::-1], "x",
                                     None, [1.5], [*entry["shape"], 1]))  # fmt: skip
    elif way == "metadata":
        header["__metadata__"] = rng.choice(({}, [], None, "x", {"architecture": 7}, {"architecture": ""},
                                             {"architecture": "{}"}, {"architecture": "[" * 50_000},
                                             {"architecture": "null"}, {"format": "tf"}))  # fmt: skip
    elif way == "values":
        header, told = broken_tree(rng, header)
        way = f"values: {told}"
    text = json.dumps(header).encode()
    if way == "no JSON":
        text = broken(rng, text)[0]
    said = len(text)
    if way == "length":
        said = rng.choice((0, 1, len(text) - 1, len(text) + 1, len(content), 2**63, 2**64 - 1))
    if way == "huge":
        said, text, body = 99_000_000, b" " * 1000, b""
    path.write_bytes(struct.pack("<Q", said) + text + body)
    return f"the header of {name}: {way}"


def _other_tensors(rng: random.Random, path: Path) -> str:
    """A whole file, but with other tensors than its architecture has."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    from benchmarks.fuzz.mutations.tensors import other_tensor

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    told = []
    for name in rng.sample(sorted(tensors), k=rng.choice((1, 1, 3))):
        kind = rng.random()
        if kind < 0.15:
            del tensors[name]
            told.append(f"no {name}")
        elif kind < 0.3:
            tensors[f"{name}x"] = tensors.pop(name)
            told.append(f"{name} renamed")
        else:
            made, what = other_tensor(rng, tensors[name])
            if isinstance(made, torch.Tensor) and made.layout == torch.strided and not made.is_quantized \
                    and made.device.type == "cpu" and made.numel() < 10**7:  # fmt: skip
                tensors[name] = made.detach().contiguous()
                told.append(f"{name} {what}")
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path, metadata=metadata)
    return "; ".join(told) or "sound"


def _other_architecture(rng: random.Random, path: Path) -> str:
    """The metadata tell of another network than the tensors are of."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    plain, told = broken_tree(rng, json.loads(metadata["architecture"]))
    metadata["architecture"] = json.dumps(plain)
    if rng.random() < 0.2:
        metadata[str(strange(rng))[:100]] = str(strange(rng))[:1000]
    save_file(load_file(path), path, metadata=metadata)
    return f"architecture: {told}"


def pth(rng: random.Random, place: Path, valid: Path) -> Command:
    """A published checkpoint with code, odd tensors or broken bytes in it."""
    bring(place, valid, m.CHECKPOINT)
    path = place / m.CHECKPOINT
    kind = rng.random()
    if kind < 0.55:
        what = unsafe_checkpoint(rng, path)
    elif kind < 0.7:
        what = _nested(rng, path)
    elif kind < 0.92:
        content, what = broken(rng, path.read_bytes())
        path.write_bytes(content)
    else:
        what = displaced(rng, path)
    preset, scale = rng.choice((("rlfn", "4"), ("rlfn", "4"), ("rlfn", "2"), ("imdn", "4")))
    argv = ("import", m.CHECKPOINT, "--preset", preset, "--scale", scale, "-o", "out.safetensors")
    return Command(argv, what, ("out.safetensors",))


def _nested(rng: random.Random, path: Path) -> str:
    """Wrapped as training code does it, or as nobody does."""
    import torch

    state: Any = torch.load(path, weights_only=True)
    way = rng.choice(("wrapped", "itself", "deep", "prefixes", "many", "keys", "renamed"))
    if way == "wrapped":
        for name in rng.choices(("params", "params_ema", "state_dict", "model", "net", "x"), k=3):
            state = {name: state}
    elif way == "itself":
        state["params"] = state
    elif way == "deep":
        for _ in range(rng.choice((200, 20_000))):
            state = {"state_dict": state} if rng.random() < 0.99 else [state]
            if len(repr(type(state))) == 0:
                break
    elif way == "prefixes":
        prefix = rng.choice(("module.", "module." * 500, "model.net.", "_orig_mod."))
        state = {f"{prefix}{key}": value for key, value in state.items()}
    elif way == "many":
        state = {f"k{n}": torch.zeros(1) for n in range(20_000)}
    elif way == "keys":
        state[rng.choice((1, None, (1, 2), 1.5, "", "\x1b[31m", "a\nb", "x" * 5000))] = torch.zeros(
            1
        )
    else:
        key = rng.choice(sorted(state))
        state[f"{key}x"] = state.pop(key)
    try:
        torch.save(state, path)
    except RecursionError:
        return "sound"
    return way


def onnx_graphs(rng: random.Random, place: Path, valid: Path) -> Command:
    """A graph with broken bytes, other metadata, or other contents."""
    bring(place, valid, m.GRAPH, m.PHOTOS)
    path = place / m.GRAPH
    kind = rng.random()
    if kind < 0.5:
        content, what = broken(rng, path.read_bytes())
        path.write_bytes(content)
    elif kind < 0.6:
        path.write_bytes(shortened(rng, path.read_bytes()))
        what = "shortened"
    elif kind < 0.92:
        what = _other_graph(rng, path)
    else:
        what = displaced(rng, path)
    which = rng.random()
    if which < 0.75:
        argv: tuple[str, ...] = ("upscale", f"{m.PHOTOS}/0.png", "--net", m.GRAPH, "-o", "out")
        more = rng.choice(((), (), ("--tile", "24"), ("--alpha", "network"), ("--scale", "4")))
        return Command((*argv, *more), what, ("out",))
    if which < 0.9:
        argv = ("latency", m.GRAPH, "--size", "8x8", "--rounds", "1", "--reference", m.GRAPH)
        return Command(argv, what)
    if which < 0.95:
        return Command(("describe", m.GRAPH, "--no-latency"), what)
    return Command(("evaluate", m.GRAPH, "--set", f"a={m.PHOTOS}"), what)


def _other_graph(rng: random.Random, path: Path) -> str:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    way = rng.choice(
        (
            "metadata",
            "metadata",
            "input",
            "opset",
            "node",
            "weights",
            "outside",
            "plain",
            "no output",
        )
    )
    if way == "metadata":
        entry = rng.choice(model.metadata_props)
        entry.value = str(strange(rng))[:100_000]
        way = f"metadata {entry.key}: {entry.value[:40]!r}"
    elif way == "input":
        dims = graph.input[0].type.tensor_type
        dims.elem_type = rng.choice((TensorProto.UINT8, TensorProto.DOUBLE, TensorProto.STRING, 99))
    elif way == "opset":
        model.opset_import[0].version = rng.choice((0, 1, 5, 999, -1))
    elif way == "node":
        node = rng.choice(graph.node)
        if rng.random() < 0.5:
            node.op_type = rng.choice(("Nothing", "Relu", "Loop", "", "StringNormalizer"))
        else:
            graph.node.remove(node)
    elif way == "weights":
        tensor = rng.choice(graph.initializer)
        shape = rng.choice(((0,), (2, 2), (10**6,), ()))
        tensor.CopyFrom(
            numpy_helper.from_array(__import__("numpy").zeros(shape, "float32"), tensor.name)
        )
    elif way == "outside":
        tensor = rng.choice(graph.initializer)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        where = rng.choice(
            ("nothing.bin", "../../../etc/passwd", "/etc/passwd", f"{m.PHOTOS}/0.png", "x" * 5000)
        )
        tensor.external_data.append(onnx.StringStringEntryProto(key="location", value=where))
    elif way == "plain":
        value = helper.make_tensor_value_info(
            "x", TensorProto.FLOAT, rng.choice((None, [1, 3, "h", "w"], [1, 3, 8, 8], [2]))
        )
        out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        kind = rng.choice(("Identity", "Shape", "Flatten", "Exp"))
        model = helper.make_model(
            helper.make_graph([helper.make_node(kind, ["x"], ["y"])], "g", [value], [out])
        )
    else:
        del graph.output[:]
    path.write_bytes(model.SerializeToString())
    return way
