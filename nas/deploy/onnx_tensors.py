"""What every tensor of an ONNX graph is on images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.deploy.onnx_file import INPUT

if TYPE_CHECKING:
    import onnx

__all__ = ["tensors_on"]

Array = npt.NDArray[np.float32]


def tensors_on(model: onnx.ModelProto, images: Iterable[Array]) -> Iterator[dict[str, Array]]:
    """The float32 tensors that a graph makes of each image, by name; run on one thread.

    Args:
        model: a float graph, which stays as it is.
        images: LR, (1, colors, h, w) in 0..1.
    """
    import onnx
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    names = [out for node in model.graph.node for out in node.output if out]
    del watched.graph.output[:]
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for image in images:
        made = zip(names, session.run(names, {INPUT: image}), strict=True)
        yield {name: tensor for name, tensor in made if tensor.dtype == np.float32}
