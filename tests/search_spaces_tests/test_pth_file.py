"""Checkpoints that no training wrote: one line, and no more memory than the file is worth."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from search_spaces.errors import InputError
from search_spaces.pth_file import read_checkpoint
from tests.search_spaces_tests.their_weights import saved


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "old"])
@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: torch.eye(3).to_sparse(), r"a is torch\.sparse_coo, expected a floating-point"),
        (lambda: torch.eye(3).to_sparse_csr(), r"a is torch\.sparse_csr, expected a floating-p"),
        (lambda: torch.ones(3, device="meta"), "a is on the device meta, without values"),
        (lambda: torch.ones(2, dtype=torch.complex64), r"a is torch\.complex64, expected a floa"),
        (lambda: torch.ones(2, dtype=torch.bool), r"a is torch\.bool, expected a floating-point"),
        (lambda: torch.ones(1).expand(10**11), "has 100000000000 values and stores 1; expected"),
        (lambda: torch.ones(9).as_strided((7, 3), (1, 1)), "has 21 values and stores 9; expected"),
        (lambda: torch.full((2,), 1e300, dtype=torch.float64), "a holds values that are not fin"),
    ],
)
def test_other_kinds_of_tensors(
    made: Callable[[], Tensor], message: str, archive: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save({"a": made()}, path, _use_new_zipfile_serialization=archive)
    with pytest.raises(InputError, match=message) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.ones(3).to(torch.float8_e4m3fn), r"a is torch\.float8_e4m3fn, expected a floatin"),
        (torch.ones(3).to(torch.float8_e5m2), r"a is torch\.float8_e5m2, expected a float"),
    ],
)
def test_small_floats(tensor: Tensor, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_checkpoint(saved({"a": tensor}, tmp_path / "a.pth"))


def test_quantised_and_nested_tensors(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
        first = saved({"a": quantised}, tmp_path / "a.pth")
        second = saved({"a": nested}, tmp_path / "b.pth")
    with pytest.raises(InputError, match=r"a is torch\.qint8, expected a floating-point tensor"):
        read_checkpoint(first)
    with pytest.raises(InputError, match="a is nested, expected a floating-point tensor"):
        read_checkpoint(second)


def test_many_views_of_the_same_values(tmp_path: Path) -> None:
    one = torch.ones(100_000)
    path = saved({f"a{k}": one for k in range(50)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="its tensors would take 20000000 bytes, the file has 4"):
        read_checkpoint(path)
    tied = read_checkpoint(saved({"a": one, "b": one}, tmp_path / "b.pth"))
    assert torch.equal(tied["a"], tied["b"])


@pytest.mark.parametrize("share", ["data", "pickle"])
def test_a_packed_file_is_not_unpacked(share: str, tmp_path: Path) -> None:
    plain = zipfile.ZipFile(saved({"a": torch.zeros(100_000)}, tmp_path / "a.pth"))
    with plain, zipfile.ZipFile(tmp_path / "b.pth", "w") as packed:
        for one in plain.infolist():
            hit = ("/data/" in one.filename) if share == "data" else one.filename.endswith(".pkl")
            kind = zipfile.ZIP_DEFLATED if hit else zipfile.ZIP_STORED
            packed.writestr(one.filename, plain.read(one), compress_type=kind)
    with pytest.raises(InputError, match=r"is compressed; expected a file as torch\.save writes"):
        read_checkpoint(tmp_path / "b.pth")


def test_a_mapping_that_holds_itself(tmp_path: Path) -> None:
    data: dict[str, Any] = {}
    data["model"] = {"net": data}
    with pytest.raises(InputError, match="holds a mapping that holds itself"):
        read_checkpoint(saved(data, tmp_path / "a.pth"))


def test_keys_that_are_no_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds a key that is int, expected names"):
        read_checkpoint(saved({1: torch.ones(1)}, tmp_path / "a.pth"))


def test_what_was_read_stays_as_it_was(tmp_path: Path) -> None:
    path = saved({"a": torch.ones(5)}, tmp_path / "a.pth")
    found = read_checkpoint(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(found["a"], torch.ones(5))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"cannot be read \(a named pipe, not a regular file\)"):
        read_checkpoint(tmp_path / "a.pth")
