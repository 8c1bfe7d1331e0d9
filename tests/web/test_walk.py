"""An auditor's afternoon in a real Chromium: from the sign-in through a provider to a bundle that checks itself."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
import zipfile
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.web.browsing import chromium, picture
from tests.web.serving import serve
from tests.web.vendors import FORMULA, REFUSAL
from tests.web.world import AUDITOR, ENGAGEMENT, failed_run

with warnings.catch_warnings(action="ignore"):  # what authlib thinks of the future of its own parts
    from oidc_provider_mock import User, run_server_in_thread

# The provider is made of parts that authlib will take away some day.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib.*")

PEOPLE = (
    User(sub="eva", claims={"email": AUDITOR, "email_verified": True}),
    User(sub="ines", claims={"email": "ines@acme.example", "email_verified": True}),
    User(sub="mallory", claims={"email": "mallory@elsewhere.example", "email_verified": True}),
)
ACCESS = """
[web.oidc]
issuer = "{issuer}"
client_id = "evidenced"
client_secret = "file:{secret}"
[web.access]
admin = ["ines@acme.example"]
"""


@pytest.fixture(scope="module")
def browser():
    """A Chromium."""
    with chromium() as found:
        yield found


@pytest.fixture
def desk(copied):
    """A world of the test's own, whose people sign in through a provider."""
    with run_server_in_thread(user_claims=PEOPLE) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        world = copied()
        secret = world.folder / "client.secret"
        secret.write_text("known to the provider and to us")
        with serve(world, ACCESS.format(issuer=issuer, secret=secret)) as found:
            yield found


def sign_in(page, who):
    """Sign in through the provider as *who*."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("your organisation")).click()
    page.get_by_role("button", name=who, exact=True).first.click()


def verdict(bundle, folder):
    """Return what the program in the bundle at the path *bundle* says of it, in a bare Python."""
    with zipfile.ZipFile(bundle) as file:
        (folder / "verify.py").write_bytes(file.read("bundle/verify.py"))
    command = [sys.executable, "-I", str(folder / "verify.py"), str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={}, cwd=folder)
    return done.returncode, done.stdout.splitlines()[0]


def test_an_auditor_walks_from_the_overview_to_a_bundle_that_verifies(browser, desk, tmp_path):
    with browser.page(desk.url) as page:
        sign_in(page, "eva")
        page.get_by_role("link", name=ENGAGEMENT).click()
        expect(page).to_have_title(re.compile("^Overview"))

        # To a gap, and to the failed run behind it.
        page.get_by_role("row").filter(has_text=REFUSAL).get_by_role("link", name="failed runs").click()
        page.get_by_role("row").filter(has_text="2025-03-03").get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text(REFUSAL)

        # To an item as of a date.
        page.get_by_role("main").get_by_role("link", name="acme.users").last.click()
        page.get_by_role("textbox", name="As of").fill("2025-03-13")
        page.get_by_role("button", name="Show", exact=True).click()
        page.get_by_role("link", name="ben.alder@acme.example").click()
        expect(page.get_by_role("main")).to_contain_text("support")

        # Draw a sample.
        page.get_by_role("link", name="Populations").click()
        page.get_by_role("link", name=f"population:{desk.world.made.population}").first.click()
        page.get_by_role("textbox", name="Seed").fill("Lottery of 9 April 2025: 3 5 7 11 13 17")
        page.get_by_role("textbox", name="Size").fill("7")
        page.get_by_role("button", name="Draw and record").click()
        drawn = page.get_by_role("region", name="In the order of the draw").get_by_role("row")
        expect(drawn).to_have_count(8)
        expect(page.get_by_role("main")).to_contain_text("gives the same")

        # Take it away, and believe it.
        page.get_by_role("link", name="Bundle").click()
        page.get_by_role("button", name="Make the bundle").click()
        page.get_by_role("link", name="Download").wait_for()
        picture(page, "bundle-ready")
        with page.expect_download() as coming:
            page.get_by_role("link", name="Download").click()
        bundle = tmp_path / "bundle.zip"
        coming.value.save_as(bundle)
    assert verdict(bundle, tmp_path) == (0, "verdict: good")


def test_everything_works_without_a_script(browser, desk, tmp_path):
    with browser.page(desk.url, scripts=False) as page:
        sign_in(page, "eva")
        page.get_by_role("link", name=ENGAGEMENT).click()
        page.get_by_role("link", name="Populations").click()
        page.get_by_role("combobox", name="Kind").select_option("acme.rooms")
        page.get_by_role("button", name="Freeze").click()
        page.get_by_role("radio", name="stratified").check()
        page.get_by_role("textbox", name="Seed").fill("a headline")
        page.get_by_role("textbox", name="Stratum").fill("lock")
        page.get_by_role("button", name="Draw and record").click()
        expect(page.get_by_role("main")).to_contain_text("stratified, by lock")
        page.get_by_role("link", name="Requests").click()
        page.get_by_role("link", name="R-03").click()
        page.get_by_label("What you say").fill("The list of visitors, please.")
        page.get_by_role("button", name="Comment").click()
        expect(page.get_by_role("main")).to_contain_text("The list of visitors, please.")
        page.get_by_role("link", name="Bundle").click()
        page.get_by_role("button", name="Make the bundle").click()
        with page.expect_download() as coming:
            page.get_by_role("link", name="Download").click()
        coming.value.save_as(tmp_path / "bundle.zip")
        page.get_by_role("button", name="Sign out").click()
        assert urlsplit(page.url).path == "/sign-in"
    assert verdict(tmp_path / "bundle.zip", tmp_path) == (0, "verdict: good")


def test_a_draw_that_is_refused_says_so_beside_what_was_typed(browser, desk):
    with browser.page(desk.url) as page:
        sign_in(page, "eva")
        page.goto(f"/e/{ENGAGEMENT}/populations/{desk.world.made.population}")
        page.get_by_role("radio", name="dates").check()
        page.get_by_role("textbox", name="Seed").fill("a headline")
        page.get_by_role("textbox", name="Size").fill("many")
        page.get_by_role("button", name="Draw and record").click()
        assert "'many' is no size of a sample" in page.get_by_role("alert").inner_text()
        assert page.get_by_role("radio", name="dates").is_checked()
        assert page.get_by_role("textbox", name="Seed").input_value() == "a headline"
        picture(page, "draw-refused")


def test_an_admin_sees_a_new_token_once(browser, desk):
    with browser.page(desk.url) as page:
        sign_in(page, "ines")
        page.get_by_role("link", name="Tokens").click()
        page.get_by_label("For whom").fill("Noor Brook")
        page.get_by_label("Opens").select_option(ENGAGEMENT)
        page.get_by_role("button", name="Grant").click()
        assert "evd_" in page.get_by_role("status").inner_text()
        picture(page, "token-granted")
        page.get_by_role("link", name="Tokens").click()
        assert page.get_by_role("status").count() == 0


def test_somebody_whom_the_provider_knows_and_nobody_let_in_sees_nothing(browser, desk):
    with browser.page(desk.url) as page:
        sign_in(page, "mallory")
        assert urlsplit(page.url).path == "/sign-in"
        expect(page.get_by_role("main")).to_contain_text("You were not let in")


def test_every_page_is_drawn_and_says_what_it_is(browser, desk):
    """Its pictures are for people to look at; what a program can tell of a page is told here."""
    with browser.page(desk.url) as page:
        titles = [visited(page, "sign-in", "/sign-in")]
        sign_in(page, "ines")
        titles += [visited(page, name, path) for name, path in pages(desk).items()]
    assert len(set(titles)) == len(titles)


def visited(page, name, path):
    """Go to *path*, keep pictures of it as *name*, look at what every page must keep, and return its title."""
    page.goto(path)
    picture(page, name)
    assert page.get_by_role("heading", level=1).count() == 1, path
    assert page.locator("html[lang=en]").count() == 1, path
    assert "owned" not in page.title(), path
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than a telephone"
    unnamed = (
        "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length)"
    )
    assert page.evaluate(f"{unnamed}.map(e => e.name)") == [], f"{path} has fields without a label"
    return page.title()


def pages(desk):
    """Return every page of the world's first engagement by the name of its pictures."""
    made, here = desk.world.made, f"/e/{ENGAGEMENT}"
    item = "acme.users/item?source=acme:hq&scope=site&key"
    return {
        "engagements": "/",
        "overview": here,
        "gaps": f"{here}/gaps",
        "criterion": f"{here}/criteria/CC6.1",
        "control": f"{here}/controls/AC-02",
        "kinds": f"{here}/kinds",
        "kind": f"{here}/kinds/acme.users?at=2025-03-14&from=2025-01-02&to=2025-03-31",
        "item": f"{here}/kinds/{item}=ben.alder@acme.example",
        "item-hostile": f"{here}/kinds/{item}={FORMULA.replace('|', '%7C').replace(' ', '%20')}",
        "search": f"{here}/search?q=alder",
        "access": f"{here}/access?control=AC-02&at=2025-03-14",
        "runs": f"{here}/runs",
        "run-failed": f"{here}/runs/{failed_run(desk.store)}",
        "populations": f"{here}/populations",
        "population": f"{here}/populations/{made.population}",
        "population-events": f"{here}/populations/{made.doors}",
        "sample": f"{here}/samples/{made.sample}",
        "reconciling": f"{here}/reconciliations",
        "reconciliation": f"{here}/reconciliations/{made.reconciliation}",
        "requests": f"{here}/requests",
        "request": f"{here}/requests/R-02",
        "uploads": f"{here}/uploads",
        "reviews": f"{here}/reviews",
        "bundle": f"{here}/bundle",
        "tokens": "/tokens",
        "not-there": f"{here}/samples/999999",
    }
