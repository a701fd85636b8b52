from __future__ import annotations

from collections import Counter

import pytest

from reports.published import PublishedResult, published_results
from search_spaces.errors import InputError

RFDN = "Liu et al., RFDN, ECCVW 2020"


def row(table: str, network: str, test_set: str, scale: int) -> PublishedResult:
    (found,) = (
        r for r in published_results(test_set, scale) if (r.table, r.network) == (table, network)
    )
    return found


# Read off the paper by eye.
@pytest.mark.parametrize(
    ("table", "network", "test_set", "scale", "psnr_db", "ssim", "params_k"),
    [
        ("Table 1", "Base", "Set5", 4, 32.08, 0.8932, 652),
        ("Table 1", "SRB", "B100", 4, 27.53, 0.7347, 652),
        ("Table 1", "FDC", "Manga109", 4, 30.47, 0.9077, 637),
        ("Table 1", "RFDB", "Urban100", 4, 26.10, 0.7859, 637),
        ("Table 2", "RFDN rate 0.25", "Set14", 4, 28.57, 0.7811, 523),
        ("Table 2", "RFDN rate 0.5", "Set5", 4, 32.16, 0.8945, 544),
        ("Table 2", "RFDN rate 0.75", "Manga109", 4, 30.46, 0.9081, 565),
        ("Table 3", "Bicubic", "Set5", 2, 33.66, 0.9299, None),
        ("Table 3", "Bicubic", "Set5", 3, 30.39, 0.8682, None),
        ("Table 3", "Bicubic", "Manga109", 4, 24.89, 0.7866, None),
        ("Table 3", "SRCNN", "Urban100", 3, 26.24, 0.7989, 8),
        ("Table 3", "LapSRN", "Set5", 2, 37.52, 0.9591, 251),
        ("Table 3", "LapSRN", "Set5", 3, 33.81, 0.9220, 502),
        ("Table 3", "IDN", "Set14", 2, 33.30, 0.9148, 553),
        ("Table 3", "SRMDNF", "B100", 4, 27.49, 0.7337, 1552),
        ("Table 3", "CARN", "Manga109", 3, 33.50, 0.9440, 1592),
        ("Table 3", "IMDN", "Set5", 2, 38.00, 0.9605, 694),
        ("Table 3", "IMDN", "Set14", 2, 33.63, 0.9177, 694),
        ("Table 3", "IMDN", "Urban100", 4, 26.04, 0.7838, 715),
        ("Table 3", "RFDN", "Set5", 4, 32.24, 0.8952, 550),
        ("Table 3", "RFDN-L", "Manga109", 4, 30.61, 0.9096, 643),
        ("Table 4", "IMDN", "Set5", 4, 32.16, 0.8940, 715),
        ("Table 4", "RFDN", "Manga109", 4, 30.48, 0.9080, 550),
        ("Table 5", "E-RFDN (NJU_MCG)", "AIM 2020 test", 4, 28.75, None, 433),
        ("Table 5", "MSRResNet", "AIM 2020 test", 4, 28.70, None, 1517),
    ],
)
def test_rows_of_the_rfdn_paper(
    table: str,
    network: str,
    test_set: str,
    scale: int,
    psnr_db: float,
    ssim: float | None,
    params_k: float | None,
) -> None:
    found = row(table, network, test_set, scale)
    assert found.source == RFDN
    assert (found.psnr_db, found.ssim, found.params_k) == (psnr_db, ssim, params_k)


def test_multi_adds_and_the_abstract() -> None:
    assert row("Table 5", "E-RFDN (NJU_MCG)", "AIM 2020 test", 4).multi_adds_g == 27.10
    mrdn = row("Abstract", "MRDN", "Manga109", 4)
    assert (mrdn.psnr_db, mrdn.ssim) == (30.66, None)
    assert mrdn.source.startswith("Yang et al., MRDN")


def test_tiny_networks_state_their_multi_adds() -> None:
    sesr = row("x2", "SESR-M5", "Set14", 2)
    assert (sesr.psnr_db, sesr.params_k, sesr.multi_adds_g) == (32.84, 13.5, 3.1)
    tiny = [result for result in published_results(scale=2) if result.table == "x2"]
    # A network costs as many multi-adds as parameters at each of 640 x 360 pixels; FSRCNN, whose
    # last layer works on the large image, is dearer.
    for result in tiny:
        assert result.params_k is not None
        assert result.multi_adds_g is not None
        assert 0.9 < result.multi_adds_g / (result.params_k * 0.2304) < 2.2, result


def test_tables_are_whole() -> None:
    counts = Counter(result.table for result in published_results())
    # Rows times test sets; table 3 has 14 methods at 3 scales.
    assert counts == {
        "Table 1": 4 * 5,
        "Table 2": 3 * 5,
        "Table 3": 14 * 3 * 5,
        "Table 4": 2 * 5,
        "Table 5": 7,
        "Abstract": 1,
        "x2": 12 + 1,
    }


def test_no_row_twice() -> None:
    keys = Counter((r.source, r.table, r.network, r.test_set, r.scale) for r in published_results())
    assert [key for key, count in keys.items() if count > 1] == []


def test_figures_are_in_range() -> None:
    for result in published_results():
        assert 20 < result.psnr_db < 40, result
        assert result.ssim is None or 0.6 < result.ssim < 1, result
        assert result.params_k is None or 5 < result.params_k < 2000, result
        assert result.multi_adds_g is None or 2 < result.multi_adds_g < 200, result
        assert result.scale in (2, 3, 4)


def test_every_network_beats_bicubic_and_loses_with_scale() -> None:
    # A slip of a digit would break one of these orders.
    table = [result for result in published_results() if result.table == "Table 3"]
    by = {(r.network, r.test_set, r.scale): r for r in table}
    for (network, test_set, scale), result in by.items():
        floor = by["Bicubic", test_set, scale]
        assert result.ssim is not None
        assert floor.ssim is not None
        if network != "Bicubic":
            assert 0.9 < result.psnr_db - floor.psnr_db < 8.5, result
            assert 0.01 < result.ssim - floor.ssim < 0.14, result
        if scale < 4:
            worse = by[network, test_set, scale + 1]
            assert worse.ssim is not None
            assert 1.0 < result.psnr_db - worse.psnr_db < 6.5, result
            assert 0.01 < result.ssim - worse.ssim < 0.13, result


def test_selection() -> None:
    some = published_results("set5", 3)
    assert {(r.test_set, r.scale) for r in some} == {("Set5", 3)}
    assert len(some) == 14


@pytest.mark.parametrize(("test_set", "scale"), [("Set6", None), (None, 8), ("AIM 2020 test", 2)])
def test_nothing_found(test_set: str | None, scale: int | None) -> None:
    with pytest.raises(InputError, match=r"no published results for .*; there are some for Set5"):
        published_results(test_set, scale)
