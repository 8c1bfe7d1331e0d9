"""S3 with Object Lock: each checkpoint a locked version whose VersionId is the receipt."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from collector.anchors import anchor_type
from collector.deliveries import Deliveries, anchor_queue
from collector.errors import DeliveryError, HistoryError, IntegrityError
from collector.restore import compare

LOG = "evidenced/x"


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def url(server, monkeypatch, tmp_path):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAFAKE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return server


@pytest.fixture
def s3(url):
    """The administrator's own client."""
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", config=Config(retries={"total_max_attempts": 1})
    )
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    client.create_bucket(Bucket="loose")
    yield client
    for bucket in ("locked", "loose"):
        for each in client.list_object_versions(Bucket=bucket).get("Versions", []):
            client.delete_object(
                Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"], BypassGovernanceRetention=True
            )
        for each in client.list_object_versions(Bucket=bucket).get("DeleteMarkers", []):
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
        client.delete_bucket(Bucket=bucket)


@pytest.fixture
def opened(url):
    def opened(bucket="locked", **values):
        kind = anchor_type("s3")
        # Governance, so that the test can clear up after itself.
        given = {"type": "s3", "bucket": bucket, "region": "us-east-1", "endpoint_url": url, "mode": "GOVERNANCE"}
        return kind.open("far", kind.settings(**{**given, **values}))

    return opened


def test_a_checkpoint_is_put_with_its_retention_and_its_version_recorded(s3, opened):
    receipt = opened(prefix="audit", retain="400d").push(LOG, 7, b"note\n")
    key = f"audit/{LOG}/00000000000000000007.note"
    assert (receipt["bucket"], receipt["key"]) == ("locked", key)
    head = s3.head_object(Bucket="locked", Key=key, VersionId=receipt["version"])
    assert head["ObjectLockMode"] == "GOVERNANCE"
    until = head["ObjectLockRetainUntilDate"]
    assert abs(until - datetime.now(UTC) - timedelta(days=400)) < timedelta(hours=1)
    assert datetime.fromisoformat(receipt["until"]).replace(microsecond=0) == until.replace(microsecond=0)


def test_the_lock_is_meant_for_everybody_unless_said_otherwise():
    settings = anchor_type("s3").settings(type="s3", bucket="locked")
    assert (settings.mode, settings.retain) == ("COMPLIANCE", "2557d")


def test_the_newest_checkpoint_is_given_back(s3, opened):
    anchor = opened()
    assert anchor.newest(LOG) is None
    for size in (9, 10, 2):
        anchor.push(LOG, size, f"note {size}\n".encode())
    anchor.push(f"{LOG}/2", 99, b"of the next epoch\n")
    assert anchor.newest(LOG) == b"note 10\n"


def test_what_is_there_already_is_left_and_another_refused(s3, opened):
    anchor = opened()
    first = anchor.push(LOG, 7, b"note\n")
    assert anchor.push(LOG, 7, b"note\n")["version"] == first["version"]
    with pytest.raises(HistoryError, match="the anchor far holds another checkpoint of size 7"):
        anchor.push(LOG, 7, b"forged\n")


def test_a_version_put_over_it_and_a_delete_marker_hide_nothing(s3, opened):
    anchor = opened()
    receipt = anchor.push(LOG, 7, b"note\n")
    s3.put_object(Bucket="locked", Key=receipt["key"], Body=b"forged\n")
    s3.delete_object(Bucket="locked", Key=receipt["key"])
    assert anchor.newest(LOG) == b"note\n"


def test_a_bucket_that_locks_nothing_is_no_anchor(s3, opened):
    with pytest.raises(DeliveryError, match="the anchor far"):
        opened("loose").push(LOG, 7, b"note\n")


def test_a_bucket_that_is_not_there_is_told(s3, opened):
    with pytest.raises(DeliveryError, match=r"the anchor far: .*NoSuchBucket"):
        opened("nowhere").push(LOG, 7, b"note\n")


def test_a_configuration_that_names_it_is_read_without_the_sdk(tmp_path):
    (tmp_path / "evidenced.toml").write_text('[checkpoints.anchors.far]\ntype = "s3"\nbucket = "locked"\n')
    program = (
        "import sys; from collector.cli import main; sys.modules['boto3'] = sys.modules['botocore'] = None; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", program, "status"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "there is no store here" in done.stderr


def test_the_version_is_recorded_with_the_checkpoint_and_a_restored_store_is_seen(s3, opened, small_office):
    office, anchors = small_office, {"far": opened()}
    office.back_up()
    office.grow()
    taken = office.checkpointer.take()
    assert Deliveries(office.store, [anchor_queue(office.store, "far", anchors["far"])], office.clock).send() == {}
    (receipt,) = office.checkpoints.receipts(taken.id)
    kept = s3.get_object(Bucket="locked", Key=receipt.receipt["key"], VersionId=receipt.receipt["version"])
    assert kept["Body"].read() == taken.note
    office.restore()
    with pytest.raises(IntegrityError, match="the anchor far has a checkpoint"):
        compare(office.store, None, anchors).require_whole()
