"""The GitHub connector: see `collector.connector.Connector`. The API is https://docs.github.com/rest and /graphql."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collector.clock import Clock
from collector.http import Api, Authorizer, Errors, HttpConnector, HttpSession, Opening, RateHeaders, bearer
from collector.http.api import MAIN, addresses
from collector.model import Json
from collector.procedure import Paging
from connectors.github.app import AppCredentials
from connectors.github.session import ORG, AppSession, OwnerSession
from connectors.github.settings import GithubSettings

_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


def _code(code: str, words: str) -> str:
    """Return the expression that gives *code* for an error with *words* in its message: GitHub's have no codes."""
    return f"contains(message, '{words}') && '{code}' || ''"


API = Api(
    hosts={MAIN: "https://api.github.com", "graphql": "https://api.github.com"},
    graphql="graphql:POST /graphql",
    headers=_HEADERS,
    # An installation and a user have 5,000 requests an hour, and as many points of GraphQL: a good third of each.
    rates={MAIN: 0.5, "graphql": 0.5},
    paging=Paging(style="link"),
    errors=Errors(
        codes=[
            "errors[].type",
            _code("BRANCH_NOT_PROTECTED", "Branch not protected"),
            _code("BRANCH_NOT_FOUND", "Branch not found"),
            _code("NOT_IN_PLAN", "Upgrade to GitHub"),
            _code("ALERTS_DISABLED", "lerts are disabled"),
            _code("ALERTS_DISABLED", "lerts are not enabled"),
            "errors[?contains(message, 'Something went wrong')] && 'SOMETHING_WENT_WRONG' || ''",
        ],
        messages=["message", "errors[].message"],
        # What a token may not see, GitHub says is not there.
        denied=["FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND", 404],
        not_enabled=["ALERTS_DISABLED"],
        throttled=["RATE_LIMITED", "RATE_LIMIT"],
        unavailable=["SOMETHING_WENT_WRONG", "SERVICE_UNAVAILABLE", "BRANCH_NOT_FOUND"],
        throttled_messages=["rate limit", "abuse detection"],
    ),
    rate=RateHeaders(remaining="x-ratelimit-remaining", reset="x-ratelimit-reset", form="epoch_s"),
    request_id=["x-github-request-id"],
    etags=True,
)


class GithubConnector(HttpConnector):
    """Reads the organisations of one GitHub App, or of one owner's token, a source."""

    name = "github"
    settings = GithubSettings
    level_names = (ORG,)
    folder = Path(__file__).resolve().parent
    api = API

    def authorizer(self, settings: GithubSettings, clock: Clock) -> Authorizer:
        """Return what sends the owner's token, or the App's JWT and its installations' tokens."""
        if settings.token:
            return bearer(settings.token)
        base = addresses(API, settings)[MAIN]
        return AppCredentials(settings.app_id, settings.private_key, base, _HEADERS, clock)

    def session(self, opening: Opening) -> HttpSession:
        """Return a session; who we are is asked at its first use."""
        if isinstance(opening.authorizer, AppCredentials):
            return AppSession(opening, opening.authorizer)
        return OwnerSession(opening)

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return the manifest of an App with *grants*, and what a token needs instead.

        A manifest is what "Registering a GitHub App from a manifest" takes. A fine-grained token takes the same
        permissions; a classic one knows only scopes, and `repo` writes too.
        """
        permissions = dict(grant.split(":") for grant in grants)
        scopes = {"read:org" if name == "members" else "repo" for name in permissions}
        return [
            {
                "app_manifest": {
                    "name": "evidenced",
                    "url": "https://example.com/",
                    "public": False,
                    "hook_attributes": {"url": "https://example.com/", "active": False},
                    "default_events": [],
                    "default_permissions": permissions,
                },
                "classic_token": {"of": "an owner of the organisation", "scopes": sorted({"read:org", *scopes})},
            }
        ]
