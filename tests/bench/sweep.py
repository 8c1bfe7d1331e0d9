"""Runs and items a second of a whole sweep, beside a bare sequential boto3 loop over the very same calls.

    python -m tests.bench.sweep [--quick] [--delay-ms 20]

Twice: against moto's server itself (which gives a few hundred answers a second and is then most of what is measured)
and against a replay of its answers with a fixed delay. Every measured side is a process of its own; memory is its
peak resident set. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REGIONS = ("us-east-1", "eu-west-1")
# What moto's server answers by itself.
KINDS = [
    "aws.cloudtrail.*",
    "aws.ec2.security_groups",
    "aws.iam.*",
    "aws.identitycenter.account_assignments",
    "aws.kms.*",
    "aws.organizations.*",
    "aws.rds.*",
    "aws.s3.*",
    "aws.securityhub.*",
]
CONFIG = """
[store]
url = "sqlite:///sweep.db"
[plan]
jitter = "0s"
[every]
"*" = "1s"
[sources."aws:bench"]
regions = ["us-east-1", "eu-west-1"]
endpoint_url = "{url}"
requests_per_second = {{ "*" = 10000 }}
kinds = {kinds}
"""


def main() -> None:
    """Measure, print a table, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small account, under a minute")
    parser.add_argument("--delay-ms", type=float, default=20.0, help="delay of the replay's answers")
    parser.add_argument("--side", choices=("daemon", "bare", "record", "moto"), help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--calls", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(SIDES[asked.side](asked)), flush=True)
        return
    print(json.dumps(measure(asked)))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of both backends; print them as a table on the way."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, serving("tests.bench.sweep", "--side", "moto", *_size(asked)) as moto:
        calls = str(Path(folder) / "calls")
        side("record", moto, calls)
        with serving("tests.bench.replay", moto, str(asked.delay_ms)) as replay:
            side("bare", replay, calls)
            for name, url in (("moto", moto), (f"replay_{asked.delay_ms:g}ms", replay)):
                daemon, bare = side("daemon", url, calls), side("bare", url, calls)
                figures[name] = compared(daemon, bare)
                table(name, figures[name])
    return figures


def compared(daemon: dict[str, Any], bare: dict[str, Any]) -> dict[str, Any]:
    """Return both sides' rates; the bare loop's items are the daemon's, for it reads the same answers."""
    for one in (daemon, bare):
        one["runs_per_s"] = round(daemon["runs"] / one["seconds"], 1)
        one["items_per_s"] = round(daemon["items"] / one["seconds"])
    return {"daemon": daemon, "bare_boto3": bare, "ratio": round(bare["seconds"] / daemon["seconds"], 2)}


def table(name: str, figure: dict[str, Any]) -> None:
    """Print one backend's figures."""
    print(
        f"{name}: {figure['daemon']['runs']} runs, {figure['daemon']['items']} items; {figure['ratio']} times as fast"
    )
    for side_name in ("daemon", "bare_boto3"):
        one = figure[side_name]
        print(
            f"  {side_name:11} {one['seconds']:7.2f} s {one['runs_per_s']:8} runs/s {one['items_per_s']:8} items/s"
            f" {one['api_calls']:6} calls {one['peak_mb']:5} MB"
        )


def side(name: str, url: str, calls: str) -> Any:
    """Run one side in its own process and return what it measured."""
    command = [sys.executable, "-m", "tests.bench.sweep", "--side", name, "--url", url, "--calls", calls]
    done = subprocess.run(command, env=_environment(), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a server that prints its address first; stop it in the end."""
    command = [sys.executable, "-m", module, *arguments]
    server = subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().strip('"')
    finally:
        server.kill()
        server.wait()


def daemon_side(asked: argparse.Namespace) -> dict[str, Any]:
    """Make one first sweep and one unchanged one with the real dispatcher on a SQLite store."""
    from collector.clock import SystemClock
    from collector.config import load_config
    from collector.dispatch import Dispatcher
    from collector.installed import connectors
    from collector.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidenced.toml"
        path.write_text(CONFIG.format(url=asked.url, kinds=json.dumps(KINDS)))
        config = load_config(path, connectors())
        store = open_store(config.store.url, clock=SystemClock())
        dispatcher = Dispatcher(config, connectors(), store, SystemClock())
        dispatcher.start()
        first, again = _timed_tick(dispatcher), _timed_tick(dispatcher)
        runs = store.runs(limit=100_000)
        sweeps = sorted({run.id.partition("-")[0] for run in runs}, key=int)
        mine = [run for run in runs if run.id.partition("-")[0] == sweeps[0]]
        dispatcher.stop()
        store.close()
    return {
        "seconds": round(first, 3),
        "unchanged_seconds": round(again, 3),
        "runs": len(mine),
        "failed": sorted({f"{run.subject.kind}: {run.reason}" for run in mine if run.reason}),
        "items": sum(run.counts.items for run in mine),
        "api_calls": sum(calls.calls for run in mine for calls in run.operations),
        "peak_mb": _peak_mb(),
    }


def bare_side(asked: argparse.Namespace) -> dict[str, Any]:
    """Make the recorded calls one after another with plain boto3 clients."""
    import boto3

    calls = pickle.loads(Path(asked.calls).read_bytes())
    session = boto3.Session()
    clients: dict[tuple[str, str], Any] = {}
    started = time.perf_counter()
    for service, region, operation, parameters in calls:
        if (service, region) not in clients:
            clients[service, region] = session.client(service, region, endpoint_url=asked.url)
        try:
            clients[service, region]._make_api_call(operation, parameters)
        except clients[service, region].exceptions.ClientError:
            # A declared absence (no bucket policy) is an answer, for both sides.
            continue
    return {"seconds": round(time.perf_counter() - started, 3), "api_calls": len(calls), "peak_mb": _peak_mb()}


def record_side(asked: argparse.Namespace) -> dict[str, Any]:
    """Write down every call that a sweep makes, in order; not measured."""
    from botocore.client import BaseClient

    made: list[tuple[str, str, str, Any]] = []
    call = BaseClient._make_api_call

    def noting(self: Any, operation: str, parameters: Any) -> Any:
        if self.meta.service_model.service_name != "sts" and operation != "DescribeRegions":
            made.append((self.meta.service_model.service_name, self.meta.region_name, operation, parameters))
        return call(self, operation, parameters)

    BaseClient._make_api_call = noting  # type: ignore[method-assign]
    daemon_side(asked)
    Path(asked.calls).write_bytes(pickle.dumps(made[: len(made) // 2]))
    return {"api_calls": len(made) // 2}


def moto_side(asked: argparse.Namespace) -> dict[str, Any]:
    """Serve a seeded account until killed."""
    from tests.fakes.aws.moto_account import MotoAccount
    from tests.fakes.aws.seed import Size, seed

    big = Size(users=1100, groups=20, roles=100, policies=40, buckets=60, security_groups=300, keys=100, databases=20)
    account = MotoAccount()
    seed(account.url, Size() if asked.quick else big, REGIONS)
    print(json.dumps(account.url), flush=True)
    time.sleep(3600)
    return {}


def _timed_tick(dispatcher: Any) -> float:
    time.sleep(1.1)
    started = time.perf_counter()
    dispatcher.tick()
    dispatcher.settle()
    return time.perf_counter() - started


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _size(asked: argparse.Namespace) -> tuple[str, ...]:
    return ("--quick",) if asked.quick else ()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIABENCH",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


SIDES = {"daemon": daemon_side, "bare": bare_side, "record": record_side, "moto": moto_side}

if __name__ == "__main__":
    main()
