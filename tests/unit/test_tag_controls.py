"""Controls: what they say, when they are in force, and which evidence shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.criteria import criteria
from collector.errors import ConfigError
from collector.installed import connectors
from collector.tag import Control, ControlSet, controls_for, criteria_for, load_controls, set_in_force

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)

# What nearly every request list asks for, also of vendors whose connectors come later.
# fmt: off
FIRST_SLICE = [
    "aws.backup.jobs", "aws.backup.restore_tests", "aws.cloudtrail.trails", "aws.config.recorders",
    "aws.ec2.account_defaults", "aws.ec2.security_groups", "aws.guardduty.detectors", "aws.guardduty.findings",
    "aws.iam.account_summary", "aws.iam.authorization_details", "aws.iam.credential_report",
    "aws.iam.password_policy", "aws.identitycenter.account_assignments", "aws.identitycenter.permission_sets",
    "aws.inspector2.findings", "aws.kms.keys", "aws.organizations.accounts", "aws.organizations.policies",
    "aws.rds.instances", "aws.s3.bucket_encryption", "aws.s3.bucket_public_access", "aws.securityhub.findings",
    "azure.activitylog.events", "azure.authorization.role_assignments", "azure.defender.pricings",
    "azure.network.security_groups", "azure.policy.states", "azure.storage.accounts", "bamboohr.employees",
    "entra.conditional_access_policies", "entra.mfa_registration", "entra.users", "gcp.asset.iam_policies",
    "gcp.compute.firewalls", "gcp.iam.service_account_keys", "gcp.logging.sinks", "gcp.orgpolicy.policies",
    "gcp.resourcemanager.projects", "gcp.sql.instances", "gcp.storage.buckets", "github.branch_protection",
    "github.dependabot_alerts", "github.members", "github.pull_requests", "gworkspace.users", "jira.issues_change",
    "okta.system_log", "okta.users",
]
# fmt: on


@pytest.fixture(scope="module")
def starter():
    return load_controls()


@pytest.fixture
def file(tmp_path):
    """A function that writes a file of controls and returns its path."""

    def write(text):
        path = tmp_path / "controls.toml"
        path.write_text(text)
        return path

    return write


def control(name="AC-01", title="Who may enter is known", criteria=("CC6.1",), kinds=("aws.iam.*",), **more):
    return Control(id=name, title=title, criteria=criteria, kinds=kinds, **more)


@pytest.mark.parametrize("kind", FIRST_SLICE)
def test_every_kind_of_the_first_slice_shows_a_control(starter, kind):
    assert controls_for(kind, NOW, starter)


def test_every_kind_of_an_installed_connector_shows_a_control(starter):
    kinds = [name for connector in connectors().values() for name in connector.kinds()]
    assert kinds
    assert [name for name in kinds if not controls_for(name, NOW, starter)] == []


def test_every_criterion_is_answered_by_a_control_of_the_starter_set(starter):
    assert set(criteria()) == {name for each in starter.controls for name in each.criteria}


def test_a_criterion_that_no_api_shows_has_a_control_with_uploads(starter):
    by_hand = {name for name, each in criteria().items() if not each.api_evidence}
    assert by_hand <= {name for each in starter.controls if each.upload for name in each.criteria}


def test_a_control_set_is_the_same_after_being_recorded_and_read_back(starter):
    recorded = json.loads(json.dumps(starter.document()))
    assert ControlSet.of(recorded) == starter
    assert ControlSet.of(recorded).digest == starter.digest


def test_the_digest_changes_with_any_word(starter):
    first, *rest = starter.controls
    renamed = ControlSet((first.model_copy(update={"title": first.title + "!"}), *rest))
    assert renamed.digest != starter.digest


def test_dates_are_midnight_utc_and_times_keep_their_zone(file):
    path = file(
        """
        [[control]]
        id = "AC-01"
        title = "Who may enter is known"
        criteria = ["CC6.1"]
        kinds = ["aws.iam.*"]
        from = 2026-01-01
        to = 2026-07-01T02:00:00+02:00
        """
    )
    (found,) = load_controls(path).controls
    assert (found.valid_from, found.valid_to) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def test_a_control_is_in_force_from_its_first_instant_to_before_its_last():
    controls = ControlSet((control(valid_from=NOW, valid_to=NOW + DAY),))
    moments = [NOW - DAY, NOW, NOW + DAY - timedelta(milliseconds=1), NOW + DAY]
    assert [controls_for("aws.iam.users", at, controls) for at in moments] == [(), ("AC-01",), ("AC-01",), ()]


def test_a_control_without_dates_is_always_in_force():
    controls = ControlSet((control(),))
    assert controls_for("aws.iam.users", datetime.min.replace(tzinfo=UTC), controls) == ("AC-01",)
    assert list(controls.at(NOW + 10_000 * DAY)) == ["AC-01"]


def test_what_a_control_asked_for_last_year_stays_on_record():
    controls = ControlSet(
        (control(valid_to=NOW), control(valid_from=NOW, kinds=("okta.*",), criteria=("CC6.2", "CC6.1")))
    )
    assert controls_for("aws.iam.users", NOW - DAY, controls) == ("AC-01",)
    assert controls_for("aws.iam.users", NOW, controls) == ()
    assert criteria_for("okta.users", NOW, controls) == ("CC6.1", "CC6.2")
    assert criteria_for("okta.users", NOW - DAY, controls) == ()


def test_renaming_a_control_does_not_touch_what_it_showed_before():
    before = ControlSet((control(title="Who may enter is known"),))
    after = ControlSet((control(title="Only known people may enter"),))
    history = [(NOW, after), (NOW - 30 * DAY, before)]
    for at in (NOW - DAY, NOW, NOW + DAY):
        assert controls_for("aws.iam.users", at, set_in_force(history, at)) == ("AC-01",)
    assert set_in_force(history, NOW - DAY).at(NOW - DAY)["AC-01"].title == "Who may enter is known"


def test_before_the_first_set_was_recorded_no_control_was_in_force():
    assert set_in_force([(NOW, ControlSet((control(),)))], NOW - DAY).controls == ()


@given(st.lists(st.integers(0, 50), unique=True), st.integers(-1, 51))
def test_of_several_sets_the_latest_that_had_begun_rules(starts, at):
    history = [(NOW + n * DAY, ControlSet((control(f"N-{n}"),))) for n in starts]
    ruling = set_in_force(history, NOW + at * DAY)
    assert [each.id for each in ruling.controls] == [f"N-{n}" for n in sorted(starts) if n <= at][-1:]


def test_a_pattern_may_name_kinds_that_no_connector_has(file):
    path = file('[[control]]\nid = "X"\ntitle = "A control"\ncriteria = ["CC6.1"]\nkinds = ["acme.rockets.*"]\n')
    assert controls_for("acme.rockets.launches", NOW, load_controls(path)) == ("X",)


GOOD = 'id = "AC-01"\ntitle = "A control"\ncriteria = ["CC6.1"]\nkinds = ["aws.*"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("control = 3", "a control is a table [[control]]"),
        ("control = [3]", "control number 1"),
        ("[controls]\n", "unknown key 'controls'"),
        ("[[control]]\n" + GOOD.replace('id = "AC-01"\n', ""), "control number 1: id: Field required"),
        ("[[control]]\n" + GOOD + 'titel = "x"\n', "control AC-01: titel: "),
        ("[[control]]\n" + GOOD.replace("CC6.1", "CC6.9"), "control AC-01: criteria: there is no criterion 'CC6.9'"),
        ("[[control]]\n" + GOOD.replace('["CC6.1"]', "[]"), "control AC-01: criteria: "),
        ("[[control]]\n" + GOOD.replace('["aws.*"]', '["AWS IAM"]'), "control AC-01: kinds.0: "),
        ("[[control]]\n" + GOOD.replace('["aws.*"]', "[]"), "control AC-01: a control is shown by `kinds`"),
        ("[[control]]\n" + GOOD + 'upload = "sometimes"\n', "control AC-01: upload: "),
        ("[[control]]\n" + GOOD + 'from = "soon"\n', "control AC-01: from: not a date or time: 'soon'"),
        ("[[control]]\n" + GOOD + "from = 3\n", "control AC-01: from: "),
        ("[[control]]\n" + GOOD + "from = 2026-02-01\nto = 2026-01-01\n", "control AC-01: `to` is not after `from`"),
        (("[[control]]\n" + GOOD) * 2, "control AC-01: from: it is declared twice for the same time"),
        ("[[control]]\nid =", "not TOML"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_file_control_and_key(file, text, said):
    path = file(text)
    with pytest.raises(ConfigError) as error:
        load_controls(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)


def test_a_mistyped_criterion_is_answered_with_near_ones(file):
    with pytest.raises(ConfigError) as error:
        load_controls(file("[[control]]\n" + GOOD.replace("CC6.1", "CC61")))
    assert "CC6.1" in error.value.hint()


def test_one_id_may_follow_itself_without_overlap(file):
    path = file("[[control]]\n" + GOOD + "to = 2026-01-01\n[[control]]\n" + GOOD + "from = 2026-01-01\n")
    assert len(load_controls(path).controls) == 2


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_controls(tmp_path / "nowhere.toml")


def test_a_document_that_is_no_record_of_controls_is_refused():
    with pytest.raises(ConfigError, match="controls on record"):
        ControlSet.of({"controls": [{"id": "AC-01"}]})
