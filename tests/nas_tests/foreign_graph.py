"""ONNX files of another maker."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_resize"]


def write_resize(path: Path, *, height: int | str = "h", factor: int = 2) -> None:
    """Enlarges RGB images by repeating pixels, of any size unless ``height`` is a number."""
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    resize = helper.make_node("Resize", ["in", "", "scales"], ["out"], mode="nearest")
    graph = helper.make_graph(
        [resize], path.stem,
        [helper.make_tensor_value_info("in", kind, [1, 3, height, "w"])],
        [helper.make_tensor_value_info("out", kind, None)],
        [helper.make_tensor("scales", kind, [4], [1.0, 1.0, float(factor), float(factor)])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(path))
