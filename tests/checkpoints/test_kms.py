"""A signing key in AWS KMS: it signs notes that anybody verifies, and whatever goes wrong is told with what to do."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from collector.checkpointing import require_whole
from collector.errors import ConfigError, KeeperError
from collector.log.checkpoint import open_checkpoint
from collector.log.keys import KeyState, trust
from collector.signer import FileSigner, SocketSigner
from connectors.kms.key import open_key
from tests.fakes.aws import FakeAws, trouble
from tests.fakes.kms import Kms
from tests.suite.installed import identify

ALIAS = "alias/evidenced-log"


@pytest.fixture
def aws(monkeypatch):
    identify(monkeypatch)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with FakeAws() as fake:
        yield fake


@pytest.fixture
def kms(aws):
    return Kms(aws)


@pytest.fixture
def key(kms):
    return kms.create(ALIAS)


@pytest.fixture
def reference(aws):
    """What makes a reference to a key by any of its names."""
    return lambda name=ALIAS, **more: f"{name}?{urlencode({'endpoint_url': aws.url} | more)}"


@pytest.fixture
def kept(keyless_office, reference, key):
    """An installation whose one key is in KMS."""
    keyless_office.use(f"kms:{reference()}")
    keyless_office.checkpointer.create_key("Ana")
    return keyless_office


@pytest.mark.parametrize("name", ["alias", "id", "arn"])
def test_a_key_signs_by_any_of_its_names(key, reference, name):
    named = {"alias": ALIAS, "id": key.arn.rpartition("/")[2], "arn": key.arn}[name]
    found = open_key(reference(named))
    key.private.public_key().verify(found.sign(b"text"), b"text")
    assert found.public == key.private.public_key().public_bytes_raw()


def test_the_text_itself_is_signed_as_rfc_8032_says(aws, key, reference):
    open_key(reference()).sign(b"text")
    (asked,) = [each for each in aws.requests if each.operation == "Sign"]
    assert asked.params == {
        "KeyId": key.arn,
        "Message": b"text",
        "MessageType": "RAW",
        "SigningAlgorithm": "ED25519_SHA_512",
    }


def test_nothing_but_the_public_half_and_signatures_is_ever_asked_for(aws, kept):
    for _ in range(3):
        kept.take()
    assert {each.name for each in aws.requests} == {"kms.GetPublicKey", "kms.Sign"}


def test_a_checkpoint_is_signed_under_the_logs_name(kept):
    taken = kept.take()
    (trusted,) = kept.checkpointer.keys()
    assert trusted.key.name == kept.log
    assert open_checkpoint(taken.note, kept.log, [trusted.key])[1] == (trusted.key,)


def test_the_region_of_an_arn_is_the_one_that_is_asked(aws, kms, reference, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    key = kms.create(ALIAS)
    open_key(reference(key.arn))
    open_key(reference(ALIAS, region="eu-north-1"))
    open_key(reference())
    assert [each.region for each in aws.requests] == ["us-east-1", "eu-north-1", "eu-west-1"]


def test_an_alias_that_is_pointed_to_another_key_between_two_questions_signs_with_the_first(kms, key, reference):
    found = open_key(reference())
    kms.create(ALIAS)
    key.private.public_key().verify(found.sign(b"text"), b"text")


def test_an_alias_that_points_to_another_key_takes_no_checkpoint_until_it_is_recorded(kms, kept):
    kept.take()
    kms.create(ALIAS)
    with pytest.raises(ConfigError, match="holds no key that is to sign"):
        kept.checkpointer.take()


def test_a_log_goes_from_a_key_in_a_file_to_one_in_kms(office, aws, key, reference):
    first = office.take()
    office.use(*office.references, f"kms:{reference()}")
    office.checkpointer.rotate_key(timedelta(hours=1), "Ana", "to KMS")
    both = office.take()
    old, new = (each.key for each in trust(office.checkpoints.key_events()))
    assert open_checkpoint(both.note, office.log, [old, new])[1] == (old, new)
    office.pass_time(hours=2)
    office.grow()
    office.take()
    office.use(f"kms:{reference()}")
    office.grow()
    last = office.take()
    assert open_checkpoint(last.note, office.log, [new])[1] == (new,)
    assert [each.state for each in trust(office.checkpoints.key_events())] == [KeyState.RETIRED, KeyState.ACTIVE]
    assert open_checkpoint(first.note, office.log, [old])[1] == (old,)


TROUBLES = {
    "denied": (trouble.deny(), "was denied", "Allow kms:GetPublicKey and kms:Sign"),
    "throttled": (trouble.throttle(), "was asked too often", "tried again each minute"),
    "expired": (trouble.expire(), "refused the credentials", "Renew"),
    "failed": (trouble.fail(), "failed", "tried again each minute"),
    "away": (trouble.hang_up(), "got no answer", "tried again each minute"),
    "unavailable": (trouble.refuse("KeyUnavailableException"), "failed", "tried again each minute"),
}


@pytest.mark.parametrize("operation", ["GetPublicKey", "Sign"])
@pytest.mark.parametrize("case", TROUBLES)
def test_what_kms_refuses_is_told_with_what_to_do(aws, key, reference, case, operation):
    wrong, what, hint = TROUBLES[case]
    aws.trouble("kms", operation, wrong)
    with pytest.raises(KeeperError, match=f"kms:{operation} {what}") as caught:
        open_key(reference()).sign(b"text")
    assert hint in caught.value.hint()


@pytest.mark.parametrize(
    ("state", "what"),
    [("Disabled", "says that the key is disabled"), ("PendingDeletion", "says that the key cannot be used")],
)
def test_a_key_that_cannot_be_used_is_told(key, reference, state, what):
    key.state = state
    with pytest.raises(KeeperError, match=what) as caught:
        open_key(reference())
    assert caught.value.hint()


def test_a_key_that_is_not_there_is_told_with_how_to_make_one(kms, reference):
    with pytest.raises(KeeperError, match="knows no such key") as caught:
        open_key(reference("alias/none"))
    assert "--key-spec ECC_NIST_EDWARDS25519" in caught.value.hint()


def test_a_key_of_another_spec_is_refused(kms, reference):
    kms.create("alias/other", "ECC_NIST_P256")
    with pytest.raises(ConfigError, match="a key of ECC_NIST_P256 for SIGN_VERIFY, which signs no checkpoints"):
        open_key(reference("alias/other"))


@pytest.mark.parametrize("given", ["", "?region=x", "alias/x?regoin=eu-west-1"])
def test_a_reference_that_names_nothing_is_refused(given):
    with pytest.raises(ConfigError, match=r"there is no (key|option)"):
        open_key(given)


def test_a_profile_that_is_not_there_is_told(key, reference):
    with pytest.raises(KeeperError, match="nobody"):
        open_key(reference(profile="nobody"))


def test_the_daemon_goes_on_while_kms_is_away_and_takes_a_checkpoint_then(kept, aws, reference, configured, lines):
    checkpointing = configured(f'keys = ["kms:{reference()}"]\n')
    aws.trouble("kms", "*", trouble.throttle())
    for _ in range(5):
        checkpointing.tick()
        kept.pass_time(minutes=1)
    assert [line["event"] for line in lines()] == ["no checkpoint was taken"]
    aws.calm()
    checkpointing.tick()
    assert kept.checkpoints.last() is not None


def test_the_daemon_starts_while_kms_is_away(kept, aws, reference):
    kept.take()
    aws.trouble("kms", "*", trouble.fail())
    assert require_whole(kept.configured(f'keys = ["kms:{reference()}"]\n'), kept.store) == frozenset()


def test_a_signer_of_its_own_says_what_kms_said(tmp_path, aws, key, reference, served):
    aws.trouble("kms", "*", trouble.deny())
    with pytest.raises(KeeperError, match="was denied"):
        SocketSigner(served(FileSigner([f"kms:{reference()}"], tmp_path / "memory.json"))).held("evidenced/x")


# As an operator types it


def test_keys_are_created_in_kms_and_a_log_goes_there_from_a_file(keyed, aws, key, reference):
    keyed.evidenced("log", "checkpoint")
    text = (keyed.folder / "evidenced.toml").read_text().replace('one.key"]', f'one.key", "kms:{reference()}"]')
    (keyed.folder / "evidenced.toml").write_text(text)
    rotated = keyed.evidenced("keys", "rotate", "--overlap", "1h", "--reason", "to KMS")
    assert rotated.code == 0, rotated.err
    note = keyed.evidenced("log", "checkpoint", "--json").json["note"]
    assert note.count("\n— ") == 2


def test_the_first_key_of_a_log_may_be_in_kms(site, aws, key, reference):
    (site.folder / "evidenced.toml").write_text(f'[checkpoints]\nkeys = ["kms:{reference()}"]\n')
    made = site.evidenced("keys", "create", "--json")
    assert made.code == 0, made.err
    assert site.evidenced("log", "checkpoint").code == 0
    aws.trouble("kms", "Sign", trouble.deny())
    refused = site.evidenced("log", "checkpoint")
    assert (refused.code, "kms:Sign was denied" in refused.err, "hint: Allow" in refused.err) == (5, True, True)
