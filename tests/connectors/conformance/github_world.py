"""An organisation on GitHub as the world of a trial."""

from __future__ import annotations

from typing import ClassVar

from tests.connectors.conformance.described_world import TROUBLES, DescribedWorld
from tests.connectors.github import organisation as acme
from tests.fakes.described.graphql import Edge
from tests.fakes.described.vendors import GITHUB

QUERY = "GRAPHQL "


class Held(acme.Organisation):
    """Of the organisation, what a trial holds: numbers of members, repositories by name."""

    members, repositories = range(0), ()

    @property
    def _organization(self):
        people = [{"databaseId": number, "login": f"user{number}"} for number in self.members]
        role = {"role": "MEMBER", "hasTwoFactorEnabled": True}
        return {
            "membersWithRole": [Edge(person, role) for person in people],
            "repositories": [self._repository(name) for name in self.repositories],
        }

    def _repository(self, name):
        return {
            "databaseId": 100 + self.repositories.index(name),
            "name": name,
            "nameWithOwner": f"{acme.ORG}/{name}",
            "visibility": "PRIVATE",
            **dict.fromkeys(("isArchived", "isFork", "isEmpty"), False),
            "defaultBranchRef": {"name": "main"},
            "pullRequests": lambda after=None, **_: self._touched_last_first(name, after),
        }


class GithubWorld(DescribedWorld):
    """Queries are operations of their own, by their names.

    What is held each time is not quite the same: an answer that the connector has kept comes as 304, without a body to
    cut.
    """

    vendor, place = GITHUB, (acme.ORG, "org")
    calls: ClassVar = {
        "github.members": ("GRAPHQL members",),
        "github.branch_protection": ("GRAPHQL repositories", acme.PROTECTION, acme.RULES),
        "github.pull_requests": ("GRAPHQL merged", "GRAPHQL active", "GRAPHQL touched"),
        "github.dependabot_alerts": (acme.ALERTS,),
    }

    def settle(self):
        self.held = Held(self.fake)
        self.holds = 0

    def own(self):
        return {"token": f"file:{self.secret_file}", "addresses": dict.fromkeys(("main", "graphql"), self.fake.url)}

    def trouble(self, operation, what, *, nth=1, times=None):
        if not operation.startswith(QUERY):
            super().trouble(operation, what, nth=nth, times=times)
            return
        asks = f"query {operation.removeprefix(QUERY)}("
        self.fake.trouble(
            acme.GRAPH,
            TROUBLES[what](),
            nth=nth,
            times=times,
            when=lambda ask: ask.body["query"].strip().startswith(asks),
        )

    def furnish(self, kind, count, text):
        return getattr(self, f"_{kind.split('.')[1]}")(range(count), text)

    def _members(self, numbers, text):
        self.held.members = numbers
        return [str(number) for number in numbers]

    def _branch_protection(self, numbers, text):
        self.held.repositories = [f"repo{number}" for number in numbers]
        self.holds += 1
        protection = self.fake.sample(acme.PROTECTION, url=f"https://api.github.com/{self.holds}")
        rule = self.fake.sample(acme.RULES, ruleset_id=self.holds)
        for name in self.held.repositories:
            at = {"owner": acme.ORG, "repo": name, "branch": "main"}
            self.fake.put(acme.PROTECTION, answer=protection, **at)
            self.fake.put(acme.RULES, items=[rule], **at)
        return [f"{acme.ORG}/{name}" for name in self.held.repositories]

    def _pull_requests(self, numbers, text):
        pulls = [acme.pull("api", number, number + 1) for number in numbers]
        for pull in pulls:
            pull["statusCheckRollup"]["contexts"][0]["name"] = text
        self.held.repositories, self.held.pulls = ["api"], {"api": pulls}
        return [pull["id"] for pull in pulls]

    def _dependabot_alerts(self, numbers, text):
        alerts = [self.held._alert(number) | {"dismissed_comment": text} for number in numbers]
        self.fake.put(acme.ALERTS, org=acme.ORG, items=alerts)
        return [f"{acme.ORG}/api#{number}" for number in numbers]
