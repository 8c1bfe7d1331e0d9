"""The story: a quiet account, a change, a denied call, a throttled service, downtime, recovery; then the questions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.cloud import Cloud

EVERY_S = 4
console = Console(highlight=False, soft_wrap=True)
started = time.monotonic()

CONFIG = """\
[store]
url = "sqlite:///evidenced.db"

[plan]
jitter = "0s"
grace = "1m"

[every]
"*" = "{every}s"

[sources."aws:demo"]
regions = {regions}
endpoint_url = "{url}"
requests_per_second = {{ "*" = 1000 }}
"""


class Desk:
    """One installation in *folder*: its config, its daemon, its command line."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder = folder
        self.config = folder / "evidenced.toml"
        regions = json.dumps(list(cloud.regions))
        self.config.write_text(CONFIG.format(every=EVERY_S, regions=regions, url=cloud.url), encoding="utf-8")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": "AKIADEMO",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_EC2_METADATA_DISABLED": "true",
            "COLUMNS": str(max(console.width, 120)),
        }

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """Run the daemon as an installation does: ``evidenced run``, stopped by SIGTERM."""
        with (self.folder / "daemon.log").open("a") as log:
            process = subprocess.Popen(
                [*_command("run"), "--config", str(self.config)], env=self._environment, stderr=log
            )
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(60)
        if code:
            sys.exit(f"the daemon ended with {code}; see {self.folder / 'daemon.log'}")

    def ask(self, *arguments: str, show: bool = True, lines: int = 40) -> str:
        """Run one command and return what it prints; *show* prints the command and its first *lines* lines."""
        shown = " ".join(f"'{each}'" if " " in each else each for each in arguments)
        done = subprocess.run(
            [*_command(*arguments), "--config", str(self.config)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if show:
            console.print(f"\n[bold cyan]$ evidenced {shown}[/]")
            printed = (done.stdout + done.stderr).rstrip().splitlines()
            sys.stdout.write("\n".join(printed[:lines]) + "\n")
            if len(printed) > lines:
                console.print(f"[dim]... {len(printed) - lines} more lines[/]")
        return done.stdout

    def runs(self) -> list[dict[str, Any]]:
        """Return every recorded run; none while the daemon has not made its store."""
        answer = self.ask("runs", "--limit", "100000", "--json", show=False)
        return list(json.loads(answer)["runs"]) if answer else []

    def sweeps(self) -> int:
        """Return how many sweeps the daemon says it has recorded."""
        log = self.folder / "daemon.log"
        return log.read_text().count('"event": "recorded"') if log.exists() else 0

    def wait_for_slots(self, count: int) -> None:
        """Wait until *count* further slots have been read."""
        end, wanted = time.monotonic() + count * EVERY_S + 30, self.sweeps() + count
        while self.sweeps() < wanted:
            if time.monotonic() > end:
                sys.exit(f"no sweep was recorded; see {self.folder / 'daemon.log'}")
            time.sleep(0.2)


def main() -> None:
    """Play the story, then ask what an auditor asks."""
    folder = Path("demo-data") / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    folder.mkdir(parents=True)
    say("a cloud is started on loopback and an account is seeded in two regions")
    cloud = Cloud()
    try:
        desk = Desk(folder, cloud)
        begun = datetime.now(UTC)
        before, after = play(desk, cloud)
        ended = datetime.now(UTC) + timedelta(seconds=1)
        report(desk, begun, before, after, ended)
    finally:
        cloud.close()


def play(desk: Desk, cloud: Cloud) -> tuple[datetime, datetime]:
    """Let the daemon run through the story; return an instant before the change and one after it."""
    with desk.daemon():
        say(f"the daemon starts (evidenced run), every kind is due every {EVERY_S} s")
        desk.wait_for_slots(2)
        before = datetime.now(UTC)
        for words in cloud.change():
            say(words)
        desk.wait_for_slots(1)
        after = datetime.now(UTC)
        say(cloud.deny())
        say(cloud.throttle())
        desk.wait_for_slots(1)
        cloud.calm()
        say("both answer again")
        desk.wait_for_slots(1)
    say("the daemon is stopped (SIGTERM), slots pass")
    time.sleep(EVERY_S * 2.5)
    with desk.daemon():
        say("the daemon starts again, records what passed, and catches up")
        desk.wait_for_slots(1)
        say("a snapshot by hand, while the daemon runs")
        reason = "before and after change 4711"
        desk.ask("snapshot", "--source", "aws:demo", "--kind", "aws.iam.password_policy", "--reason", reason)
    return before, after


def report(desk: Desk, begun: datetime, before: datetime, after: datetime, ended: datetime) -> None:
    """Ask what an auditor asks, with the commands they would type."""
    account = str(next(run["subject"]["scope"] for run in desk.runs() if run["subject"]["kind"].startswith("aws.iam")))
    say("the questions")
    period = ("--from", stamp(begun), "--to", stamp(ended))
    desk.ask("coverage", *period, lines=33)
    desk.ask("coverage", *period, "--kind", "aws.iam.authorization_details")
    desk.ask("diff", "aws.iam.password_policy", "--from", stamp(before), "--to", stamp(after))
    desk.ask("diff", "aws.iam.authorization_details", "--from", stamp(before), "--to", stamp(after), lines=25)
    desk.ask("as-of", "aws.iam.credential_report", "--at", stamp(before), lines=22)
    desk.ask("engagement", "create", "demo", *period)
    saw = next(run for run in desk.runs() if run["detail"] == "changed" and run["trigger"] == "schedule")
    desk.ask("run", "show", str(saw["id"]), lines=80)
    took = f"It took {time.monotonic() - started:.0f} s."
    console.print(f"\n[bold]{took}[/] The evidence is in {desk.folder}. Look further:")
    for line in (
        "status",
        f"coverage --from {stamp(begun)} --criterion CC6.1",
        "runs --outcome failed",
        "as-of aws.ec2.security_groups --at " + stamp(after),
        f"history aws.iam.password_policy {account}",
        "kinds explain aws.kms.keys",
        "policy aws",
    ):
        console.print(f"  .venv/bin/evidenced {line} -c {desk.config}")
    console.print("\nOr in a browser: sign in with the token that the first of these shows, where the second says.")
    for line in ("token create 'A reader' --role reader", "serve"):
        console.print(f"  .venv/bin/evidenced {line} -c {desk.config}")


def say(words: str) -> None:
    """Print *words* with the seconds since the start."""
    console.print(f"[dim]{time.monotonic() - started:5.1f} s[/]  {words}")


def stamp(at: datetime) -> str:
    """Return *at* as the command line takes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("evidenced")), *arguments]


if __name__ == "__main__":
    main()
