"""A connector of one TOML file, installed and used as a user would: by the command line, over real sockets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.http.loopback import Loopback, Reply

ACME = Path(__file__).parent / "acme.toml"
CONFIG = """
[store]
url = "sqlite:///evidence.db"
[sources."acme:main"]
domain = "acme.example"
token = "env:ACME_TOKEN"
addresses = {{ main = "{url}/api" }}
attempts = 1
"""


class Site:
    """A folder with a configuration, an installed connector and its vendor."""

    def __init__(self, folder):
        self.folder = folder
        self.server = Loopback()
        self.server.on("GET /api/me", {"email": "reader@acme.example"})
        self.server.on("GET /api/teams", {"teams": [{"id": 7, "slug": "red"}]})
        (folder / "evidenced.toml").write_text(CONFIG.format(url=self.server.url))
        package, information = folder / "installed/acme_evidence", folder / "installed/acme_evidence-1.0.dist-info"
        package.mkdir(parents=True)
        information.mkdir()
        shutil.copy(ACME, package / "acme.toml")
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-evidence\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text("[evidenced.connectors]\nacme = acme_evidence\n")

    def evidenced(self, *arguments):
        """Return how the command ended and what it printed as JSON."""
        paths = [str(self.folder / "installed"), str(Path(__file__).parents[2])]
        done = subprocess.run(
            [sys.executable, "-c", "from collector.cli import main; main()", *arguments, "--json"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "ACME_TOKEN": "s3cret-token-of-acme"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "s3cret" not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def site(tmp_path):
    """Acme's API with two people on two pages."""
    site = Site(tmp_path)
    pages = {"": ("ana", "2"), "2": ("bo", None)}

    def people(heard):
        name, following = pages[heard.query.get("page", "")]
        return {"people": [{"email": name}], "next": following}

    site.server.on("GET /api/teams/7/people", people)
    yield site
    site.server.close()


def test_its_kinds_pass_the_lint_of_the_command_line(site):
    assert site.evidenced("kinds", "lint", "acme.*") == (0, {"checked": 1, "problems": []})


def test_its_policy_lists_what_its_kinds_need(site):
    code, answer = site.evidenced("policy", "acme")
    assert (code, answer["documents"]) == (0, [{"grants": ["people:read"]}])


def test_what_it_reads_is_evidence(site):
    code, _ = site.evidenced("snapshot", "--source", "acme:main", "--reason", "a first look")
    assert code == 0
    _, answer = site.evidenced("runs")
    run = answer["runs"][0]
    assert (run["subject"]["scope"], run["outcome"], run["counts"]["items"]) == ("red", "collected", 2)


def test_a_refusal_is_recorded_and_not_an_empty_population(site):
    site.server.on("GET /api/teams/7/people", Reply({"error": {"code": "no_scope"}}, 403))
    code, _ = site.evidenced("snapshot", "--source", "acme:main", "--reason", "a first look")
    assert code == 5
    _, answer = site.evidenced("runs")
    assert (answer["runs"][0]["outcome"], answer["runs"][0]["reason"]) == ("failed", "denied")
