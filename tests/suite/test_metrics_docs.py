"""The page of metrics and the example alerts speak of the metrics that there are, all of them and no others."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from collector.checkpoints import Checkpointer
from collector.config import load_settings
from collector.daemon import LOOPS
from collector.metrics import Metrics
from collector.signer import FileSigner
from collector.store import open_store
from collector.verifying import Verifying
from tests.fakes.clock import PlayedClock

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = re.compile(r"\b(evidenced_[a-z_]+)(?:\{([^}]*)\})?")


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """Every metric of a store that was checkpointed and verified, as it is exposed."""
    folder, clock = tmp_path_factory.mktemp("metrics"), PlayedClock()
    path = folder / "evidenced.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{folder}/e.db"\n[checkpoints]\nkeys = ["file:{folder}/one.key"]\n'
        f'[checkpoints.anchors.vault]\ntype = "directory"\npath = "{folder}"\n'
    )
    config = load_settings(path)
    store = open_store(config.store.url, clock=clock)
    checkpointer = Checkpointer(store, FileSigner(config.checkpoints.keys, folder / "memory.json"), clock)
    checkpointer.create_key("Ana")
    checkpointer.take()
    clock.move(timedelta(days=2))
    verifying = Verifying(config, store, clock)
    verifying.tick()
    metrics = Metrics(config, store, clock, verifying, LOOPS)
    metrics.heard.begin({"paper:hq": 0.0})
    with metrics.heard.reading("paper:hq"):
        metrics.heard.recorded("paper:hq", [], 1.0)
    found = [each for each in metrics.families() if each.name.startswith("evidenced_")]
    store.close()
    return found


@pytest.fixture(scope="module")
def samples(families):
    """The names of all samples, and the labels that each has."""
    found = {}
    for family in families:
        for each in family.samples:
            found.setdefault(each.name, set()).update(each.labels)
    return found


@pytest.fixture(scope="module")
def rules():
    return [rule for group in json.loads((DOCS / "alerts.json").read_text())["groups"] for rule in group["rules"]]


def test_the_page_lists_every_metric_with_its_labels_and_no_other(samples):
    rows = re.findall(r"^\| `(evidenced_\w+)` \| ([^|]*)\|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    listed = {name: {each for each in labels.strip().split(", ") if each} for name, labels in rows}
    histogram = re.compile(r"_(bucket|count|sum)$")
    shown = {}
    for name, labels in samples.items():
        shown.setdefault(histogram.sub("", name), set()).update(labels - {"le"})
    assert listed == shown


def test_every_metric_and_label_of_an_alert_exists(rules, samples):
    for rule in rules:
        for name, matchers in SAMPLE.findall(rule["expr"]):
            assert name in samples, rule["alert"]
            assert set(re.findall(r"(\w+)[=!]", matchers)) <= samples[name], rule["alert"]


def test_every_metric_that_can_go_wrong_has_an_alert(rules, samples):
    watched = {name for rule in rules for name, _ in SAMPLE.findall(rule["expr"])}
    only_shown = {
        "evidenced_log_size_leaves",
        "evidenced_delivery_age_seconds",
        "evidenced_verification_differences",
        "evidenced_sweep_duration_seconds_count",
        "evidenced_sweep_duration_seconds_sum",
    }
    assert samples.keys() - watched == only_shown


def test_an_alert_has_what_prometheus_asks_of_a_rule(rules):
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Evidenced[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        assert rule["annotations"]["summary"].endswith(".")
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_a_metrics_labels_in_an_alerts_text_are_those_of_its_metric(rules, samples):
    for rule in rules:
        labels = set().union(*(samples[name] for name, _ in SAMPLE.findall(rule["expr"])))
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= labels, rule["alert"]
