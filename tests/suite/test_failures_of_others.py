"""Which test here would have caught each way in which other evidence tools are known to have lost the truth."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AWS, COLLECTION, RECORDS, PERIODS = (
    f"tests/suite/test_failures_of_others_{part}.py::test_" for part in ("aws", "collection", "records", "periods")
)
BAD_DAYS, ENGINE = (
    "tests/connectors/aws_paging/test_aws_bad_days.py::test_",
    "tests/connectors/aws/test_aws_engine.py::test_",
)
PAGES, SESSION = "tests/connectors/aws/test_aws_paging.py::test_", "tests/connectors/aws/test_aws_session.py::test_"
DAEMON, COLLECT = "tests/suite/test_daemon_process.py::test_", "tests/suite/test_collect.py::test_"
DISPATCH, GAPS = "tests/suite/test_dispatch.py::test_", "tests/unit/test_gaps.py::test_"
OUTCOMES, ASKED = "tests/unit/test_coverage.py::test_", "tests/cli/test_cli_questions.py::test_"
APPEND, GUARDS = "tests/store/test_store_append.py::test_", "tests/store/test_store_guards.py::test_"
LEDGER, CHECK = "tests/log/test_log_ledger.py::test_", "tests/log/test_log_check.py::test_"

CAUGHT_BY = {
    1: [
        AWS + "a_call_without_an_answer_is_no_empty_answer",
        BAD_DAYS + "a_denied_call_fails_the_run_and_names_the_permission",
        COLLECT + "a_read_that_fails_in_the_middle_is_a_record_with_its_reason_and_changes_nothing",
        DAEMON + "a_removed_permission_is_a_gap_with_its_cause_and_the_last_population_stays",
    ],
    2: [
        AWS + "what_nobody_may_look_at_is_not_known_to_be_off",
        AWS + "no_kind_takes_a_refusal_or_an_outage_for_an_absence",
        BAD_DAYS + "one_refused_answer_among_many_is_enough",
    ],
    3: [
        COLLECTION + "the_first_ten_of_227_are_not_all",
        PAGES + "an_operation_without_boto3_paginator_is_paged_by_its_tokens",
        PAGES + "pages_that_cannot_be_followed_are_truncated_and_never_an_end",
        "tests/connectors/aws_paging/test_aws_populations.py::test_the_population_is_what_boto3_lists",
    ],
    4: [
        AWS + "switched_off_and_not_permitted_and_not_opted_in_are_three_different_things",
        AWS + "a_refusal_inside_an_answer_is_a_refusal",
        AWS + "regions_that_may_not_be_listed_are_denied_and_not_a_region_without_the_service",
    ],
    5: [
        AWS + "an_item_deleted_while_it_was_read_is_gone_and_the_others_are_there",
        AWS + "an_item_refused_while_it_was_read_is_not_gone",
        AWS + "no_kind_takes_a_refusal_or_an_outage_for_an_absence",
        ENGINE + "an_item_refused_after_it_seemed_deleted_fails_the_reading",
    ],
    6: [COLLECTION + "a_scan_that_fails_everywhere_leaves_everything_as_it_was"],
    7: [COLLECTION + "reading_a_part_says_nothing_of_the_rest"],
    8: [
        COLLECTION + "a_run_that_was_interrupted_is_not_a_complete_one",
        DAEMON + "a_killed_daemon_leaves_nothing_half_visible_and_goes_on_where_it_was",
        DISPATCH + "a_sweep_cut_short_by_a_crash_is_finished_not_repeated",
    ],
    9: [
        COLLECTION + "nothing_is_read_under_a_plan_that_names_other_settings",
        COLLECTION + "what_a_person_may_read_is_not_what_the_daemon_may_read",
        AWS + "another_account_behind_the_same_source_is_not_that_account_emptied",
    ],
    10: [
        COLLECTION + "a_schedule_that_nobody_keeps_is_missed_and_not_quiet",
        COLLECTION + "kinds_that_would_silently_not_be_read_are_an_error",
        AWS + "no_regions_at_all_is_no_answer",
        DAEMON + "a_daemon_with_nothing_to_read_refuses_to_start",
        DAEMON + "sighup_reloads_the_plan_and_a_wrong_config_leaves_it_in_force",
        ASKED + "a_period_in_which_nothing_was_due_is_not_in_order",
    ],
    11: [
        COLLECTION + "seen_empty_and_never_seen_and_unknown_are_three_answers",
        COLLECTION + "a_connector_that_is_not_installed_is_an_error_and_its_slots_are_missed",
        ASKED + "before_the_first_reading_nothing_is_known_which_is_not_empty",
    ],
    12: [
        COLLECTION + "every_run_of_a_day_stays_and_answers_for_its_own_time",
        APPEND + "two_attempts_at_one_slot_are_two_sweeps",
        GUARDS + "insert_or_replace_replaces_nothing_on_sqlite",
        "tests/cli/test_cli_setup.py::test_init_never_overwrites_a_file",
    ],
    13: [
        COLLECTION + "history_has_no_last_n",
        COLLECTION + "removing_a_source_removes_nothing_that_was_recorded",
        GUARDS + "no_row_of_evidence_can_be_updated_or_deleted",
    ],
    14: [
        RECORDS + "no_record_is_satisfied_by_default",
        RECORDS + "a_failure_whose_record_was_lost_does_not_read_as_collected",
        OUTCOMES + "a_slot_without_any_record_is_missed_and_says_so",
    ],
    15: [
        RECORDS + "another_name_for_the_same_thing_starts_nothing_anew",
        RECORDS + "items_of_another_shape_need_no_migration",
        "tests/unit/test_tag_controls.py::test_renaming_a_control_does_not_touch_what_it_showed_before",
    ],
    16: [
        RECORDS + "a_run_has_its_own_times_and_an_item_the_time_it_was_seen",
        RECORDS + "what_was_last_seen_days_ago_is_not_dated_today",
    ],
    17: [
        RECORDS + "what_has_no_digest_is_not_kept",
        RECORDS + "no_table_has_room_for_a_missing_digest",
        APPEND + "a_collected_run_without_a_population_is_refused",
        APPEND + "bytes_under_a_digest_that_is_not_theirs_are_refused",
    ],
    18: [
        AWS + "credentials_that_end_between_two_pages_end_no_item",
        SESSION + "credentials_that_end_in_the_middle_of_a_run_are_renewed",
        SESSION + "a_refusal_to_renew_in_the_middle_of_a_run_fails_the_run",
    ],
    19: [
        AWS + "a_kind_that_would_keep_environment_variables_or_user_data_is_refused",
        AWS + "environment_variables_are_nowhere_in_the_store",
        AWS + "what_a_finding_shows_of_a_function_is_not_kept_either",
        "tests/connectors/aws/test_aws_kinds.py::test_every_kind_is_clean",
    ],
    20: [
        AWS + "another_account_behind_the_same_source_is_not_that_account_emptied",
        RECORDS + "another_key_is_not_an_item_gone_and_an_item_new",
        RECORDS + "both_database_engines_name_the_same_things_alike",
    ],
    21: [
        PERIODS + "windows_follow_one_another_without_a_hole_whoever_asks",
        PERIODS + "a_clock_that_was_wrong_for_a_while_leaves_no_hole",
        OUTCOMES + "an_interval_nested_in_another_does_not_end_it",
        GAPS + "a_gap_shorter_than_a_cadence_is_a_gap",
        GAPS + "time_before_the_first_slot_and_after_the_last_good_one_is_no_gap",
    ],
    22: [
        PERIODS + "nothing_happened_and_nobody_looked_are_told_apart",
        OUTCOMES + "a_late_or_asked_for_run_does_not_make_a_slot_punctual",
        "tests/store/test_store_events.py::test_absence_from_a_window_removes_nothing",
    ],
    23: [
        PERIODS + "what_a_failed_window_left_is_read_by_the_next_good_one",
        PERIODS + "what_the_source_will_forget_is_said_before_and_what_it_forgot_after",
        COLLECT + "a_failed_event_run_leaves_the_watermark_where_it_was",
    ],
    24: [
        PERIODS + "every_gap_that_is_known_is_shown_with_its_cause",
        PERIODS + "what_the_source_will_forget_is_said_before_and_what_it_forgot_after",
        ASKED + "slots_without_any_record_are_missed_and_never_taken_for_collected",
    ],
    25: [
        RECORDS + "many_writers_at_once_write_one_log",
        LEDGER + "writers_at_the_same_time_stand_in_line",
        "tests/store/test_store_kill.py::test_every_acknowledged_sweep_survives_the_death_of_its_writer",
    ],
    26: [
        APPEND + "an_artifact_whose_stored_bytes_were_changed_is_not_given_out",
        CHECK + "every_single_byte_of_a_leaf_counts",
        CHECK + "a_change_is_found_where_it_is",
    ],
}
"""By the number of each known failure of other tools, the tests that catch it here."""


def test_every_known_failure_has_a_test():
    """And each test named here exists, and says which failure it is about. Checkpoints and exports are 27 to 31."""
    assert list(CAUGHT_BY) == list(range(1, 27))
    found = {}
    for name in {test.partition("::")[0] for tests in CAUGHT_BY.values() for test in tests}:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        found |= {f"{name}::{each.name}": each for each in tree.body if isinstance(each, ast.FunctionDef)}
    assert [test for tests in CAUGHT_BY.values() for test in tests if test not in found] == []
    ours = {test for test in found if "test_failures_of_others" in test and "::test_" in test}
    for test in ours:
        said = (ast.get_docstring(found[test]) or "").partition(":")[0]
        caught = {number for number, tests in CAUGHT_BY.items() if test in tests}
        assert {int(number) for number in re.findall(r"\d+", said)} == caught != set(), test
