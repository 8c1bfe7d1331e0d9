"""The demo's cloud: a seeded AWS account on loopback that changes, refuses and throttles when it is told to."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.aws import FakeAws, account_events, account_global, trouble
from tests.fakes.aws.fixtures import whole
from tests.fakes.aws.moto_account import MotoAccount
from tests.fakes.aws.seed import REGIONS, Size, seed

SIZE = Size(
    users=14,
    groups=3,
    roles=5,
    policies=3,
    buckets=6,
    security_groups=5,
    keys=4,
    databases=2,
    findings=0,
    permission_sets=0,
    detectors=False,
)


class Cloud:
    """An AWS account behind one loopback address; close it at the end."""

    regions = REGIONS

    def __init__(self) -> None:
        self._moto = MotoAccount()
        self._front = FakeAws(upstream=self._moto.upstream)
        self.url = self._front.url
        seed(self._moto.url, SIZE, REGIONS)
        self._play_what_moto_lacks()

    def _play_what_moto_lacks(self) -> None:
        account_global.identity_center(self._front, 3)
        for region in REGIONS:
            for part in (account_events.guardduty, account_events.findings, account_events.backup):
                part(self._front, 3, region)
            for service, operation in _WHOLE:
                self._front.play(service, operation, whole(service, operation), region)

    def change(self) -> list[str]:
        """Change the account as people do; return what was changed, in words."""
        iam = self._moto.client("iam")
        iam.create_user(UserName="contractor-0001")
        iam.create_login_profile(UserName="contractor-0001", Password="Correct-horse-7")
        iam.attach_user_policy(UserName="contractor-0001", PolicyArn=_administrator(iam, "contractor-administration"))
        iam.update_account_password_policy(MinimumPasswordLength=8)
        ec2 = self._moto.client("ec2", REGIONS[1])
        group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["group-0001"]}])
        ec2.authorize_security_group_ingress(
            GroupId=group["SecurityGroups"][0]["GroupId"],
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            ],
        )
        return [
            "user contractor-0001 appears, with a password, without MFA, with administrator rights",
            "the password policy shrinks from 14 characters to 8",
            f"a security group in {REGIONS[1]} opens 5432 to the world",
        ]

    def deny(self) -> str:
        """Refuse one call from now on; return what, in words."""
        self._front.trouble("iam", "GetAccountAuthorizationDetails", trouble.deny())
        return "iam:GetAccountAuthorizationDetails is denied"

    def throttle(self) -> str:
        """Throttle one service from now on; return what, in words."""
        self._front.trouble("kms", "*", trouble.throttle())
        return "kms throttles every request"

    def calm(self) -> None:
        """Answer everything again."""
        self._front.calm()

    def close(self) -> None:
        """Stop serving."""
        self._front.close()
        self._moto.close()


def _administrator(iam: Any, name: str) -> str:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    return str(iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"])


_WHOLE = (
    ("config", "DescribeDeliveryChannelStatus"),
    ("ec2", "GetEbsDefaultKmsKeyId"),
    ("ec2", "GetSnapshotBlockPublicAccessState"),
    ("ec2", "GetImageBlockPublicAccessState"),
    ("ec2", "GetSerialConsoleAccessStatus"),
    ("ec2", "GetInstanceMetadataDefaults"),
)
