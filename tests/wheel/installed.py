"""Run inside the clean environment: the installed wheel finds its data, its connectors and its commands."""

import subprocess
import sys
from pathlib import Path

source = Path(sys.argv[1])


def evidenced(*arguments: str) -> str:
    """Return what the installed command prints; fail with its own words."""
    done = subprocess.run(["evidenced", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"evidenced {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


import collector  # noqa: E402
from collector.clock import SystemClock  # noqa: E402
from collector.data import data_path  # noqa: E402
from collector.installed import connectors  # noqa: E402
from collector.store import open_store  # noqa: E402

assert source not in Path(collector.__file__).resolve().parents, "the checkout is in reach: nothing is proved"
for name in ("schemas", "migrations", "config.example.toml"):
    assert source not in data_path(name).parents, name
for name in ("templates/page.html", "static/style.css"):
    assert (Path(collector.__file__).parent / "web" / name).exists(), f"{name} is not in the wheel"
assert "aws" in connectors(), "the built-in connector is not found by its entry point"
assert collector.__version__ in evidenced("--version")
evidenced("init")
assert Path("evidenced.toml").exists()
assert "aws.iam.password_policy" in evidenced("kinds", "list")
assert "jira.issues_change" in evidenced("kinds", "list"), "a connector without Python is not in the wheel"
assert "aws.iam.password_policy" in evidenced("kinds", "explain", "aws.iam.password_policy")
open_store("sqlite:///evidenced.db", clock=SystemClock()).close()
evidenced("status")
assert "Version" in evidenced("policy", "aws", "--json")
print("installed wheel: ok")
