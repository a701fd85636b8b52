from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nas.training.teacher import frozen, load_teacher
from search_spaces import Architecture, build, save_weights
from search_spaces.errors import InputError


def test_a_teacher_is_loaded_and_stays_as_it_is(architecture: Architecture, tmp_path: Path) -> None:
    wider = Architecture.from_dict(architecture.to_dict() | {"channels": 10})
    network, file = build(wider), tmp_path / "teacher.safetensors"
    save_weights(network, file)
    teacher = load_teacher(file, architecture, "cpu")
    assert teacher is not None
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    image = torch.rand(1, 3, 6, 6)
    assert torch.equal(teacher(image), frozen(network, "cpu")(image))
    assert load_teacher(None, architecture, "cpu") is None


@pytest.mark.parametrize("change", [{"scale": 3}, {"colors": 1}])
def test_one_of_another_scale_or_colours_cannot_teach(
    change: dict[str, int], architecture: Architecture, tmp_path: Path
) -> None:
    file = tmp_path / "teacher.safetensors"
    save_weights(build(Architecture.from_dict(architecture.to_dict() | change)), file)
    with pytest.raises(InputError, match=f"expected a teacher of the same {next(iter(change))}"):
        load_teacher(file, architecture, "cpu")
