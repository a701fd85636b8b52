"""Files for any size as ones for a single size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.deploy.litert.export import export_litert
from nas.deploy.litert.interpreter import open_litert, open_tflite
from nas.deploy.litert.sized import write_sized
from nas.latency.command.int8 import export_int8
from search_spaces.attention.esa import LEAST_SIDE_PX
from search_spaces.errors import InputError
from tests.nas_tests.deploy_tests.conftest import lively
from tests.nas_tests.deploy_tests.every_part import EVERY_PART
from tests.nas_tests.deploy_tests.litert_tests.test_int8 import content
from tests.requirements import needs

needs("onnxscript", "ai-edge-litert")


@pytest.mark.usefixtures("exports_once")
@pytest.mark.parametrize("write", [export_litert, export_int8])
def test_it_is_what_would_have_been_written_for_the_size(
    write: Callable[..., Any], tmp_path: Path
) -> None:
    network = lively(**EVERY_PART["esa"])
    free, own, made = (tmp_path / f"{name}.tflite" for name in ("free", "own", "made"))
    write(network, free)
    for size in ((33, 40), (7, 22)):
        write(network, own, lr_size=size)
        assert write_sized(free, made, size) == made
        opened, expected = open_tflite(made), open_tflite(own)
        assert opened.inputs == expected.inputs
        assert opened.metadata == expected.metadata
        # Of what small images need, borders that are repeated, more than is needed is cut off.
        more = Counter(content(made)[0]) - Counter(content(own)[0])
        assert more.keys() <= ({"STRIDED_SLICE"} if min(size) < LEAST_SIDE_PX else set())
        image = np.random.default_rng(0).random((1, 3, *size), np.float32)
        assert np.array_equal(open_litert(made)(image), open_litert(own)(image))


def test_one_of_a_size_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    export_litert(lively(**EVERY_PART["near"]), path, lr_size=(9, 14))
    assert write_sized(path, tmp_path / "made.tflite", (9, 14)) == path
    assert [one.name for one in tmp_path.iterdir()] == ["net.tflite"]


def test_what_cannot_be_made_so_costs_one_line(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(b"TFL3" * 20)
    with pytest.raises(InputError, match=r"cannot be made one for 14x9 .* with --size") as refused:
        write_sized(path, tmp_path / "made.tflite", (9, 14))
    assert "\n" not in str(refused.value)
    assert [one.name for one in tmp_path.iterdir()] == ["net.tflite"]
