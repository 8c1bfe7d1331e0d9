"""An AWS account on loopback as the world of a trial."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import jmespath
import pytest

from collector.model import Scope
from collector.testing import HurriedClock
from collector.testing.world import Trouble
from tests.fakes.aws import FakeAws, trouble
from tests.fakes.aws.account import furnish
from tests.fakes.aws.boto import Boto
from tests.fakes.aws.fixtures import ACCOUNT, START
from tests.fakes.aws.listings import LISTINGS
from tests.fakes.trouble import Trouble as Bent

REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI7K7MDENGbPxRfiCYEXAMPLEKEYA"}
TROUBLES = {Trouble.DENIED: trouble.deny, Trouble.THROTTLED: trouble.throttle, Trouble.CUT: trouble.cut}
_TEXT = re.compile(rb"(?<=[\">])\w*(?:[dD]escription|Message|Value)-\d{6}(?=[\"<])")


class AwsWorld:
    """Accounts by how many there is of everything. What is held, boto3 says by itself."""

    def __init__(self, folder):
        self._open = ExitStack()
        self._accounts = {}
        self.aws = None
        self.clock = HurriedClock(START + timedelta(minutes=30))

    def __enter__(self):
        environment = self._open.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        nothing = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/nonexistent")
        for name, value in (KEYS | nothing).items():
            environment.setenv(name, value)
        return self

    def __exit__(self, *error):
        self._open.close()

    def hold(self, kind, count):
        if count not in self._accounts:
            self._accounts[count] = self._open.enter_context(FakeAws())
            furnish(self._accounts[count], count, [REGION])
            self._accounts[count].at_most("*", "*", 2)
        self.aws = self._accounts[count]
        self.calm()
        now = self.clock.now()
        boto = Boto(self.aws.client, REGION)
        boto.since, boto.until = now - timedelta(days=90), now
        items = LISTINGS[kind.name](boto)
        self.calm()
        return [jmespath.search(kind.key, item) if kind.key else self.scope(kind).name for item in items]

    def settings(self):
        fast = {"requests_per_second": {"*": 1e6}, "attempts": 2, "regions": [REGION]}
        return {"endpoint_url": self.aws.url, **fast}

    def scope(self, kind):
        return Scope(ACCOUNT if kind.scope == "account" else REGION, kind.scope)

    def operations(self, kind):
        ready, listed = {}, [call.op.rpartition(".")[2] for call in kind.list_]
        service = ""
        for call in kind.calls:
            before, _, name = call.op.rpartition(".")
            service = before or service
            ready[f"{service}.{name}"] = name not in listed
        return sorted(ready, key=ready.__getitem__)

    def trouble(self, operation, what, *, nth=1, times=None):
        self.aws.trouble(*operation.split("."), TROUBLES[what](), nth=nth, times=times)

    def plant(self, kind, secret):
        text = secret.encode()
        planted = Bent("plant", reply=lambda reply: replace(reply, body=_TEXT.sub(text, reply.body)))
        for operation in self.operations(kind):
            self.aws.trouble(*operation.split("."), planted)

    def credentials(self):
        return [KEYS["AWS_SECRET_ACCESS_KEY"]]

    def calm(self):
        if self.aws:
            self.aws.calm()
