"""Checkpoints that are damaged, of something else, or a trap: one line."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from search_spaces.checkpoints import import_checkpoint
from search_spaces.errors import InputError
from tests.search_spaces_tests.their_weights import State, saved


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_must_be_finite(value: float, imdn: State, tmp_path: Path) -> None:
    imdn["IMDB3.c2.bias"][5] = value
    with pytest.raises(InputError, match=r"IMDB3\.c2\.bias holds values that are not finite"):
        import_checkpoint(saved(imdn, tmp_path / "a.pth"), "imdn", 2)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_file(share: float, zipped: bool, imdn: State, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(imdn, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="truncated, damaged or not a checkpoint"):
        import_checkpoint(path, "imdn", 2)


class Trap:
    """Unpickling it writes a file, which is what must never happen."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.target, "sprung")


@pytest.mark.parametrize("how", ["zip", "legacy", "bare pickle"])
def test_code_in_a_pickle_never_runs(how: str, imdn: State, tmp_path: Path) -> None:
    path, target = tmp_path / "a.pth", tmp_path / "sprung"
    data = {**imdn, "more": Trap(target)}
    if how == "bare pickle":
        path.write_bytes(pickle.dumps({"more": Trap(target)}))
    else:
        torch.save(data, path, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(InputError, match=r"asks for Python code \(.+\) and was not run"):
        import_checkpoint(path, "imdn", 2)
    assert not target.exists()
    # The trap is a real one.
    torch.load(path, weights_only=False) if how != "bare pickle" else pickle.loads(
        path.read_bytes()
    )
    assert target.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], "holds list, expected a mapping"),
        ({}, "holds dict, expected a mapping"),
        ({"epoch": 3}, "epoch is int, expected a floating-point tensor"),
        ({"a": torch.ones(2, dtype=torch.int64)}, "a is torch.int64, expected a floating-point"),
        ({"a": torch.ones(2)}, r"its keys \(a\) follow no known layout \(disp, imdn, rfdn, "),
    ],
)
def test_other_contents(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        import_checkpoint(saved(data, tmp_path / "a.pth"), "imdn", 2)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read \\(no such file"):
        import_checkpoint(tmp_path / "none.pth", "imdn", 2)
    with pytest.raises(InputError, match="cannot be read \\(is a directory"):
        import_checkpoint(tmp_path, "imdn", 2)
