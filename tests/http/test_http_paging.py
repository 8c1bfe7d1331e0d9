"""Every paging style over more than two pages, and every way in which a list could end too early."""

from __future__ import annotations

import pytest

from collector.errors import Invalid, NotEnabled, Truncated
from tests.http.loopback import Reply

THINGS = [{"id": number} for number in range(7)]
LIST = 'list = { op = "GET /orgs/{org}/things", items = "things", paging = %s }\nkey = "id"'
PATH = "GET /orgs/acme/things"


def _slice(start, size=3):
    return THINGS[start : start + size]


def _numbered(heard, param="start"):
    start = int(heard.query.get(param, 0))
    return {"things": _slice(start), "next": str(start + 3) if start + 3 < len(THINGS) else None, "total": len(THINGS)}


def _linked(vendor):
    def answer(heard):
        start = int(heard.query.get("start", 0))
        more = f'<{vendor.server.url}/orgs/acme/things?start={start + 3}>; rel="next"'
        links = [f'<{vendor.server.url}/orgs/acme/things>; rel="first"', *([more] if start + 3 < len(THINGS) else [])]
        return Reply(_slice(start), headers={"Link": ", ".join(links)})

    return answer


def test_links_are_followed_to_the_last_page(vendor):
    vendor.server.on(PATH, _linked(vendor))
    found = vendor.read('list = { op = "GET /orgs/{org}/things", items = "@", paging = "link" }\nkey = "id"')
    assert found == THINGS
    calls = vendor.calls()["GET /orgs/{org}/things"]
    assert (calls.calls, calls.pages, calls.items, calls.drained) == (3, 3, 7, True)


def test_links_in_several_headers_are_one_list(vendor):
    link = f"<{vendor.server.url}/orgs/acme/things?start=3>"
    several = ['<https://vendor.invalid/self>; rel="self"', f'{link}; rel="next"']
    vendor.server.in_turn(PATH, Reply(_slice(0), headers={"Link": several}), _slice(3))
    assert (
        vendor.read('list = { op = "GET /orgs/{org}/things", items = "@", paging = "link" }\nkey = "id"') == THINGS[:6]
    )


@pytest.mark.parametrize(
    "paging",
    [
        '{ style = "token", next = "next", param = "start" }',
        '{ style = "cursor", next = "next", more = "next != null", param = "start" }',
        '{ style = "token", next = "next", param = "start", total = "total" }',
        '{ style = "offset", param = "start", last = "short", size = 3, size_param = "size" }',
        '{ style = "offset", param = "start", last = "empty" }',
        '{ style = "offset", param = "start", last = "total", total = "total" }',
        '{ style = "offset", param = "start", last = "more", more = "next != null" }',
    ],
)
def test_tokens_and_offsets_are_followed_to_the_last_page(vendor, paging):
    vendor.server.on(PATH, _numbered)
    assert vendor.read(LIST % paging) == THINGS
    assert len(vendor.server.asked(PATH)) >= 3


@pytest.mark.parametrize("last", ['"short", size = 3', '"empty"', '"total", total = "total"', '"more", more = "more"'])
def test_pages_are_counted_to_the_last_page(vendor, last):
    def answer(heard):
        page = int(heard.query["page"])
        return {"things": _slice((page - 1) * 3), "total": len(THINGS), "more": page < 3}

    vendor.server.on(PATH, answer)
    assert vendor.read(LIST % f'{{ style = "page", param = "page", last = {last} }}') == THINGS


def test_next_addresses_are_followed_to_the_last_page(vendor):
    def answer(heard):
        page = _numbered(heard)
        following = f"{vendor.server.url}/orgs/acme/things?start={page['next']}" if page["next"] else None
        return {"things": page["things"], "@odata.nextLink": following}

    vendor.server.on(PATH, answer)
    paging = """{ style = "next_url", next = '"@odata.nextLink"' }"""
    assert vendor.read(LIST % paging) == THINGS


def test_graphql_cursors_are_followed_to_the_last_page(vendor):
    def answer(heard):
        page = int(heard.body["variables"].get("after", 0))
        things = {"nodes": _slice(page), "pageInfo": {"hasNextPage": page + 3 < 7, "endCursor": str(page + 3)}}
        return {"data": {"organization": {"things": things}}}

    vendor.server.on("POST /graphql", answer)
    vendor.api(graphql="POST /graphql")
    found = vendor.read(
        """
        key = "id"
        [list]
        op = "GRAPHQL things"
        query = "query($org: String!, $after: String) { organization(login: $org) { things { nodes { id } } } }"
        params = { org = "{org}" }
        items = "organization.things.nodes"
        [list.paging]
        style = "cursor"
        next = "organization.things.pageInfo.endCursor"
        more = "organization.things.pageInfo.hasNextPage"
        param = "after"
        """
    )
    assert found == THINGS
    assert vendor.server.heard[0].body["variables"] == {"org": "acme"}


def test_a_token_in_the_body_of_a_post_is_followed(vendor):
    vendor.server.on("POST /search", lambda heard: _numbered(type(heard)("", "", heard.body["options"], {}, None)))
    vendor.api(reads=["POST /search"])
    found = vendor.read(
        'list = { op = "POST /search", items = "things", body = { options = { q = "of {org}" } }, '
        'paging = { style = "token", next = "next", param = "options.start" } }\nkey = "id"'
    )
    assert found == THINGS
    assert vendor.server.heard[1].body == {"options": {"q": "of acme", "start": "3"}}


def test_a_token_that_comes_again_fails(vendor):
    vendor.server.on(PATH, lambda heard: {"things": [{"id": len(vendor.server.heard)}], "next": "same"})
    with pytest.raises(Truncated, match="a second time"):
        vendor.read(LIST % '{ style = "token", next = "next", param = "start" }')
    assert not vendor.calls()["GET /orgs/{org}/things"].drained


def test_a_page_that_comes_again_fails(vendor):
    vendor.server.on(PATH, {"things": _slice(0)})
    with pytest.raises(Truncated, match="a page a second time"):
        vendor.read(LIST % '{ style = "page", param = "page", last = "empty" }')


def test_pages_without_end_fail(vendor):
    vendor.server.on(
        PATH, lambda heard: {"things": [{"id": len(vendor.server.heard)}], "next": str(len(vendor.server.heard))}
    )
    vendor.api(limits={"pages": 4})
    with pytest.raises(Truncated, match="did not end after 4 pages"):
        vendor.read(LIST % '{ style = "token", next = "next", param = "start" }')


@pytest.mark.parametrize("word", ["absent", "not_enabled"])
def test_a_later_page_that_is_not_there_is_no_end(vendor, word):
    vendor.server.in_turn(PATH, {"things": _slice(0), "next": "2"}, Reply({}, 404))
    with pytest.raises((Truncated, NotEnabled)):
        vendor.read(
            LIST.replace("paging", f"{word} = [404], paging") % '{ style = "token", next = "next", param = "p" }'
        )


def test_fewer_items_than_the_source_counts_fail(vendor):
    vendor.server.on(PATH, {"things": _slice(0), "total": 7})
    with pytest.raises(Truncated, match="3 of the 7 items"):
        vendor.read(LIST % '{ style = "none", total = "total" }')


def test_an_answer_without_its_list_is_invalid(vendor):
    vendor.server.on(PATH, {"items": []})
    with pytest.raises(Invalid, match="gave no things, not even an empty one"):
        vendor.read(LIST % '"none"')
