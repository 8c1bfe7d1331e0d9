"""What happens in each region of `account`: findings and jobs, one a minute, answered for the window asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.fakes.aws.fixtures import ACCOUNT, START, at, by, made, whole
from tests.fakes.aws.model import operation_model
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.sample import sample
from tests.fakes.aws.server import FakeAws
from tests.fakes.aws.wire import Ask


def guardduty(aws: FakeAws, count: int, region: str) -> None:
    """Play a detector, its members and its findings."""
    service, detector = "guardduty", "12abc34d567e8fa901bc2d34e56789f0"
    aws.play(service, "ListDetectors", [detector], region)
    missing = Refusal("BadRequestException", "The request is rejected because the input detectorId is not owned.")
    aws.play(service, "GetDetector", by("DetectorId", {detector: whole(service, "GetDetector")}, missing), region)
    aws.play(service, "DescribeOrganizationConfiguration", whole(service, "DescribeOrganizationConfiguration"), region)
    members = made(service, "ListMembers", "Members", count, AccountId=lambda n: f"{n:012}")
    aws.play(service, "ListMembers", by("DetectorId", {detector: members}, missing), region)
    findings = made(
        service,
        "GetFindings",
        "Findings",
        count,
        Id=lambda n: f"{n:032}",
        Arn=lambda n: f"arn:aws:guardduty:{region}:{ACCOUNT}:detector/{detector}/finding/{n:032}",
        UpdatedAt=lambda n: at(n).isoformat().replace("+00:00", "Z"),
    )

    def listed(ask: Ask) -> list[str]:
        updated = ask.params["FindingCriteria"]["Criterion"]["updatedAt"]
        since, until = updated["GreaterThanOrEqual"], updated["LessThan"]
        return [each["Id"] for n, each in enumerate(findings) if since <= at(n).timestamp() * 1000 < until]

    def got(ask: Ask) -> list[Any]:
        return [each for each in findings if each["Id"] in ask.params["FindingIds"]]

    aws.play(service, "ListFindings", listed, region)
    aws.play(service, "GetFindings", got, region)


def findings(aws: FakeAws, count: int, region: str) -> None:
    """Play Security Hub and Inspector findings."""
    hub = made(
        "securityhub",
        "GetFindings",
        "Findings",
        count,
        2,
        Id=lambda n: f"{region}/{n:04}",
        UpdatedAt=lambda n: at(n).isoformat().replace("+00:00", "Z"),
    )

    def in_hub(ask: Ask) -> list[Any]:
        window = ask.params["Filters"]["UpdatedAt"][0]
        return [each for each in hub if window["Start"] <= each["UpdatedAt"] < window["End"]]

    aws.play("securityhub", "GetFindings", in_hub, region)
    arn = f"arn:aws:inspector2:{region}:{ACCOUNT}:finding/"
    found = made(
        "inspector2",
        "ListFindings",
        "findings",
        count,
        findingArn=lambda n: f"{arn}{n:04}",
        updatedAt=at,
        severity="HIGH",
    )

    def inspected(ask: Ask) -> list[Any]:
        window = ask.params["filterCriteria"]["updatedAt"][0]
        return [each for each in found if window["startInclusive"] <= each["updatedAt"] <= window["endInclusive"]]

    aws.play("inspector2", "ListFindings", inspected, region)
    status = sample(operation_model("inspector2", "BatchGetAccountStatus").output_shape)
    status["accounts"][0]["accountId"] = ACCOUNT
    status["accounts"][0]["state"]["status"] = "ENABLED"
    aws.play("inspector2", "BatchGetAccountStatus", {"accounts": status["accounts"]}, region)


def backup(aws: FakeAws, count: int, region: str) -> None:
    """Play jobs, restore jobs and restore testing plans."""

    def jobs(operation: str, path: str, key: str) -> None:
        own: dict[str, Any] = {key: lambda n: f"{region}-{path}-{n:04}", "CreationDate": at}
        made_jobs = made("backup", operation, path, count, **own)

        def in_window(ask: Ask) -> list[Any]:
            since = ask.params.get("ByCreatedAfter", START)
            until = ask.params.get("ByCreatedBefore", START + timedelta(days=365))
            return [job for job in made_jobs if since <= job["CreationDate"] < until]

        aws.play("backup", operation, in_window, region)

    jobs("ListBackupJobs", "BackupJobs", "BackupJobId")
    jobs("ListCopyJobs", "CopyJobs", "CopyJobId")
    jobs("ListRestoreJobs", "RestoreJobs", "RestoreJobId")
    arn = f"arn:aws:backup:{region}:{ACCOUNT}:restore-testing-plan:"
    plans = made(
        "backup",
        "ListRestoreTestingPlans",
        "RestoreTestingPlans",
        count,
        RestoreTestingPlanName=lambda n: f"plan_{n}",
        RestoreTestingPlanArn=lambda n: f"{arn}{n}",
    )
    aws.play("backup", "ListRestoreTestingPlans", plans, region)
    missing = Refusal("ResourceNotFoundException")
    details = {}
    for number, plan in enumerate(plans):
        detail = whole("backup", "GetRestoreTestingPlan", number)
        name, place = plan["RestoreTestingPlanName"], plan["RestoreTestingPlanArn"]
        detail["RestoreTestingPlan"].update(RestoreTestingPlanName=name, RestoreTestingPlanArn=place)
        details[name] = detail
    aws.play("backup", "GetRestoreTestingPlan", by("RestoreTestingPlanName", details, missing), region)
    selections = made("backup", "ListRestoreTestingSelections", "RestoreTestingSelections", 7)
    every = dict.fromkeys(details, selections)
    aws.play("backup", "ListRestoreTestingSelections", by("RestoreTestingPlanName", every, missing), region)
