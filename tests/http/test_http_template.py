"""Operations, placeholders and links: what is written is what is asked, and no value leaves its place."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import ConfigError, Invalid
from collector.http.api import Api, HttpSettings, addresses
from collector.http.links import followed, next_link
from collector.http.template import address, filled, operation

DOTS = {".", "..", ""}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_a_value_fills_one_segment_and_comes_back_from_it(value):
    if not value or {".", ".."} & set(value.split("/")):
        with pytest.raises(Invalid):
            address("/a/{name}/b", {}, {"name": value})
        return
    made = address("/a/{name}/b", {}, {"name": value})
    before, segment, after = made.split("/")[1:]
    assert (before, unquote(segment), after) == ("a", value, "b")
    assert made.isascii()
    assert urlsplit(f"https://host{made}").path == made, "nothing of it is a query or a fragment"


@given(st.lists(TEXT, min_size=1))
def test_several_segments_stay_as_many_and_none_leads_out(parts):
    value = "/".join(parts)
    segments = value.removeprefix("/").split("/")
    if DOTS & set(segments):
        with pytest.raises(Invalid):
            address("/a/{+name}/b", {}, {"name": value})
        return
    made = address("/a/{+name}/b", {}, {"name": value}).split("/")[1:]
    assert [unquote(each) for each in made] == ["a", *segments, "b"]


@pytest.mark.parametrize(
    ("name", "value"), [("a", None), ("a.b", {"b": []}), ("a", True), ("a", 1.5), ("a", {}), ("a", "\ud800"), ("b", 1)]
)
def test_what_is_no_name_is_not_asked_for(name, value):
    with pytest.raises(Invalid):
        address("/{" + name + "}", {}, {"a": value})


def test_two_values_together_do_not_lead_out():
    with pytest.raises(Invalid):
        address("/x/{a}{b}/y", {}, {"a": ".", "b": "."})


def test_known_values_come_before_the_items_own_unless_it_is_named():
    made = address("/{org}/{@.org}/{owner.login}", {"org": "acme"}, {"org": "other", "owner": {"login": "ana"}})
    assert made == "/acme/other/ana"


def test_a_lone_placeholder_keeps_the_type_of_its_value():
    body = {"size": "{n}", "q": "n={n}", "in": ["{list}"]}
    assert filled(body, {"n": 5, "list": [1]}) == {"size": 5, "q": "n=5", "in": [[1]]}


@pytest.mark.parametrize(
    "text",
    [
        "DELETE /things",
        "GET things",
        "GET /things#part",
        "GET /a/../b",
        "GET /{}",
        "GET /{a b}",
        "GET /a?b",
        "GET https://other.example/things",
        "GRAPHQL",
        "kms.ListKeys",
    ],
)
def test_what_is_no_operation_is_refused(text):
    with pytest.raises(ConfigError):
        operation(text, "POST /graphql")


def test_an_operation_is_named_without_its_query_and_with_its_host():
    found = operation("audit:GET /orgs/{org}?type=all&q=a%20b")
    assert (found.name, found.host) == ("audit:GET /orgs/{org}", "audit")
    assert found.query == (("type", "all"), ("q", "a b"))


@pytest.mark.parametrize(
    "base",
    [
        "http://api.example",
        "https://user:pw@api.example",
        "https://api.example?x=1",
        "//api.example",
        "ftp://api.example",
        "https://api.example:0",
        "https://[::1",
        "http://localhost.example",
    ],
)
def test_credentials_go_to_https_only_and_to_whole_addresses(base):
    with pytest.raises(ConfigError):
        addresses(Api(hosts={"main": base}), HttpSettings())


def test_an_address_for_a_host_that_is_not_declared_is_refused():
    with pytest.raises(ConfigError, match="no host 'other'"):
        addresses(Api(hosts={"main": "https://a.example"}), HttpSettings(addresses={"other": "https://b.example"}))


# RFC 8288 section 3

_URLS = st.text(st.characters(codec="ascii", exclude_characters="<> \t\r\n", min_codepoint=33), min_size=1)
_RELS = st.sampled_from(["first", "prev", "last", "https://rel.example/x,y;z"])
_OTHERS = st.sampled_from(["", '; title="a, <b>; rel=\\"next\\""', "; x", "; type=text/html", " ; y = z"])


@given(
    _URLS,
    st.lists(st.tuples(_URLS, _RELS, _OTHERS)),
    st.randoms(),
    _OTHERS,
    st.sampled_from(["{}", '"{}"', '"a {} b"']),
)
def test_the_next_link_is_found_among_others_in_any_order(target, others, order, more, quoting):
    links = [f'<{url}>{other}; rel="{rel}"' for url, rel, other in others]
    assert next_link(", ".join(links)) is None
    links.append(f"<{target}>{more}; rel={quoting.format('next')}")
    order.shuffle(links)
    assert next_link(" , ".join(links)) == target


@given(st.text())
def test_no_header_makes_the_parser_fail_in_another_way(header):
    try:
        found = next_link(header)
    except Invalid:
        return
    assert found is None or f"<{found}>" in header


@pytest.mark.parametrize(
    "header",
    [
        '<a; rel="next"',
        'a; rel="next"',
        '<a>; rel="next',
        '<a>; rel="next" <b>; rel="last"',
        "<a>;rel=next,<b>;rel=next",
    ],
)
def test_a_header_that_cannot_be_read_is_no_end(header):
    with pytest.raises(Invalid):
        next_link(header)


@pytest.mark.parametrize("rel", ["next", "NEXT", '"next last"', '"prev next"'])
def test_relations_are_words_in_any_case(rel):
    assert next_link(f"<a>; rel={rel}") == "a"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/x",
        "http://api.example/x",
        "https://api.example:444/x",
        "https://api.example.evil.example/x",
        "https://api.example@evil.example/x",
        "https://ana@api.example/x",
        "//evil.example/x",
        "https://[::1/x",
        "https:\\\\evil.example\\x",
        "file:///etc/passwd",
        "javascript:1",
    ],
)
def test_an_address_elsewhere_is_not_followed(target):
    base = "https://api.example/v1"
    try:
        made = followed(target, f"{base}/things", base)
    except Invalid:
        return
    assert urlsplit(made).netloc == "api.example", "a path that only looks like an address stays on the host"


@pytest.mark.parametrize(
    ("target", "made"),
    [
        ("https://API.example:443/v1/things?page=2", "https://API.example:443/v1/things?page=2"),
        ("/v1/things?page=2", "https://api.example/v1/things?page=2"),
        ("?page=2", "https://api.example/v1/things?page=2"),
    ],
)
def test_an_address_on_the_same_host_is_followed(target, made):
    assert followed(target, "https://api.example/v1/things", "https://api.example/v1") == made
