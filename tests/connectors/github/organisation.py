"""An organisation on loopback: its members, repositories, pull requests and alerts, in pages of two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.fakes.described.graphql import Edge, GraphQl
from tests.fakes.described.vendors.github import GRAPHQL
from tests.fakes.described.wire import Refusal

NOW = datetime.now(UTC).replace(microsecond=0)
ORG, PAGE = "acme", 2
GRAPH = "POST /graphql"
PROTECTION = "GET /repos/{owner}/{repo}/branches/{branch}/protection"
RULES = "GET /repos/{owner}/{repo}/rules/branches/{branch}"
ALERTS = "GET /orgs/{org}/dependabot/alerts"
PLANTED = "planted@people.example"

MEMBERS = {"1": True, "2": False, "3": None, "4": True, "5": True}  # id -> second factor
REPOSITORIES = {"api": "main", "web": "main", "old": "release/1", "plan": "main", "empty": None}  # -> default branch
IN_WINDOW = {"PR_1", "PR_2", "PR_3", "PR_4", "PR_5", "PR_8"}
HELD = {
    "github.members": set(MEMBERS),
    "github.branch_protection": {f"acme/{name}" for name in REPOSITORIES},
    "github.pull_requests": IN_WINDOW,
    "github.dependabot_alerts": {f"acme/api#{number}" for number in range(1, 6)},
}


def ago(days):
    return (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")


class Organisation:
    """What *fake* holds; tests change `pulls` (repository -> pull requests), also `before` one of its lists is read."""

    def __init__(self, fake):
        self.fake = fake
        self.before = lambda repository, after: None
        self.pulls = {
            "api": [
                pull("api", 1, 1, reviews=5, checks=5),
                pull("api", 2, 2) | {"author": None, "statusCheckRollup": None},
                *(pull("api", number, number) for number in (3, 4, 5)),
                pull("api", 6, merged=500, touched=2),
                pull("api", 7, merged=600),
            ],
            "web": [pull("web", 8, 10)],
            "old": [pull("old", 9, 700)],
            "plan": [],
            "empty": [],
        }
        fake.put(GRAPH, answer=GraphQl(GRAPHQL, self._roots(), pages_of=PAGE))
        self._put_branches()
        fake.put(ALERTS, org=ORG, items=[self._alert(number) for number in range(1, 6)])
        fake.put("GET /user", answer=fake.sample("GET /user") | {"login": "robot", "id": 77})
        memberships = [self.membership(ORG, "admin")]
        fake.put("GET /user/memberships/orgs", items=memberships, state="active")

    def membership(self, org, role):
        made = self.fake.sample("GET /user/memberships/orgs", state="active", role=role)
        return made | {"organization": made["organization"] | {"login": org}}

    def _roots(self):
        return {
            "organization": lambda login: self._organization if login == ORG else None,
            "repository": lambda owner, name, **_: self._repository(name),
            "node": lambda id: next(each for pulls in self.pulls.values() for each in pulls if each["id"] == id),
        }

    @property
    def _organization(self):
        return {
            "membersWithRole": [
                Edge(
                    {"databaseId": int(number), "login": f"user{number}"},
                    {"role": "ADMIN" if number == "1" else "MEMBER", "hasTwoFactorEnabled": second},
                )
                for number, second in MEMBERS.items()
            ],
            "repositories": [self._repository(name) for name in REPOSITORIES],
        }

    def _repository(self, name):
        branch = REPOSITORIES[name]
        return {
            "databaseId": 100 + list(REPOSITORIES).index(name),
            "name": name,
            "nameWithOwner": f"acme/{name}",
            "visibility": "PRIVATE",
            "isArchived": name == "old",
            "isFork": False,
            "isEmpty": branch is None,
            "defaultBranchRef": branch and {"name": branch},
            "pullRequests": lambda after=None, **_: self._touched_last_first(name, after),
        }

    def _touched_last_first(self, name, after):
        self.before(name, after)
        return sorted(self.pulls[name], key=lambda each: each["updatedAt"], reverse=True)

    def _put_branches(self):
        made = self.fake.sample(PROTECTION)
        user = self.fake.sample("GET /orgs/{org}/members", login="ana", id=1, email=PLANTED, name="Ana Planted")
        made["required_pull_request_reviews"]["bypass_pull_request_allowances"] = {"users": [user]}
        made["required_status_checks"] |= {"contexts": ["b", "a"], "checks": [{"context": "a", "app_id": 15}]}
        rules = [self.fake.sample(RULES, number, type="deletion", ruleset_id=number) for number in range(5)]
        upgrade = Refusal(403, "", "Upgrade to GitHub Pro or make this repository public to enable this feature.")
        for repo, branch, protection in (
            ("api", "main", made),
            ("web", "main", Refusal(404, "", "Branch not protected")),
            ("old", "release/1", made),
            ("plan", "main", upgrade),
        ):
            at = {"owner": ORG, "repo": repo, "branch": branch}
            self.fake.put(PROTECTION, answer=protection, **at)
            if repo != "plan":
                self.fake.put(RULES, items=rules if repo == "api" else [], **at)
        self.fake.put(RULES, answer=upgrade, owner=ORG, repo="plan", branch="main")

    def _alert(self, number):
        made = self.fake.sample(ALERTS, number, state="open", dismissed_by=None)
        return made | {"number": number, "repository": made["repository"] | {"full_name": "acme/api"}}


def pull(repository, number, merged, *, touched=None, reviews=1, checks=1):
    """A merged pull request; *merged* and *touched* are days ago."""
    person = {"__typename": "User", "login": "author"}
    reviewer = {"__typename": "User", "login": "reviewer"}
    return {
        "__typename": "PullRequest",
        "id": f"PR_{number}",
        "number": number,
        "createdAt": ago(merged + 1),
        "mergedAt": ago(merged),
        "updatedAt": ago(merged if touched is None else touched),
        "baseRefName": "main",
        "headRefName": "topic",
        "headRefOid": "a" * 40,
        "isCrossRepository": False,
        "reviewDecision": "APPROVED",
        "repository": {"nameWithOwner": f"acme/{repository}"},
        "author": person,
        "mergedBy": person,
        "mergeCommit": {"oid": "b" * 40},
        "reviews": [
            {
                "state": "APPROVED",
                "submittedAt": ago(merged),
                "author": {**reviewer, "login": f"reviewer{n}"},
                "authorCanPushToRepository": True,
                "commit": {"oid": "a" * 40},
            }
            for n in range(reviews)
        ],
        "statusCheckRollup": {
            "state": "SUCCESS",
            "contexts": [
                {
                    "__typename": "CheckRun",
                    "name": f"check{n}",
                    "status": "COMPLETED",
                    "conclusion": "SUCCESS",
                    "checkSuite": {"app": {"slug": "ci"}},
                }
                for n in range(checks)
            ],
        },
    }
