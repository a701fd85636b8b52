"""What the picture of an audit says."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from nas.audit.trust import Trust
from reports.plots.audit import audit_info
from reports.plots.audit_figure import draw_audit, save_audit
from tests.reports_tests.accounts import judged as made_up


@pytest.fixture(scope="module")
def judged() -> Trust:
    return made_up()


def test_says_what_was_found(judged: Trust) -> None:
    info = audit_info(judged, "Audit of a run")
    assert info.subtitle.startswith("12 networks, 30 steps against 150")
    assert [one.axis_label for one in info.scatters] == [
        "Lead after 10 steps [dB]", "Lead after 30 steps [dB]",
    ]  # fmt: skip
    proxy = info.scatters[1]
    tau = judged.proxy.tau_at_price
    assert proxy.legend == f"at equal price, tau {tau.value:.2f} ({tau.low:.2f} to {tau.high:.2f})"
    leads = list(zip(judged.rung_leads[30][:-1], judged.long_leads[:-1], strict=True))
    assert list(proxy.points) == leads
    assert info.diverged == 1
    assert info.long_noise_db == judged.noise_db / math.sqrt(2)
    assert [bar.label for bar in info.bars][:2] == ["10 steps", "30 steps (proxy)"]
    assert len(info.bars) == len(judged.signals)
    assert info.ceiling == judged.ceiling.tau_at_price


def test_draws_the_same_bytes(judged: Trust, tmp_path: Path) -> None:
    info = audit_info(judged, "Audit of a $run$")
    first = [path.read_bytes() for path in save_audit(info, tmp_path / "one")]
    assert first == [path.read_bytes() for path in save_audit(info, tmp_path / "two")]


def test_draws_a_bar_for_every_tau(judged: Trust) -> None:
    info = audit_info(judged, "Audit")
    *scatters, bars = draw_audit(info).axes
    assert len(scatters) == 2
    assert len(bars.patches) >= 2 * len(info.bars)
