"""A connector that is not ours: packaged, installed without network, found by its entry point, kept to the promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRANGER = ROOT / "tests/stranger"
GUIDE = ROOT / "docs/connectors.md"


def run(*command, at, site=None):
    """Return what the command prints; fail with its own words."""
    names = ("PATH", "HOME", "TMPDIR")
    environment = {name: os.environ[name] for name in names if name in os.environ} | {"PIP_NO_INDEX": "1"}
    environment |= {"PYTHONPATH": str(site)} if site else {}
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with the author's test, and the place where the wheel of the connector is installed."""
    work = tmp_path_factory.mktemp("stranger")
    source = shutil.copytree(STRANGER, work / "source", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", "dist", ".", at=source)
    (wheel,) = (source / "dist").glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--no-compile", "--target", str(work / "site"), str(wheel), at=work)
    author = work / "author"
    author.mkdir()
    shutil.copy(source / "test_parcels.py", author)
    return author, work / "site"


def test_the_connector_in_the_readme_is_the_one_that_runs_here():
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    assert (STRANGER / "parcels_evidence/parcels.toml").read_text(encoding="utf-8") in shown


def test_the_wheel_holds_the_toml_file_and_no_python(installed):
    _, site = installed
    assert [each.name for each in (site / "parcels_evidence").iterdir()] == ["parcels.toml"]


def test_the_authors_own_test_passes_against_what_is_installed(installed):
    author, site = installed
    said = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_parcels.py", at=author, site=site)
    assert "11 passed" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("kinds", "list"), "parcels.people"),
        (("kinds", "explain", "parcels.people"), "GET /people/{id}/factors"),
        (("kinds", "lint", "parcels.*"), "1 kind"),
        (("policy", "parcels", "--json"), "people:read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_commands_know_it_as_any_other(installed, command, said):
    author, site = installed
    config = author / "evidenced.toml"
    config.write_text('[sources."parcels:acme"]\ndomain = "acme.parcels.example"\ntoken = "env:PARCELS_TOKEN"\n')
    assert said in run(str(Path(sys.executable).with_name("evidenced")), *command, at=author, site=site)


@pytest.mark.parametrize("name", ["parcels_evidence/parcels.toml", "pyproject.toml"])
def test_the_guide_shows_the_very_files(name):
    shown = [block.partition("\n")[2] for block in GUIDE.read_text(encoding="utf-8").split("```")[1::2]]
    assert (STRANGER / name).read_text(encoding="utf-8") in shown
