"""The page as text: complete, safe, and honest about what is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reports.html.page import render_page, write_page
from search_spaces.errors import InputError
from tests.reports_tests.accounts import RECORDS, SUMMARY, account, stopped

VOID = {"meta", "link", "img", "br", "input", "circle", "path"}


class Elements(HTMLParser):
    """The elements of a page, and whether each that was opened was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    assert not parser.open
    return parser.found


def data(page: str) -> dict[str, Any]:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert text is not None

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON that a browser reads")

    found: dict[str, Any] = json.loads(text[1], parse_constant=refuse)
    return found


@pytest.fixture(scope="module")
def page() -> str:
    return render_page([account()])


def test_every_figure_is_there(page: str) -> None:
    charts = data(page)["run-0"]["charts"]
    assert {name: len(one["variants"]) for name, one in charts.items()} == {
        "pareto": 3,
        "hypervolume": 4,
        "rungs": 1,
        "savings": 2,
        "importance": 1,
        "latency": 1,
        "audit": 3,
        "compression": 3,
    }
    for name, chart in charts.items():
        for variant in chart["variants"]:
            assert any(len(trace["x"]) > 0 for trace in variant["data"]), name
    shown = {attrs.get("data-chart") for _, attrs in elements(page)} - {None}
    assert shown == set(charts)


def test_the_noise_of_seeds_is_told_and_drawn() -> None:
    noisy = account(summary=replace(SUMMARY, noise_db=0.3))
    page = render_page([noisy])
    assert "within the noise of seeds" in page
    for variant in data(page)["run-0"]["charts"]["pareto"]["variants"]:
        bands = [s for s in variant["layout"]["shapes"] if s.get("fillcolor") == "$best-fade"]
        assert [(band["y0"], band["y1"]) for band in bands] == [
            (pytest.approx(29.5 - 0.3 * 2**0.5), 29.5)
        ]
        named = next(t for t in variant["data"] if t.get("name") == "published system")
        assert named["text"] == ["imdn*, as good"]
    headline = "<b>trial 1</b> <span>60% of the parameters</span> <small>-0.300 dB, within"
    assert headline in page
    assert "--prefer cheaper takes trial 1" in page
    assert "$best-fade" not in render_page([account()])
    both = render_page([noisy, account("another", summary=replace(SUMMARY, noise_db=0.3))])
    assert "The best of a run is ahead of that of another by no more than the noise" in both


def test_points_lead_to_trials(page: str) -> None:
    run = data(page)["run-0"]
    assert set(run["trials"]) == {str(record.number) for record in RECORDS}
    for chart in run["charts"].values():
        for variant in chart["variants"]:
            for trace in variant["data"]:
                numbers = [n for n in trace.get("numbers", ()) if n is not None]
                assert {str(n) for n in numbers} <= set(run["trials"])
    best = run["trials"]["3"]
    assert "3 × distillation, 50 channels: stages 2, distillation fdc" in best["words"][0]
    assert "29.500 dB" in best["hover"]
    assert "repeat: 3" in best["yaml"]
    assert run["trials"]["6"]["state"] == "failed: diverged"


def test_asks_nothing_of_a_network(page: str) -> None:
    for tag, attrs in elements(page):
        for name in ("src", "href", "srcset", "action"):
            value = attrs.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    assert "@import" not in page.partition("</style>")[0]


def test_identifiers_are_unique_and_labels_lead_somewhere() -> None:
    found = elements(render_page([account("one"), account("two")]))
    identifiers = [attrs["id"] for _, attrs in found if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))
    for _, attrs in found:
        for name in ("aria-labelledby", "aria-controls"):
            assert attrs.get(name) is None or attrs[name] in identifiers
        target = attrs.get("href") or ""
        assert not target.startswith("#") or target[1:] in identifiers
    headings = [tag for tag, _ in found if tag in ("h1", "h2", "h3")]
    assert headings.count("h1") == 1
    assert all("alt" in attrs for tag, attrs in found if tag == "img")


def test_what_comes_from_outside_is_text() -> None:
    evil = "</script><img src=x onerror=alert(1)> & <b>"
    harmed = replace(RECORDS[3], architecture={"channels": 4, "fusion": evil, "blocks": [evil]})
    page = render_page(
        [
            account(
                evil,
                summary=replace(SUMMARY, title=evil, data=evil),
                records=(*RECORDS[:3], harmed),
                made=(("Command", evil),),
                gaps=(evil,),
            ),
            account("other"),
        ],
        [evil],
    )
    assert not any(attrs.get("onerror") for _, attrs in elements(page))
    hover = data(page)["run-0"]["trials"]["3"]["hover"]
    assert "<img" not in hover
    assert "&lt;img" in hover


def test_several_runs_have_tabs_and_a_comparison() -> None:
    page = render_page([account("one"), account("two")], ["three: broken"])
    tabs = [attrs["id"] for _, attrs in elements(page) if attrs.get("role") == "tab"]
    assert tabs == ["tab-compare", "tab-run-0", "tab-run-1"]
    assert set(data(page)["compare"]["charts"]) == {"comparison", "hypervolume"}
    assert "three: broken" in page


def test_what_a_run_lacks_has_no_section() -> None:
    lacks: dict[str, Any] = {"importance": (), "compressed": (), "crops": (), "audit": None}
    bare = account(records=RECORDS[:1], ended_s={}, **lacks)
    charts = data(render_page([bare]))["run-0"]["charts"]
    assert set(charts) == {"pareto", "hypervolume", "rungs"}


def test_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="empty: no trial has finished"):
        render_page([account("empty", records=(stopped(0, 28.0, 1000),))])


def test_the_same_page_each_time_and_whole(tmp_path: Path) -> None:
    write_page([account()], tmp_path / "out" / "report.html")
    assert (tmp_path / "out" / "report.html").read_text("utf-8") == render_page([account()])
    assert (tmp_path / "out" / "report.html").stat().st_size < 8e6
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_page([account()], tmp_path / "file" / "report.html")
