"""A real Chromium, and pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.requirements import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

__all__ = ["Screen", "launched"]

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def launched(playwright: Playwright) -> Browser:
    """The installed Chromium, started; without one the test is skipped."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        missing("no chromium on the PATH: apt-get install chromium")
    return playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))


class Screen:
    """A page in which one file after the other is opened; what goes wrong there is noted.

    Chromium takes two seconds to read Plotly for a page of its own, and a quarter of that for the
    same script in the same page.
    """

    def __init__(self, browser: Browser, *, touch: bool) -> None:
        self.told: list[str] = []
        self._address = ""
        self._context = browser.new_context(has_touch=touch)
        # Each file is opened as if for the first time.
        self._context.add_init_script("if (location.protocol === 'file:') localStorage.clear()")
        self._page = self._context.new_page()
        self._page.on("console", lambda m: self.told.append(f"{m.type}: {m.text}"))
        self._page.on("pageerror", lambda error: self.told.append(f"error: {error}"))
        self._page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        # A request that gets this far would fail; one to a file beside the page shows here too.
        if not url.startswith(("data:", "blob:", "about:")) and url != self._address:
            self.told.append(f"request: {url}")

    def open(
        self, path: Path, viewport: Any, color_scheme: Any, permissions: Sequence[str]
    ) -> Page:
        page, self._address = self._page, path.as_uri()
        page.goto("about:blank")
        page.mouse.move(0, 0)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        self._context.clear_permissions()
        self._context.grant_permissions(permissions)
        page.goto(self._address)
        page.locator(".plot .point").first.wait_for(state="attached")
        return page
