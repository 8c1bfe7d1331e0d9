"""A real Chromium that goes about the pages, and hears everything that goes wrong in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from tests.web.chromium import executable

PICTURES = Path(os.environ.get("CI_ARTIFACTS") or "build") / "screenshots"
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
_LONGEST = 15_000


class Chromium:
    """One browser; `page` opens a page in a profile of its own."""

    def __init__(self, browser) -> None:
        self._browser = browser

    @contextmanager
    def page(self, url: str, *, scripts: bool = True) -> Iterator[Page]:
        """Give a page in which paths are those of *url*; in the end nothing may have gone wrong there.

        What goes wrong: an error or a warning on the console, which a violated policy and a missing file are too, and
        an error that a script does not catch.
        """
        context = self._browser.new_context(
            base_url=url, java_script_enabled=scripts, viewport=WIDE, color_scheme="light", accept_downloads=True
        )
        context.set_default_timeout(_LONGEST)
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda said: _note(wrong, page, url, said))
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        yield page
        context.close()
        assert not wrong, "\n".join(wrong)


def _note(wrong: list[str], page: Page, url: str, said: ConsoleMessage) -> None:
    where = said.location.get("url", "")
    if said.type not in ("error", "warning") or not where.startswith((url, "data:")):
        return  # what pages of others say is not ours to judge
    if said.text.startswith("Failed to load resource") and where == page.url:
        return  # a page that says that something is not there
    wrong.append(f"{said.type} at {where}: {said.text}")


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Run a browser. Raises `NoChromium` where there is none."""
    # The superuser's Chromium runs in no sandbox, and what it shows here is ours.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=flags)
        yield Chromium(browser)
        browser.close()


def picture(page: Page, name: str) -> None:
    """Keep what *page* looks like: whole, and its first screen in the dark and on a telephone, which it is left on."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(WIDE)
    page.screenshot(path=PICTURES / f"{name}-dark.png")
    page.emulate_media(color_scheme="light")
    page.screenshot(path=PICTURES / f"{name}-light.png", full_page=True)
    page.set_viewport_size(NARROW)
    page.screenshot(path=PICTURES / f"{name}-narrow.png")
