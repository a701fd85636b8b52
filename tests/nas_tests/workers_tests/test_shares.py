"""How a machine is shared out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.workers.shares import Machine, default_workers, shares
from search_spaces.errors import InputError

H100 = 80 * 10**9

machines = st.builds(
    Machine,
    st.integers(1, 64),
    st.lists(st.sampled_from("01234567"), max_size=8, unique=True).map(tuple),
    st.integers(10**9, H100),
)


@given(machines, st.data())
def test_whatever_fits_is_shared_out(machine: Machine, data: st.DataObject) -> None:
    workers = data.draw(st.integers(1, machine.most_workers))
    each = shares(workers, machine)
    assert len(each) == workers
    assert sum(share.threads for share in each) <= machine.cores
    used = [share.gpu for share in each]
    if machine.gpus:
        counts = [used.count(gpu) for gpu in machine.gpus]
        assert sum(counts) == workers
        assert max(counts) - min(counts) <= 1
    else:
        assert set(used) == {None}


@given(machines, st.integers(0, 10_000))
def test_the_default_fits(machine: Machine, steps: int) -> None:
    assert 1 <= default_workers(machine, steps) <= machine.most_workers


@pytest.mark.parametrize(
    ("machine", "workers", "told"),
    [
        (Machine(2), 3, r"3 are more than this machine holds \(2 cores\); expected at most 2"),
        (Machine(1), 2, r"\(1 core\); expected at most 1"),
        (Machine(64, ("0",), 8 * 10**9), 5, r"64 cores and 1 GPU of 8 GB\); expected at most 4"),
        (Machine(4, ("0", "1"), H100), 5, r"4 cores and 2 GPUs of 80 GB\); expected at most 4"),
        (Machine(4), -1, "expected at least 1, got -1"),
    ],
)
def test_too_many(machine: Machine, workers: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        shares(workers, machine)


def test_variables() -> None:
    three = [share.environment for share in shares(3, Machine(8, ("4", "7"), H100))]
    assert {variables["OMP_NUM_THREADS"] for variables in three} == {"2"}
    assert [variables["CUDA_VISIBLE_DEVICES"] for variables in three] == ["4", "7", "4"]
    assert "CUDA_VISIBLE_DEVICES" not in shares(1, Machine(8))[0].environment
