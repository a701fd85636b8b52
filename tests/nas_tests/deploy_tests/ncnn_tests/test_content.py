"""Files that ncnn is given are sound: it believes what it reads."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from nas.deploy.ncnn.content import contents
from nas.deploy.ncnn.file import export_ncnn
from nas.deploy.ncnn.layer import Layer, Param, Weights, written
from nas.deploy.ncnn.runtime import open_ncnn
from nas.deploy.parity import Array
from nas.upscale.runtime_network import RuntimeNetwork
from search_spaces.errors import InputError
from tests.nas_tests.deploy_tests.conftest import lively
from tests.requirements import needs

needs("onnxscript", "ncnn")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, exports_once: None) -> tuple[str, bytes]:
    path = tmp_path_factory.mktemp("ours") / "net.param"
    export_ncnn(lively(image_skip="linear"), path)
    return path.read_text(), path.with_suffix(".bin").read_bytes()


def placed(folder: Path, text: str, weights: bytes) -> Path:
    path = folder / "net.param"
    path.write_text(text)
    path.with_suffix(".bin").write_bytes(weights)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_ncnn(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_whatever_is_damaged_is_told(ours: tuple[str, bytes], tmp_path: Path) -> None:
    text, weights = ours
    dice = np.random.default_rng(0)
    for _ in range(40):
        letters, at = bytearray(text.encode()), int(dice.integers(len(text)))
        letters[at] ^= int(dice.integers(1, 128))
        if letters != text.encode():
            refusal(placed(tmp_path, letters.decode("latin-1"), weights))
        bent, at = bytearray(weights), int(dice.integers(len(weights)))
        bent[at] ^= int(dice.integers(1, 256))
        refusal(placed(tmp_path, text, bytes(bent)))
        refusal(placed(tmp_path, text[: int(dice.integers(len(text) - 1))], weights))
        refusal(placed(tmp_path, text, weights[: int(dice.integers(len(weights) - 1))]))
    refusal(placed(tmp_path, text, weights + b"\0"))


def test_what_it_says_of_itself_may_be_anything(ours: tuple[str, bytes], tmp_path: Path) -> None:
    text, weights = ours
    mark = weights[-8:]
    for said in (b"[" * 100_000, b"[1]", b"7"):
        bent = weights + said + struct.pack("<I", len(said)) + mark
        assert "damaged at its end" in refusal(placed(tmp_path, text, bent))


def test_what_is_not_there(ours: tuple[str, bytes], tmp_path: Path) -> None:
    path = placed(tmp_path, *ours)
    path.with_suffix(".bin").unlink()
    assert "net.bin: no such file; expected ncnn's .bin file beside it" in refusal(path)
    assert "gone.param: no such file" in refusal(tmp_path / "gone.param")


KERNEL: dict[int, Param] = {0: 12, 1: 3, 4: 1, 6: 324}


def foreign(
    colors: int = 3, kind: str = "Convolution", params: dict[int, Param] = KERNEL
) -> list[Layer]:
    """As other makers write: without what is said behind the weights."""
    kernel = Weights(np.full((12, colors, 3, 3), 0.1), tagged=True)
    return [
        Layer("Input", (), ("data",)),
        Layer(kind, ("data",), ("wide",), {**params, 6: kernel.values.size}, (kernel,)),
        Layer("PReLU", ("wide",), ("bent",), {0: 12}, (Weights(np.full(12, 0.25)),)),
        Layer("PixelShuffle", ("bent",), ("large",), {0: 2}),
        Layer("Interp", ("data",), ("near",), {0: 1, 1: 2.0, 2: 2.0}),
        Layer("BinaryOp", ("large", "near"), ("out",), {0: 0}),
    ]


def test_a_file_of_another_maker(tmp_path: Path) -> None:
    network = RuntimeNetwork.of_file(placed(tmp_path, *written(foreign())))
    assert (network.scale, network.colors, network.architecture) == (2, 3, None)
    image: Array = np.full((1, 3, 7, 9), 0.5, np.float32)
    inner = network.run(image, (7, 9), (0, 0))[0, :, 4:-4, 4:-4]
    np.testing.assert_allclose(inner, 27 * 0.1 * 0.5 + 0.5, rtol=1e-5)


def test_weights_of_two_bytes(tmp_path: Path) -> None:
    text, weights = written(foreign())
    halves = np.frombuffer(weights[4 : 4 + 324 * 4], "<f4").astype("<f2").tobytes()
    path = placed(tmp_path, text, bytes.fromhex("476b3001") + halves + weights[4 + 324 * 4 :])
    assert contents(path, path.with_suffix(".bin")).read.colors == 3
    assert RuntimeNetwork.of_file(path).scale == 2


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (foreign(kind="Yolov3DetectionOutput"), "Yolov3DetectionOutput is not known here"),
        (foreign(colors=2), "is made of 1 channels by weights for 2"),
        (foreign(params={**KERNEL, 8: 1}), "Convolution in int8 is not known here"),
        (foreign(params={**KERNEL, 3: 0}), "Convolution with a size below 1"),
        (foreign(params={**KERNEL, 4: 10**6}), "Convolution with a size above 256"),
        ([Layer("Input", (), ("data",), {2: 1}), *foreign()[1:]], "made of 1 channels by weights"),
        (foreign()[:-1], "one input and one output, found 1 and 2"),
        ([*foreign()[:-1], Layer("BinaryOp", ("large",), ("out",))], "BinaryOp with 1 inputs"),
    ],
)
def test_what_ncnn_would_stumble_over(layers: list[Layer], told: str, tmp_path: Path) -> None:
    assert told in refusal(placed(tmp_path, *written(layers)))


def test_what_would_end_the_process_ends_another(tmp_path: Path) -> None:
    # A slope inside the convolution, but none given.
    layers = foreign(params={**KERNEL, 9: 2})
    assert "ncnn cannot run it, or would end" in refusal(placed(tmp_path, *written(layers)))


def test_counts_and_weights_that_do_not_fit(tmp_path: Path) -> None:
    text, weights = written(foreign())
    assert "expected 9 layers" in refusal(placed(tmp_path, text.replace("\n7 ", "\n9 "), weights))
    assert "ends in the weights of" in refusal(placed(tmp_path, text, weights[:-1]))
    assert "of which the layers in net.param take" in refusal(
        placed(tmp_path, text, weights + bytes(4))
    )
    unknown = bytes.fromhex("384b0d00") + weights[4:]
    assert "in a format that is not known" in refusal(placed(tmp_path, text, unknown))
    assert "found 0 and 1" in refusal(
        placed(tmp_path, text.replace("Input ", "MemoryData "), weights)
    )
    assert "first line is 7767517" in refusal(placed(tmp_path, "7767518\n", weights))
