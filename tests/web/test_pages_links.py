"""Every page that links lead to: it is there, it is well-formed, and everybody can use it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urldefrag, urlsplit

import pytest

from collector.access import Role
from tests.web.reading import Page
from tests.web.vendors import SCRIPT
from tests.web.world import ENGAGEMENT

MOST_OF_A_SORT = 3
LEAST = 50


@dataclass(frozen=True)
class Visited:
    """An answer to GET *path*, from which page one came to it, and for HTML the page."""

    path: str
    came_from: str
    status: int
    page: Page | None
    size: int


def sort_of(path: str) -> str:
    """Return what pages of one route and one set of questions have in common."""
    parts = urlsplit(path)
    place = re.sub(
        r"/(runs|kinds|criteria|controls|populations|samples|requests|artifacts|reconciliations)/[^/?]+",
        r"/\1/*",
        parts.path,
    )
    return f"{place}?{'&'.join(sorted(part.partition('=')[0] for part in parts.query.split('&')))}"


def crawl(browser) -> list[Visited]:
    """Follow every link from the first page on; of pages of one sort only the first few."""
    waiting, seen, sorts = [("/", "")], {"/"}, Counter()
    found = []
    while waiting:
        path, came_from = waiting.pop(0)
        answer = browser.get(path, allow_redirects=False)
        html = answer.headers.get("content-type", "").startswith("text/html")
        page = Page(answer.text) if html else None
        found.append(Visited(path, came_from, answer.status_code, page, len(answer.content)))
        for link in page.all("a") if page else ():
            to = urldefrag(link.attrs["href"]).url
            if to and to not in seen and sorts[sort_of(to)] < MOST_OF_A_SORT:
                seen.add(to)
                sorts[sort_of(to)] += 1
                waiting.append((to, path))
    return found


@pytest.fixture(scope="module", params=[Role.AUDITOR, Role.ADMIN])
def visited(served, request):
    """Every page that the auditor, and the admin, come to."""
    return crawl(served.browser(request.param))


@pytest.fixture(scope="module")
def pages(visited):
    """Those of them that are HTML."""
    return [each for each in visited if each.page]


def test_every_link_leads_to_something(visited):
    assert [(each.path, each.came_from, each.status) for each in visited if each.status != 200] == []


def test_links_lead_to_every_sort_of_page(pages):
    assert len(pages) >= LEAST
    sorts = {sort_of(each.path).partition("?")[0] for each in pages}
    wanted = ("", "/kinds", "/kinds/*", "/kinds/*/item", "/criteria/*", "/controls/*", "/gaps")
    assert {f"/e/{ENGAGEMENT}{each}" for each in wanted} <= sorts


def test_no_link_leads_away(pages):
    away = [
        link.attrs["href"]
        for each in pages
        for link in each.page.all("a")
        if not link.attrs["href"].startswith(("/", "#"))
    ]
    assert away == []


def test_every_page_is_well_formed(pages):
    assert [(each.path, each.page.faults[:3]) for each in pages if each.page.faults] == []


def test_no_name_is_given_twice_on_a_page_and_none_is_missing(pages):
    for each in pages:
        ids = Counter(element.attrs["id"] for element in each.page.all() if "id" in element.attrs)
        assert [name for name, count in ids.items() if count > 1] == [], each.path
        for element in each.page.all():
            for attribute in ("for", "aria-labelledby", "aria-describedby"):
                wanted = element.attrs.get(attribute, "").split()
                assert [name for name in wanted if name not in ids] == [], (each.path, attribute)
            href = element.attrs.get("href", "")
            assert not href.startswith("#") or href[1:] in ids, (each.path, href)


def test_every_page_has_a_language_a_title_of_its_own_and_one_heading_of_the_first_order(pages):
    for each in pages:
        assert each.page.one("html").attrs["lang"] == "en"
        title = each.page.all("head")[0].all("title")[0].words()
        assert title.endswith("evidenced"), each.path
        assert not title.startswith("·"), each.path
        assert len(each.page.all("h1")) == 1, each.path


def test_headings_leave_out_no_order(pages):
    for each in pages:
        orders = [int(element.tag[1]) for element in each.page.all("h1", "h2", "h3", "h4")]
        assert all(after <= before + 1 for before, after in pairwise(orders)), (each.path, orders)


def test_every_page_has_a_way_past_what_is_on_all_of_them(pages):
    for each in pages:
        first = each.page.all("body")[0].all("a")[0]
        assert first.attrs["href"] == "#main", each.path
        assert each.page.one("main").attrs["id"] == "main"
        assert all(nav.attrs.get("aria-label") for nav in each.page.all("nav")), each.path


def test_one_place_of_the_engagement_is_said_to_be_the_current_one(pages):
    for each in pages:
        (side, *_) = [nav for nav in each.page.all("nav") if nav.attrs.get("class") == "side"] or [None]
        if side is not None and not each.path.endswith(("/search",)):
            current = [link.attrs["aria-current"] for link in side.all("a") if "aria-current" in link.attrs]
            assert len(current) <= 1, each.path


def test_every_field_has_a_label(pages):
    for each in pages:
        named = {label.attrs.get("for") for label in each.page.all("label")}
        inside = {id(field) for label in each.page.all("label") for field in label.all("input", "select", "textarea")}
        for element in each.page.all("input", "select", "textarea"):
            if element.attrs.get("type") not in ("hidden", "submit"):
                labelled = element.attrs.get("id") in named or id(element) in inside or "aria-label" in element.attrs
                assert labelled, (each.path, element.attrs)


def test_every_table_says_what_it_counts_and_what_its_rows_and_columns_are(pages):
    for each in pages:
        for table in each.page.all("table"):
            (caption,) = table.all("caption")
            assert caption.words(), each.path
            assert all(cell.attrs.get("scope") in ("col", "row", "rowgroup") for cell in table.all("th")), each.path
            (body,) = table.all("tbody")
            assert body.all("tr"), (each.path, "a table without rows says nothing of why")


def test_every_drawing_has_words_or_is_left_out(pages):
    for each in pages:
        for svg in each.page.all("svg"):
            assert svg.attrs.get("aria-hidden") == "true" or svg.attrs.get("aria-label"), each.path


def test_every_form_that_changes_anything_brings_the_value_of_the_session(pages):
    for each in pages:
        for form in each.page.all("form"):
            if form.attrs.get("method", "get") == "post":
                names = [field.attrs.get("name") for field in form.all("input")]
                assert "csrf" in names, (each.path, form.attrs)


def test_no_page_has_a_script_or_a_style_within(pages):
    for each in pages:
        assert all("src" in script.attrs for script in each.page.all("script")), each.path
        assert each.page.all("style") == []
        marked = [
            name for element in each.page.all() for name in element.attrs if name == "style" or name.startswith("on")
        ]
        assert marked == [], each.path


def test_hostile_names_are_on_the_pages_and_no_element_came_of_them(pages):
    shown = [each for each in pages if SCRIPT in each.page.root.text]
    assert len(shown) >= 2
    assert not any(each.page.all("img") for each in pages)


def test_nothing_on_a_page_hides_or_turns_around_letters(pages):
    for each in pages:
        assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\x1b]", each.page.root.text), each.path


def test_the_address_of_the_api_that_a_page_names_answers(pages, served):
    named = {
        code.words().removeprefix("GET ")
        for each in pages
        for foot in each.page.all("footer")
        for code in foot.all("code")
    }
    program = served.api(Role.ADMIN)
    assert len(named) >= 5
    assert [(path, status) for path in named if (status := program.get(path).status_code) != 200] == []


def test_no_page_is_very_large(pages):
    assert [(each.path, each.size) for each in pages if each.size > 500_000] == []
