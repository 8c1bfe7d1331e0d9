"""A real Chromium that goes about the pages, and hears everything that goes wrong in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

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

        What goes wrong: an error or a warning on the console, which a violated policy is too, an error that a script
        does not catch, and a request that fails.
        """
        context = self._browser.new_context(
            base_url=url, java_script_enabled=scripts, viewport=WIDE, color_scheme="light", accept_downloads=True
        )
        context.set_default_timeout(_LONGEST)
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda said: _note(wrong, url, said.type, said.location.get("url", ""), said.text))
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("requestfailed", lambda it: _note(wrong, url, it.failure or "failed", it.url, it.url))
        yield page
        context.close()
        assert not wrong, "\n".join(wrong)


def _note(wrong: list[str], url: str, kind: str, where: str, said: str) -> None:
    # A download ends the request of the page that asked for it; pages of others are not ours to judge.
    if kind in ("error", "warning", "net::ERR_FAILED", "net::ERR_BLOCKED_BY_CSP") and where.startswith((url, "data:")):
        wrong.append(f"{kind} at {where}: {said}")


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
    """Keep what *page* looks like, in light and dark, wide and narrow; CI keeps the folder `PICTURES`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for suffix, scheme, size in (("light", "light", WIDE), ("dark", "dark", WIDE), ("narrow", "light", NARROW)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.screenshot(path=PICTURES / f"{name}-{suffix}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
