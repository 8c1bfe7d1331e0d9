"""The running daemon's metrics, scraped over HTTP and read by prometheus_client's own parser."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
import urllib.request
from contextlib import suppress
from urllib.error import URLError

from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.aws import trouble
from tests.suite.site import SECRET

KIND = "aws.iam.authorization_details"


def watched(site, more="", every="1s", listen="127.0.0.1:0"):
    """Let the daemon of *site* listen for scrapes, with *more* in its configuration."""
    site.configure(every=every, kinds=f'["{KIND}"]')
    path = site.folder / "evidenced.toml"
    path.write_text(path.read_text() + f'[metrics]\nlisten = "{listen}"\n{more}')


class Scraped:
    """One scrape: the value of a sample by its name and labels, None when it is not there."""

    def __init__(self, site):
        url = site.said("metrics")[-1]["at"]
        with urllib.request.urlopen(url, timeout=20) as answer:
            self.text = answer.read().decode()
        self.samples = {
            (each.name, tuple(sorted(each.labels.items()))): each.value
            for family in text_string_to_metric_families(self.text)
            for each in family.samples
        }

    def __call__(self, name, **labels):
        return self.samples.get((f"evidenced_{name}", tuple(sorted(labels.items()))))


def eventually(site, so):
    """Return the first scrape of which *so* holds."""
    found = []

    def look():
        with suppress(URLError):  # what was said last may be of a daemon that ended
            found.append(Scraped(site))
        return found and so(found[-1])

    site.wait(lambda: site.said("metrics"))
    site.wait(look)
    return found[-1]


def test_slots_are_counted_by_source_outcome_and_reason(site, aws):
    watched(site)
    aws.trouble("iam", "GetAccountAuthorizationDetails", trouble.deny(), nth=4)
    named = {"source": "aws:test", "outcome": "failed", "reason": "denied"}
    with site.daemon() as daemon:
        scraped = eventually(site, lambda scraped: (scraped("slots_total", **named) or 0) >= 2)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    assert scraped("slots_total", source="aws:test", outcome="collected", reason="") >= 1
    runs = [run for run in site.runs(trigger="schedule") if run["outcome"] == "failed"]
    assert len(runs) >= scraped("slots_total", **named)


def test_runs_under_way_are_counted_while_they_are(site, aws):
    watched(site)
    aws.trouble("iam", "GetAccountAuthorizationDetails", trouble.slow(3), times=1)
    with site.daemon():
        eventually(site, lambda scraped: scraped("runs_in_flight", source="aws:test") == 1)
        eventually(site, lambda scraped: scraped("runs_in_flight", source="aws:test") == 0)


def test_a_sweep_is_timed_and_dated(site, aws):
    watched(site, every="1h")
    aws.trouble("iam", "GetAccountAuthorizationDetails", trouble.slow(0.7), times=1)
    with site.daemon():
        scraped = eventually(site, lambda scraped: scraped("sweep_duration_seconds_count", source="aws:test") == 1)
    assert scraped("sweep_duration_seconds_bucket", source="aws:test", le="0.5") == 0
    assert 0.7 <= scraped("sweep_duration_seconds_sum", source="aws:test") < 60
    assert abs(scraped("last_good_sweep_timestamp_seconds", source="aws:test") - time.time()) < 60


def test_when_a_source_was_last_read_well_is_known_after_a_restart_and_zero_before_the_first(site, aws):
    watched(site, every="1h")
    aws.trouble("iam", "GetAccountAuthorizationDetails", trouble.deny())
    good = {"source": "aws:test"}
    with site.daemon():
        site.wait(lambda: site.said("recorded"))
        assert Scraped(site)("last_good_sweep_timestamp_seconds", **good) == 0
    aws.calm()
    assert site.ask("snapshot", "--source", "aws:test", "--reason", "again").returncode == 0
    with site.daemon():
        site.wait(lambda: len(site.said("started")) == 2)
        assert Scraped(site)("last_good_sweep_timestamp_seconds", **good) > time.time() - 100


def test_the_sizes_of_store_and_log_and_what_runs_are_told(site):
    watched(site, every="1h")
    with site.daemon():
        site.wait(lambda: site.said("started"))
        site.wait(lambda: site.said("recorded"))
        scraped = Scraped(site)
    assert scraped("store_up") == 1
    assert scraped("store_size_bytes") > 10_000
    assert 3 <= scraped("log_size_leaves") <= 20
    (build,) = [dict(labels) for name, labels in scraped.samples if name == "evidenced_build_info"]
    assert (build["store"], set(build)) == ("sqlite", {"version", "python", "store"})


def test_every_loop_of_the_daemon_goes_round(site):
    watched(site, every="1h")
    with site.daemon():
        site.wait(lambda: site.said("recorded"))
        time.sleep(3)
        scraped = Scraped(site)
    ages = {
        dict(labels)["loop"]: age
        for (name, labels), age in scraped.samples.items()
        if name.endswith("loop_age_seconds")
    }
    assert ages.keys() == {"reading", "checkpoints", "verifying"}
    assert max(ages.values()) < 2.5


def test_the_age_of_checkpoints_and_of_what_others_hold_is_told(site):
    (site.folder / "vault").mkdir()
    watched(
        site,
        every="1h",
        more=f'[checkpoints]\nkeys = ["file:{site.folder}/one.key"]\n'
        '[checkpoints.anchors.vault]\ntype = "directory"\npath = "vault"\n'
        '[checkpoints.authorities.far]\nurl = "http://127.0.0.1:9/"\n',
    )
    path = site.folder / "evidenced.toml"
    path.write_text(path.read_text().replace('path = "vault"', f'path = "{site.folder}/vault"'))
    assert site.ask("keys", "create").returncode == 0
    with site.daemon():
        site.wait(lambda: site.said("checkpoint taken"))
        site.wait(lambda: site.said("a checkpoint is not delivered yet"))
        scraped = eventually(site, lambda scraped: scraped("checkpoint_age_seconds") is not None)
    vault, far = {"role": "anchor", "place": "vault"}, {"role": "authority", "place": "far"}
    assert scraped("checkpoint_age_seconds") < 60
    assert (scraped("deliveries_pending", **vault), scraped("deliveries_pending", **far)) == (0, 1)
    assert (scraped("delivery_late", **vault), scraped("delivery_late", **far)) == (0, 0)
    assert scraped("delivery_age_seconds", **vault) < 60


def test_a_verification_that_fails_shows(site):
    watched(site, every="1h")
    with site.daemon():
        site.wait(lambda: site.said("recorded"))
        assert Scraped(site)("verification_intact") is None
    assert site.ask("verify").returncode == 0
    with site.daemon():
        scraped = eventually(site, lambda scraped: scraped("store_up") == 1)
        assert (scraped("verification_intact"), scraped("verification_differences")) == (1, 0)
        assert scraped("verification_age_seconds") < 60
    with sqlite3.connect(site.folder / "evidenced.db") as database:
        database.execute("DROP TRIGGER evidenced_sweep_update")
        database.execute("UPDATE sweep SET due = due + 1")
    assert site.ask("verify").returncode == 1
    with site.daemon():
        scraped = eventually(site, lambda scraped: scraped("store_up") == 1)
    assert scraped("verification_intact") == 0
    assert scraped("verification_differences") >= 1


def test_no_secret_and_no_item_is_named(site, aws):
    watched(site)
    aws.trouble("iam", "*", trouble.refuse("ServiceFailure", f"while signing with {SECRET}"), nth=3, times=3)
    with site.daemon():
        site.wait(lambda: len(site.said("recorded")) >= 4)
        scraped = Scraped(site)
    assert SECRET not in scraped.text
    labels = {name for _, labels in scraped.samples for name, _ in labels}
    assert labels <= {"source", "outcome", "reason", "le", "loop", "role", "place", "version", "python", "store"}


def test_a_reload_moves_the_server_and_a_port_that_is_taken_leaves_it_where_it_was(site):
    watched(site, every="1h")
    with site.daemon() as daemon, socket.create_server(("127.0.0.1", 0)) as taken:
        site.wait(lambda: site.said("started"))
        first = site.said("metrics")[-1]["at"]
        watched(site, every="1h", listen=f"127.0.0.1:{taken.getsockname()[1]}")
        daemon.send_signal(signal.SIGHUP)
        site.wait(lambda: site.said("not reloaded; the plan stays as it was"))
        assert Scraped(site)("store_up") == 1
        watched(site, every="1h", listen="127.0.0.1:00")
        daemon.send_signal(signal.SIGHUP)
        site.wait(lambda: site.said("reloaded"))
        assert Scraped(site)("store_up") == 1
    assert first.startswith("http://127.0.0.1:")


def test_a_daemon_that_cannot_listen_where_it_should_does_not_start(site):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        watched(site, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        done = site.ask("run")
    assert (done.returncode, "metrics.listen" in done.stderr, "Traceback" in done.stderr) == (3, True, False)


def test_without_the_section_nothing_listens(site):
    with site.daemon():
        site.wait(lambda: site.said("recorded"))
        assert site.said("metrics") == []
