"""A fitted latency model: how near it comes, its file, and whom it holds for.

Times are made up from a known rule with seeded noise, so nothing is measured here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas.latency.campaign import measure_networks, read_measured
from nas.latency.device import Device, name_of
from nas.latency.fit import accuracy_of, fit_model
from nas.latency.measure import Measured
from nas.latency.model import Accuracy, LatencyModel, model_for
from nas.latency.operations import Operation, operations
from nas.latency.regression import fit_curve
from nas.latency.samples import random_networks
from search_spaces import Architecture, Space, preset
from search_spaces.errors import InputError

LR = (30, 40)
DEVICE = Device("Abacus 3", "cpu", "torch", "float32", 1, LR, 4, (("torch", "2"),))
SPACE = Space.load("distillation")


def true_ms(one: Operation) -> float:
    """Multiply-adds with widths rounded up to eights, memory, and a call's constant."""
    wide = (-(-c // 8) * 8 / max(1, c) for c in (one.channels_in, one.channels_out))
    first, second = wide
    moved = (one.read + one.written) / 2e6
    return 0.004 + one.macs * first * second / 2e7 + moved


def made_up(arch: Architecture, noise: random.Random, *, inside: bool, slow: float = 1) -> Measured:
    of = [true_ms(one) * noise.uniform(0.97, 1.03) for one in operations(arch, LR)]
    whole = (sum(of) * 1.02 + 0.3) * noise.uniform(0.99, 1.01) * slow
    parts = tuple(ms * slow for ms in of) if inside else ()
    return Measured(arch.to_dict(), whole, parts, 3.0 * slow)


@pytest.fixture(scope="module")
def networks() -> list[Architecture]:
    return list(islice(random_networks(SPACE, 4, 0), 36))


def fitted(networks: list[Architecture], *, inside: bool = True) -> LatencyModel:
    noise = random.Random(0)
    measured = [made_up(a, noise, inside=inside) for a in networks]
    return fit_model(measured, DEVICE, space="distillation", made_with={"torch": "2"}, held_out=12)


@pytest.fixture(scope="module")
def model(networks: list[Architecture]) -> LatencyModel:
    return fitted(networks)


def test_held_out_networks_are_foretold(model: LatencyModel) -> None:
    assert model.accuracy is not None
    assert (model.fitted_on, model.accuracy.networks) == (24, 12)
    # Three percent of noise on each operator, and widths rounded up otherwise than in the basis.
    assert model.accuracy.median_error < 0.06
    assert model.accuracy.worst_error < 0.2
    assert model.accuracy.kendall_tau > 0.85


def test_whole_passes_alone_do_as_well(networks: list[Architecture]) -> None:
    accuracy = fitted(networks, inside=False).accuracy
    assert accuracy is not None
    assert accuracy.median_error < 0.1
    assert accuracy.kendall_tau > 0.85


def test_a_slower_machine_for_a_while_changes_nothing(networks: list[Architecture]) -> None:
    noise = random.Random(0)
    slow = [
        made_up(a, noise, inside=True, slow=1.5 if k % 3 == 0 else 1.0)
        for k, a in enumerate(networks)
    ]
    model = fit_model(slow, DEVICE, space="distillation", made_with={}, held_out=0)
    noise = random.Random(1)
    steady = [made_up(a, noise, inside=True) for a in networks]
    assert accuracy_of(model, steady).median_error < 0.02
    assert model.accuracy is None


def test_operators_never_seen_cost_something(model: LatencyModel) -> None:
    # Depthwise, transposed, and 17x17 convolutions are not in the space.
    for name in ("e_rfdn_bs", "idn", "span"):
        arch = preset(name, 4)
        true = sum(true_ms(one) for one in operations(arch, LR))
        assert true / 4 < model.predict_ms(arch) < true * 4


def test_curve_goes_through_equal_points_by_their_median() -> None:
    one = Operation("cat", 40, 40, 1200, 48_000, 48_000, 0)
    curve = fit_curve([one] * 5, [1.0, 1.0, 1.1, 0.9, 9.0])
    wide = [one._replace(channels_out=c, channels_in=c, read=1200 * c, written=1200 * c)
            for c in (8, 16, 40, 80, 128)]  # fmt: skip
    curve = fit_curve(wide, [0.1, 0.2, 0.6, 1.0, 1.6])
    assert curve.predict_ms(wide) == pytest.approx([0.1, 0.2, 0.6, 1.0, 1.6], rel=0.15)


def test_file(model: LatencyModel, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    model.save(path)
    again = LatencyModel.load(path)
    arch = preset("rfdn", 4)
    assert again.predict_ms(arch) == pytest.approx(model.predict_ms(arch), rel=1e-3)
    assert (again.device, again.accuracy, again.space) == (DEVICE, model.accuracy, "distillation")
    again.save(tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_text() == path.read_text()
    assert LatencyModel.load(tmp_path / "again.yaml").hash == again.hash
    assert path.stat().st_size < 300_000


def test_too_few_networks(networks: list[Architecture]) -> None:
    measured = [made_up(a, random.Random(0), inside=True) for a in networks[:9]]
    with pytest.raises(InputError, match="needs 8 networks or more to fit on, got 7"):
        fit_model(measured, DEVICE, space="x", made_with={}, held_out=2)


def test_accuracy() -> None:
    found = Accuracy.of([1.1, 2.0, 2.7], [1.0, 2.0, 3.0])
    assert (found.networks, found.kendall_tau) == (3, 1.0)
    assert found.median_error == found.worst_error == pytest.approx(0.1)


class TestHoldsFor:
    @pytest.fixture
    def path(self, model: LatencyModel, tmp_path: Path) -> Path:
        replace(model, device=replace(DEVICE, name=name_of("cpu"))).save(tmp_path / "here.yaml")
        model.save(tmp_path / "there.yaml")
        return tmp_path / "here.yaml"

    def test_this_device(self, path: Path) -> None:
        found = model_for(path, lr_size=None, scale=4, place="cpu", elsewhere=False)
        assert found.device.lr_size == LR
        there = path.with_name("there.yaml")
        model_for(there, lr_size=LR, scale=4, place="cpu", elsewhere=True)

    def test_others(self, path: Path) -> None:
        there = path.with_name("there.yaml")
        for file, lr, scale, told in (
            (there, None, 4, "of the device 'Abacus 3', this one is"),
            (path, (30, 41), 4, "is of 40x30 input, but --latency-size is 41x30"),
            (path, None, 2, "is of networks x4, but --scale is 2"),
        ):
            with pytest.raises(InputError, match=told) as caught:
                model_for(file, lr_size=lr, scale=scale, place="cpu", elsewhere=False)
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"latency_model": 2}, "expected a latency model"),
            ({"totals": [1]}, "damaged latency model"),
            ({"curves": {}}, "curves missing"),
            ({"curves": {"cat": {"weights": [1], "points": [], "reach": 1}}}, "damaged"),
            (
                {"curves": {"cat": {"weights": [1] * 6, "points": [[1e200] * 4], "reach": 1}}},
                "damaged",
            ),
            ({"curves": {"cat": {"weights": [1] * 6, "points": [], "reach": 0}}}, "damaged"),
            ({"device": None}, "damaged latency model"),
        ],
    )
    def test_damaged(self, change: dict[str, object], told: str, path: Path) -> None:
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
        with pytest.raises(InputError, match=told) as caught:
            LatencyModel.load(path)
        assert "\n" not in str(caught.value)


class TestCampaign:
    @pytest.fixture(autouse=True)
    def _measures_nothing(self) -> None:
        self.noise, self.batches = random.Random(0), list[int]()

    def measure(self, some: Sequence[Architecture]) -> list[Measured]:
        self.batches.append(len(some))
        return [made_up(a, self.noise, inside=True) for a in some]

    def campaign(self, path: Path, some: list[Architecture], **more: Any) -> list[Measured]:
        return measure_networks(path, some, DEVICE, measure=self.measure, **more)

    def test_goes_on_where_it_stopped(self, networks: list[Architecture], tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        some = networks[:14]
        first = self.campaign(path, some, on_batch=lambda _: True)
        assert self.batches == [len(first)] == [6]
        # Killed while it wrote: half a line is left.
        text = path.read_text().splitlines()
        path.write_text("\n".join([*text[:-1], text[-1][:40]]) + "\n")
        rest = self.campaign(path, some)
        assert self.batches == [6, 6, 3]
        assert [one.architecture for one in rest] == [a.to_dict() for a in some]
        assert self.campaign(path, some) == read_measured(path, DEVICE)
        assert self.batches == [6, 6, 3]

    def test_what_cannot_be_measured_is_left_out(
        self, networks: list[Architecture], tmp_path: Path
    ) -> None:
        def some_of(batch: Sequence[Architecture]) -> list[Measured]:
            return self.measure(batch)[1:]

        path = tmp_path / "notes.jsonl"
        found = measure_networks(path, networks[:4], DEVICE, measure=some_of, at_once=2)
        assert [one.architecture for one in found] == [networks[k].to_dict() for k in (1, 3)]

    def test_of_another_device(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.jsonl"
        path.write_text(json.dumps({"device": DEVICE.to_dict()}) + "\n")
        with pytest.raises(InputError, match="holds measurements of Abacus 3"):
            read_measured(path, replace(DEVICE, threads=2))
