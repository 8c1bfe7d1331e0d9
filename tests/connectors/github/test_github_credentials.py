"""As whom GitHub is read: an App proven by its key, in each organisation by an installation's token, or a person."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from collector.connector import Reading
from collector.errors import Misconfigured
from collector.model import Reason, Scope
from tests.connectors.github.conftest import items
from tests.connectors.github.organisation import GRAPH, HELD, NOW, ORG
from tests.fakes.described import trouble
from tests.fakes.described.oauth import wrong_with
from tests.fakes.described.wire import Refusal

APP_ID = "4711"
TOKENS = "POST /app/installations/{installation_id}/access_tokens"
INSTALLATIONS = "GET /app/installations"


class App:
    """The App at GitHub: installed in organisations; it takes JWTs signed with its key and gives tokens for an hour."""

    def __init__(self, fake, public_key, clock):
        self.fake, self.clock, self.given = fake, clock, []
        fake.tokens.trusted = lambda token: not wrong_with(token, public_key, iss=APP_ID)
        fake.put("GET /app", answer=fake.sample("GET /app") | {"id": int(APP_ID), "slug": "evidenced"})
        fake.put(TOKENS, answer=self._token)
        self.install(self.installation(101, ORG))

    def installation(self, number, org, **own):
        made = self.fake.sample(INSTALLATIONS, number, repository_selection="all", target_type="Organization")
        return made | {"id": number, "suspended_at": None, "account": made["account"] | {"login": org}} | own

    def install(self, *installations):
        self.fake.put(INSTALLATIONS, items=list(installations))

    def _token(self, ask):
        self.given.append(ask.path["installation_id"])
        ends = self.clock.now() + timedelta(hours=1)
        return {"token": self.fake.token(), "expires_at": ends.isoformat(), "permissions": {"members": "read"}}


@pytest.fixture
def app(github, public_key, reader):
    return App(github, public_key, reader.clock)


@pytest.fixture
def as_app(reader, app, key_file):
    """Open a session as the App."""
    return lambda **settings: reader.session(app_id=APP_ID, private_key=f"file:{key_file}", **settings)


def test_an_app_reads_by_its_installations_token_and_is_named_with_it(reader, as_app, app):
    found = reader.read("github.members", as_app())
    assert items(found).keys() == HELD["github.members"], found.run.message
    assert (found.run.principal.id, found.run.principal.account) == ("evidenced/101", "app/4711")
    assert app.given == [101]


def test_the_apps_jwt_is_signed_good_for_less_than_ten_minutes_and_not_from_the_future(as_app, github, public_key):
    as_app().principal()
    (token,) = {ask.headers["authorization"].removeprefix("Bearer ") for ask in github.asks}
    assert not wrong_with(token, public_key, iss=APP_ID)
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims.keys() == {"iss", "iat", "exp"}
    assert claims["iat"] <= NOW.timestamp()
    assert NOW.timestamp() < claims["exp"] <= NOW.timestamp() + 600


def test_the_jwt_goes_to_the_apps_own_addresses_only_and_the_token_to_all_others(reader, as_app, github):
    reader.read("github.branch_protection", as_app())
    for ask in github.asks:
        is_jwt = ask.headers["authorization"].count(".") == 2
        assert is_jwt == ask.target.startswith("/app"), ask.target


def test_a_run_longer_than_an_hour_gets_another_token_before_the_first_ends(reader, as_app, app, github):
    session = as_app()
    session.principal()
    reading = Reading(reader.clock, reader.clock.monotonic() + 7200)
    kind = reader.connector.kinds()["github.members"]
    read = session.read(kind, Scope(ORG, "org"), reading)
    first = next(read)
    reader.clock.move(timedelta(minutes=59))
    github.expire()
    # The clock of the JWT's judge is the machine's: it would call a new one too early.
    github.tokens.trusted = lambda token: token.count(".") == 2
    found = [first, *read]
    assert {str(each["id"]) for each in found} == HELD["github.members"]
    assert app.given == [101, 101]
    assert sum(each.retries for each in reading.calls.operations()) == 0


def test_a_token_that_github_ended_early_is_fetched_anew(reader, as_app, app, github):
    github.trouble(GRAPH, trouble.expire(), nth=2, times=1)
    assert items(reader.read("github.members", as_app())).keys() == HELD["github.members"]
    assert app.given == [101, 101]


def test_each_organisation_is_read_with_a_token_of_its_own(reader, as_app, app):
    app.install(app.installation(101, ORG), app.installation(102, "other"))
    session = as_app()
    assert reader.read("github.dependabot_alerts", session).run.reason is None
    # The fake holds no such organisation; what counts is whose token was fetched for it.
    assert reader.read("github.dependabot_alerts", session, org="other").run.reason is Reason.DENIED
    assert app.given == [101, 102]
    assert session.principal().id == "evidenced/101,102"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"repository_selection": "selected"}, "selected repositories only"),
        ({"suspended_at": "2026-01-01T00:00:00Z"}, "suspended"),
    ],
    ids=["selected repositories", "suspended"],
)
def test_an_organisation_that_is_not_wholly_the_apps_is_excluded_and_says_why(as_app, app, own, said):
    app.install(app.installation(101, ORG), app.installation(102, "other", **own))
    whole, other = as_app().scopes()
    assert (whole.name, whole.excluded) == (ORG, "")
    assert other.name == "other" and said in other.excluded


def test_selected_repositories_are_read_where_the_source_says_so(as_app, app):
    app.install(app.installation(101, ORG, repository_selection="selected"))
    assert [each.excluded for each in as_app(partial=True).scopes()] == [""]


def test_more_installations_than_a_page_holds_are_all_scopes(as_app, app):
    app.install(*(app.installation(number, f"org{number}") for number in range(1, 6)))
    assert [each.name for each in as_app().scopes()] == [f"org{number}" for number in range(1, 6)]


def test_an_installation_for_a_person_is_no_scope(as_app, app):
    app.install(app.installation(101, ORG), app.installation(102, "vera", target_type="User"))
    assert [each.name for each in as_app().scopes()] == [ORG]


def test_an_organisation_that_is_named_and_lacks_the_app_is_excluded_and_others_are_not_read(as_app, app):
    app.install(app.installation(101, ORG), app.installation(102, "other"))
    scopes = as_app(orgs=["Acme", "third"]).scopes()
    assert [(each.name, bool(each.excluded)) for each in scopes] == [(ORG, False), ("third", True)]
    assert "not installed" in scopes[1].excluded


def test_an_app_that_is_installed_nowhere_is_misconfigured(as_app, app):
    app.install()
    with pytest.raises(Misconfigured, match="no organisation"):
        as_app().scopes()


def test_an_installation_that_github_gives_no_token_for_is_misconfigured(reader, as_app, app, github):
    github.put(TOKENS, answer=Refusal(403, "", "This installation has been suspended"))
    assert reader.read("github.members", as_app()).run.reason is Reason.MISCONFIGURED


def test_an_organisation_that_lost_the_app_is_misconfigured(reader, as_app, app):
    """The plan names it still; no other installation's token is tried in its place."""
    found = reader.read("github.members", as_app(), org="third")
    assert found.run.reason is Reason.MISCONFIGURED
    assert "not installed in third" in found.run.message
    assert app.given == []


def test_a_key_that_is_no_key_is_misconfigured_and_in_no_message(reader, as_app, key_file):
    text = key_file.read_text()
    key_file.write_text(text.replace("BEGIN", "BEGUN"))
    found = reader.read("github.members", as_app())
    assert found.run.reason is Reason.MISCONFIGURED
    assert text.splitlines()[1] not in found.run.message + found.run.hint


def test_nothing_of_key_or_tokens_is_in_what_is_recorded(reader, as_app, github, key_file):
    found = reader.read("github.branch_protection", as_app())
    recorded = repr(found.run) + b"".join(each.data for each in found.artifacts).decode()
    secrets = [*key_file.read_text().splitlines()[1:-1], *(ask.headers["authorization"][7:] for ask in github.asks)]
    assert not [each for each in secrets if each in recorded]


def test_a_token_is_its_owner(reader, github):
    session = reader.session()
    assert (session.principal().id, session.principal().account) == ("robot", "user/77")
    assert [(each.name, each.excluded) for each in session.scopes()] == [(ORG, "")]


def test_an_organisation_that_the_tokens_owner_does_not_own_is_excluded_unless_a_part_will_do(
    reader, github, organisation
):
    memberships = [
        organisation.membership(org, role) for org, role in ((ORG, "admin"), ("a", "member"), ("b", "member"))
    ]
    github.put("GET /user/memberships/orgs", items=memberships, state="active")
    assert [(each.name, bool(each.excluded)) for each in reader.session().scopes()] == [
        ("a", True),
        (ORG, False),
        ("b", True),
    ]
    assert not any(each.excluded for each in reader.session(partial=True).scopes())


def test_a_token_that_is_over_is_denied(reader, github):
    session = reader.session()
    session.principal()
    github.expire()
    assert reader.read("github.members", session).run.reason is Reason.DENIED
