"""The page in a real Chromium: it opens from disk, answers, and looks right on any screen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.html.page import write_page
from reports.plots.published import published_info
from reports.published import published_results
from tests.reports_tests.accounts import RECORDS, SUMMARY, account
from tests.reports_tests.screen import Screen, launched
from tests.requirements import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}

Opened = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install playwright")
    with sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    write_page([account()], folder / "one.html")
    set5 = published_info(RECORDS, published_results("Set5", 4), SUMMARY, chosen=3)
    first = account(f"first_{'of_a_long_name_' * 4}", published={"Set5": set5})
    write_page([first, account("second")], folder / "two.html", ["third: broken"])
    return {name: folder / f"{name}.html" for name in ("one", "two")}


@pytest.fixture(scope="module")
def screens(browser: Browser) -> dict[bool, Screen]:
    """One without and one with touch."""
    return {touch: Screen(browser, touch=touch) for touch in (False, True)}


@pytest.fixture
def opened(screens: dict[bool, Screen], pages: dict[str, Path]) -> Iterator[Opened]:
    """Opens a page from disk; at the end, nothing may have gone wrong or out in it."""

    def open_page(
        name: str = "one",
        *,
        viewport: Any = DESKTOP,
        has_touch: bool = False,
        color_scheme: str = "light",
        permissions: Sequence[str] = (),
    ) -> Page:
        return screens[has_touch].open(pages[name], viewport, color_scheme, permissions)

    yield open_page
    told = [line for screen in screens.values() for line in screen.told]
    for screen in screens.values():
        screen.told.clear()
    assert told == []


def draw_all(page: Page) -> None:
    """Scrolls past every figure in sight's reach, so that all are drawn."""
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for(state="attached")


def centre(page: Page, chart: str, trace: str = "best") -> tuple[float, float]:
    """Where the last point of a trace is on the screen."""
    plot = page.locator(f"[data-chart={chart}]:visible")
    plot.scroll_into_view_if_needed()
    plot.locator(".point").first.wait_for(state="attached")
    at = plot.evaluate("(plot, name) => plot.data.findIndex(t => t.name === name)", trace)
    point = plot.locator(".scatterlayer .trace").nth(at).locator(".point").last
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_every_figure_is_drawn_and_none_is_empty(opened: Opened) -> None:
    page = opened()
    draw_all(page)
    charts = page.locator(".plot").all()
    assert len(charts) == 8
    for chart in charts:
        drawn = chart.evaluate(
            "plot => plot.querySelectorAll('.point, .scatterlayer .js-line').length"
        )
        held = chart.evaluate("plot => plot.data.reduce((sum, t) => sum + t.x.length, 0)")
        assert drawn > 0, chart.get_attribute("data-chart")
        assert held > 0
    front = page.locator("[data-chart=pareto]")
    # Four finished trials, and what was made of one of them.
    assert front.evaluate("plot => plot.querySelectorAll('.point').length") == 4 + 1
    assert page.locator("h1").inner_text() == SUMMARY.title


def test_pointing_tells_the_network_in_words(opened: Opened) -> None:
    page = opened()
    page.mouse.move(*centre(page, "pareto"))
    hover = page.locator("[data-chart=pareto] .hovertext")
    hover.first.wait_for()
    told = hover.first.text_content() or ""
    assert "distillation" in told, told
    assert "dB" in told


def test_clicking_shows_the_configuration_to_copy(opened: Opened) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    panel = page.locator("#trial")
    assert not panel.is_visible()
    page.mouse.click(*centre(page, "latency"))
    panel.wait_for()
    assert "Trial 3" in panel.locator("h2").inner_text()
    yaml = panel.locator("pre").inner_text()
    assert "channels: 50" in yaml
    panel.get_by_role("button", name="Copy").click()
    panel.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == yaml
    page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_everything_works_by_keyboard(opened: Opened) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    button = page.locator("table[data-table=front] [data-trial]").first
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#trial").is_visible()
    assert page.evaluate("document.activeElement.id") == "trial-title"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.trial") == button.get_attribute(
        "data-trial"
    )
    switch = page.locator("#run-0-pareto [data-variant='1']")
    switch.focus()
    page.keyboard.press("Enter")
    assert switch.get_attribute("aria-pressed") == "true"
    title = "plot => plot.layout.xaxis.title.text"
    assert "Multi-Adds" in page.locator("[data-chart=pareto]").evaluate(title)


def test_tables_sort_and_filter(opened: Opened) -> None:
    page = opened()
    table = page.locator("table[data-table=trials]")
    head = table.locator("th", has_text="PSNR-Y")
    column = "table => [...table.tBodies[0].rows].map(row => row.cells[2].textContent.trim())"
    head.get_by_role("button").click()
    assert table.evaluate(column) == ["29.000", "29.100", "29.200", "29.500", *["–"] * 4]
    head.get_by_role("button").click()
    assert table.evaluate(column)[:2] == ["29.500", "29.200"]
    assert head.get_attribute("aria-sort") == "descending"
    page.locator("[data-filter]").select_option("stopped")
    assert table.locator("tbody tr:visible").count() == 2


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, NARROW], ids=["desktop", "phone", "narrow"])
@pytest.mark.parametrize("name", ["one", "two"])
def test_no_screen_scrolls_sideways(opened: Opened, viewport: Any, name: str) -> None:
    page = opened(name, viewport=viewport, has_touch=viewport is not DESKTOP)
    draw_all(page)
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0
    for plot in page.locator(".plot:visible").all():
        box = plot.bounding_box()
        assert box is not None
        assert box["width"] > 0.6 * viewport["width"]
    if name == "two":
        page.get_by_role("tab").last.click()
        draw_all(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator("[data-trial]:visible").first.click()
    box = page.locator("#trial").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]


def test_what_was_drawn_wide_fits_a_narrow_screen(opened: Opened) -> None:
    page = opened("two")
    draw_all(page)
    page.get_by_role("tab").last.click()
    draw_all(page)
    # Also what lies in the tab that is not shown while the window becomes narrow.
    page.set_viewport_size({"width": 400, "height": 800})
    for tab in ("last", "first"):
        getattr(page.get_by_role("tab"), tab).click()
        for plot in page.locator(".plot:visible").all():
            plot.scroll_into_view_if_needed()
            page.wait_for_function(
                "p => p.querySelector('.main-svg').clientWidth <= p.clientWidth",
                arg=plot.element_handle(), timeout=5000,
            )  # fmt: skip
            beyond = plot.evaluate(
                """plot => {
                  const edge = plot.closest('.chart').getBoundingClientRect();
                  return [...plot.querySelectorAll('svg text')].filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.width && (box.right > edge.right + 1 || box.left < edge.left - 1);
                  }).map(text => text.textContent);
                }"""
            )
            assert beyond == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_names_beside_points_cover_no_other(opened: Opened, viewport: Any) -> None:
    page = opened("two", viewport=viewport)
    page.get_by_role("tab").nth(1).click()
    draw_all(page)
    boxes = page.locator("[data-chart=published-set5]:visible").evaluate(
        """plot => [...plot.querySelectorAll('.textpoint text')].filter(t => t.textContent)
          .map(t => { const b = t.getBoundingClientRect();
                      return [t.textContent, b.left, b.right, b.top, b.bottom]; })"""
    )
    assert ({"RFDN", "SRCNN"} if viewport is DESKTOP else {"SRCNN"}) <= {name for name, *_ in boxes}
    for (one, left, right, top, bottom), (other, *box) in itertools.combinations(boxes, 2):
        apart = box[0] >= right or box[1] <= left or box[2] >= bottom or box[3] <= top
        assert apart, f"{one} covers {other}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_theme(opened: Opened, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    ink = "plot => plot.layout.font.color"
    chart = page.locator("[data-chart=pareto]")

    def brightness(color: str) -> int:
        return sum(int(part) for part in color.strip("rgb()").split(",")[:3])

    def ground() -> int:
        return brightness(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert (ground() < 3 * 60) == (scheme == "dark")
    assert (brightness(chart.evaluate(ink)) > 3 * 160) == (scheme == "dark")
    page.locator("#theme").click()
    assert (ground() < 3 * 60) == (scheme == "light")
    assert (brightness(chart.evaluate(ink)) > 3 * 160) == (scheme == "light")


def test_paper_has_every_figure_in_light(opened: Opened, tmp_path: Path) -> None:
    page = opened("two", color_scheme="dark")
    # Chromium's own printing fires the events.
    page.pdf(path=str(tmp_path / "page.pdf"))
    assert (tmp_path / "page.pdf").stat().st_size > 50_000
    undrawn = "[...document.querySelectorAll('.plot')].filter(p => !p.data).length"
    assert page.evaluate(undrawn) == 0
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_tabs_lead_from_run_to_run(opened: Opened) -> None:
    page = opened("two")
    assert page.get_by_text("third: broken").is_visible()
    assert page.locator("[data-chart=comparison]").is_visible()
    page.locator("#tab-compare").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#run-0").is_visible()
    assert not page.locator("#compare").is_visible()
    page.locator("#run-0 [data-chart=pareto] .point").first.wait_for(state="attached")
    page.get_by_role("tab", name="Comparison").click()
    page.mouse.click(*centre(page, "comparison", "second"))
    assert "Trial" in page.locator("#trial h2").inner_text()
