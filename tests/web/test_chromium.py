"""The browser of the tests: found, else installed, else missed aloud."""

from __future__ import annotations

import pytest

from tests.web.chromium import NoChromium, executable, install


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without a browser, whose user is nobody in particular."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


def browser(folder, name="chromium", code=0):
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def test_the_browser_that_is_named_is_taken(bare, monkeypatch):
    path = browser(bare, "mine")
    monkeypatch.setenv("CHROMIUM", path)
    assert executable() == path


def test_a_named_browser_that_does_not_start_is_not_replaced(bare, monkeypatch):
    browser(bare)
    monkeypatch.setenv("CHROMIUM", browser(bare, "mine", code=1))
    with pytest.raises(NoChromium, match="mine does not start"):
        install(lambda _: pytest.fail("something was installed"))


def test_a_browser_on_the_path_is_taken_when_it_starts(bare):
    browser(bare, "chromium", code=1)
    path = browser(bare, "google-chrome")
    assert executable() == path


def test_what_is_installed_is_found(bare):
    ran = []

    def run(command):
        ran.append(command[1:])
        browser(bare)
        return ""

    assert install(run) == str(bare / "chromium")
    assert ran == [["-m", "playwright", "install", "chromium"]]


def test_what_could_not_be_installed_is_said(bare):
    with pytest.raises(NoChromium) as told:
        install(lambda _: "no such host")
    assert "playwright install chromium: no such host" in str(told.value)
    assert "CHROMIUM=" in str(told.value)


def test_a_package_that_brings_no_browser_is_said(bare):
    with pytest.raises(NoChromium, match="what it installed does not start"):
        install(lambda _: "")
