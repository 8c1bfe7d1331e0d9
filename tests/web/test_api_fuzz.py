"""The whole API under questions that a machine makes up: nothing fails, and nothing undocumented is answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from collector.api import PREFIX, application
from tests.web.world import ENGAGEMENT, last_run

schema = schemathesis.openapi.from_dict(application(None).openapi())
schema.config.phases.coverage.enabled = False  # its thousands of cases take minutes
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
bounded = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def served(unhurried):
    """The world, served to who asks more often than people do."""
    return unhurried


@pytest.fixture(scope="module")
def there(served):
    """What is there, by the name of the path's parameter, and for a number by what it counts."""
    admin = served.api("admin")
    run = last_run(served.store, "acme.users", datetime(2025, 3, 1, tzinfo=UTC))
    [item] = served.store.as_of("acme.users", datetime(2025, 3, 1, tzinfo=UTC))[:1]
    tagged = admin.post(f"{PREFIX}/tags", json={"target": run, "control": "AC-01", "note": "looked at"})
    snapshot = admin.post(f"{PREFIX}/snapshots", json={"source": "acme:hq", "reason": "a change"})
    made = served.world.made
    return {
        "engagement": ENGAGEMENT, "kind": "acme.users", "control": "AC-01", "run": run, "request": "R-01",
        "artifact": item.artifact.hex(), "populations": made.population, "samples": made.sample,
        "uploads": made.upload, "tags": tagged.json()["tag"], "snapshots": snapshot.json()["request"]["id"],
    }  # fmt: skip


@pytest.fixture
def spare(served):
    """An engagement to be closed and a token to be revoked, by nobody else's leave."""
    admin = served.api("admin")
    name = f"spare {len(served.store.engagements())}"
    admin.post(f"{PREFIX}/engagements", json={"name": name, "start": "2025-01-01", "end": "2025-02-01"})
    token = admin.post(f"{PREFIX}/tokens", json={"name": "spare", "role": "reader"}).json()["id"]
    return {"engagement": name, "tokens": token}


def placed(case, values):
    """Let *case* ask for what is there, where it asks for something."""
    for name in case.path_parameters or {}:
        key = next((each for each in values if f"/{each}/{{number}}" in case.path), None) if name == "number" else name
        if key in values:
            case.path_parameters[name] = values[key]


@pytest.mark.parametrize("who", ["admin", "auditor"])
@schema.parametrize()
@bounded
def test_of_what_is_there_nothing_undocumented_is_answered(case, who, served, there, spare):
    destroys = case.path.endswith(("/closing", "/revocation"))
    placed(case, there | spare if destroys else there)
    answer = case.call(base_url=served.url + PREFIX, session=served.api(who))
    case.validate_response(answer, checks=CHECKS)


@schema.parametrize()
@bounded
def test_of_whatever_is_asked_nothing_undocumented_is_answered(case, served, spare):
    if case.path.endswith(("/closing", "/revocation")):
        placed(case, spare)
    answer = case.call(base_url=served.url + PREFIX, session=served.api("admin"))
    case.validate_response(answer, checks=CHECKS)
