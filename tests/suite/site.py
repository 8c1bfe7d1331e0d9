"""An installation of the daemon as a process of its own, over a fake cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest

from tests.fakes.aws import FakeAws
from tests.fakes.aws.account import furnish

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYFAKESECRET"
REGION = "eu-west-1"
CONFIG = """
[store]
url = "{store}{options}"

[log]
level = "debug"

[plan]
jitter = "0s"
grace = "1m"

[every]
"*" = "{every}"

[sources."aws:test"]
kinds = {kinds}
regions = ["eu-west-1"]
endpoint_url = "{url}"
"""


@pytest.fixture
def aws():
    fake = FakeAws()
    furnish(fake, 3, [REGION])
    yield fake
    fake.close()


class Site:
    """One installation of the daemon in a folder."""

    def __init__(self, folder, aws):
        self.folder, self.aws, self.url = folder, aws, aws.url
        self.log = folder / "daemon.log"
        self.store = "sqlite:///evidenced.db"
        self.configure()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(folder),
        }

    def configure(self, every="1s", kinds='["aws.iam.authorization_details", "aws.kms.keys"]', options=""):
        config = CONFIG.format(store=self.store, every=every, kinds=kinds, url=self.url, options=options)
        (self.folder / "evidenced.toml").write_text(config)

    def command(self, *arguments):
        return [sys.executable, "-c", "from collector.cli import main; main()", *arguments]

    def ask(self, *arguments):
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def answer(self, *arguments):
        done = self.ask(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def daemon(self):
        with self.log.open("a") as log:
            process = subprocess.Popen(self.command("run"), cwd=self.folder, env=self.environment, stderr=log)
            self.process = process
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def wait(self, ready, seconds=60):
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def events(self):
        found = []
        for line in self.log.read_text().splitlines():
            # A line that is being written, or was cut by a full disk, is no event yet.
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return found

    def said(self, event):
        return [each for each in self.events() if each["event"] == event]

    def runs(self, **like):
        return [run for run in self.answer("runs", "--limit", "10000")["runs"] if like.items() <= run.items()]


@pytest.fixture
def site(tmp_path, aws):
    return Site(tmp_path, aws)
