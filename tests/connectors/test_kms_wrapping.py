"""A key-encryption key in AWS KMS: the real calls of Encrypt and Decrypt over HTTP, and what their errors come to."""

from __future__ import annotations

from urllib.parse import quote

import boto3
import pytest
from moto.server import ThreadedMotoServer

from collector.encryption import EncryptionSettings, keyring
from collector.errors import ConfigError, IntegrityError, KeeperError, Withheld
from collector.store import open_store
from collector.verify import verify
from connectors.kms.wrapping import open_key
from tests.fakes.aws import FakeAws, trouble
from tests.fakes.clock import PlayedClock
from tests.fakes.sealed import PEOPLE, SealedHand
from tests.store.conftest import NOON
from tests.suite.installed import identify


@pytest.fixture
def url(monkeypatch):
    identify(monkeypatch)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms(url):
    """The administrator's own client."""
    return boto3.client("kms", region_name="us-east-1", endpoint_url=url)


@pytest.fixture
def make(kms, url):
    """What makes a key, and returns its ARN and a reference to it."""

    def make(**more):
        arn = kms.create_key(**{"KeyUsage": "ENCRYPT_DECRYPT"} | more)["KeyMetadata"]["Arn"]
        return arn, f"{arn}?endpoint_url={quote(url)}"

    return make


def test_what_is_wrapped_opens_with_the_same_context_and_with_no_other(make):
    arn, reference = make()
    key = open_key(reference)
    wrapped = key.wrap(b"s" * 64, "paper:hq paper.people site")
    assert key.name == arn
    assert b"s" * 8 not in wrapped
    assert key.unwrap(wrapped, "paper:hq paper.people site") == b"s" * 64
    with pytest.raises(IntegrityError, match="does not open with the key"):
        key.unwrap(wrapped, "paper:hq paper.guests site")


@pytest.mark.parametrize("code", ["IncorrectKeyException", "InvalidCiphertextException"])
def test_what_another_key_wrapped_is_told_as_altered(monkeypatch, code):
    identify(monkeypatch)
    arn = "arn:aws:kms:us-east-1:123456789012:key/1"
    metadata = {"KeyId": "1", "Arn": arn, "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
    with FakeAws() as aws:
        aws.play("kms", "DescribeKey", lambda _: {"KeyMetadata": metadata})
        aws.trouble("kms", "Decrypt", trouble.refuse(code))
        key = open_key(f"{arn}?endpoint_url={quote(aws.url)}")
        with pytest.raises(IntegrityError, match="does not open with the key"):
            key.unwrap(b"wrapped", "x")
        aws.calm()
        aws.trouble("kms", "Decrypt", trouble.deny())
        with pytest.raises(KeeperError, match="kms:Decrypt was denied") as denied:
            key.unwrap(b"wrapped", "x")
        assert "kms:Encrypt and kms:Decrypt" in denied.value.hint()


def test_a_key_of_another_kind_is_refused(make):
    with pytest.raises(ConfigError, match="which wraps none"):
        open_key(make(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")[1])


def test_a_key_that_is_not_there_or_disabled_is_the_keepers_trouble(make, kms, url):
    with pytest.raises(KeeperError, match="kms:DescribeKey knows no such key"):
        open_key(f"alias/none?region=us-east-1&endpoint_url={quote(url)}")
    with pytest.raises(KeeperError, match="got no answer"):
        open_key("alias/none?region=us-east-1&endpoint_url=http%3A//127.0.0.1%3A9")


def test_a_store_is_sealed_under_kms_and_moved_to_a_second_key(make, kms, tmp_path):
    (one, first), (two, second) = make(), make()
    store = open_store(f"sqlite:///{tmp_path}/evidence.db", clock=PlayedClock())
    store.sealing.keys.use(keyring(EncryptionSettings(key=f"kms:{first}")))
    SealedHand(store).see({"ann": {"v": 1}, "bob": {"v": 2}}, NOON)
    assert [each.kek for each in store.rewrapping.uses()] == [one]
    store.sealing.keys.use(keyring(EncryptionSettings(key=f"kms:{second}", previous=[f"kms:{first}"])))
    assert store.rewrapping.rewrap().kek == two
    kms.schedule_key_deletion(KeyId=one.rpartition("/")[2], PendingWindowInDays=7)
    store.sealing.keys.use(keyring(EncryptionSettings(key=f"kms:{second}")))
    assert {store.artifact(each.artifact) for each in store.as_of(PEOPLE.kind, NOON)} == {b'{"v":1}', b'{"v":2}'}
    assert verify(store).remarks == ()
    store.close()


def test_a_kms_that_is_away_leaves_what_is_sealed_sealed(make, tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/evidence.db", clock=PlayedClock())
    store.sealing.keys.use(keyring(EncryptionSettings(key=f"kms:{make()[1]}")))
    SealedHand(store).see({"ann": {"v": 1}}, NOON)
    away = "kms:alias/none?region=us-east-1&endpoint_url=http%3A//127.0.0.1%3A9"
    store.sealing.keys.use(keyring(EncryptionSettings(key=away)))
    (item,) = store.as_of(PEOPLE.kind, NOON)
    assert item.key.startswith("sealed:")
    with pytest.raises(Withheld, match="got no answer"):
        store.artifact(item.artifact)
    store.close()
