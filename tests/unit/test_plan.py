"""From a configuration to the plan: what is read from where, recorded by its digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.canonical import canonical
from collector.clock import parse_instant
from collector.config import Config, load_config
from collector.errors import IntegrityError
from collector.model import Scope, Subject
from collector.plan import Plan, PlannedKind, PlannedSource, build_plan, cadence_of, changes
from tests.fakes.paper import Paper
from tests.fakes.stationer import KINDS, Stationer

SCOPES = [Scope("site", "account"), Scope("north", "branch"), Scope("south", "branch", "closed"), Scope("all", "group")]
Planned = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def planned(text: str, scopes: dict[str, list[Scope]] | None = None) -> Plan:
        path = tmp_path / "evidenced.toml"
        path.write_text(text, encoding="utf-8")
        connectors = {"stationer": Stationer(), "paper": Paper()}
        config: Config = load_config(path, connectors)
        known = {"stationer:a": SCOPES, "paper": Paper().buildings} if scopes is None else scopes
        return build_plan(config, connectors, known, {"stationer:a": "4711"})

    return planned


def kinds_of(plan: Plan) -> dict[str, PlannedKind]:
    return {kind.name: kind for source in plan.sources for kind in source.kinds}


def test_a_source_is_planned_with_what_its_runs_are_made_with(planned: Planned) -> None:
    (source,) = planned(
        "plan.timezone = 'Asia/Tokyo'\n[sources.'stationer:a']\nkinds = ['stationer.accounts.users']"
    ).sources
    assert (source.name, source.connector, source.connector_version) == ("stationer:a", "stationer", "1.0")
    assert (source.account, source.timezone, source.daily_at) == ("4711", "Asia/Tokyo", "03:00")
    assert source.config.startswith("sha256:")
    (kind,) = source.kinds
    assert kind.procedure == "sha256:" + KINDS["stationer.accounts.users"].digest.hex()
    assert (kind.level, kind.cadence, kind.events) == ("account", "daily", False)
    assert kind.criteria == ("CC6.1", "CC6.2")


def test_subjects_are_kinds_in_the_scopes_of_their_level(planned: Planned) -> None:
    plan = planned("[sources.'stationer:a']\nkinds = ['stationer.accounts.users', 'stationer.shelves.pens']")
    assert [(subject.kind, subject.scope) for subject, _, _ in plan.subjects()] == [
        ("stationer.accounts.users", "site"),
        ("stationer.shelves.pens", "north"),
        ("stationer.shelves.pens", "south"),
    ]


def test_a_level_whose_scopes_are_not_known_yet_is_planned_as_unresolved(planned: Planned) -> None:
    """A source that cannot be asked must have slots, or its silence would look like having nothing to do."""
    nothing = planned("[sources.'stationer:a']", {})
    assert nothing.sources[0].scopes == (
        Scope("unresolved", "account"),
        Scope("unresolved", "branch"),
        Scope("unresolved", "group"),
    )
    some = planned("[sources.'stationer:a']", {"stationer:a": [Scope("site", "account"), Scope("all", "group")]})
    assert [scope.name for scope in some.sources[0].scopes] == ["site", "unresolved", "all"]
    needless = planned("[sources.'stationer:a']\nkinds = ['stationer.accounts.*']", {})
    assert [scope.level for scope in needless.sources[0].scopes] == ["account"]


def test_an_optional_kind_is_planned_only_when_it_is_named_in_full(planned: Planned) -> None:
    assert "stationer.shelves.dust" not in kinds_of(planned("[sources.'stationer:a']"))
    assert "stationer.shelves.dust" not in kinds_of(planned("[sources.'stationer:a']\nkinds = ['stationer.shelves.*']"))
    named = kinds_of(planned("[sources.'stationer:a']\nkinds = ['*', 'stationer.shelves.dust']"))
    assert set(named) == set(KINDS)


def test_what_is_excluded_says_why(planned: Planned) -> None:
    plan = planned("[sources.'stationer:a']\nexclude = ['stationer.group.*', 'stationer.*.owners']")
    because = "excluded by the configuration: stationer.*.owners"
    assert kinds_of(plan)["stationer.group.owners"].excluded == because
    assert plan.excluded(Subject("stationer:a", "stationer.group.owners", "all")) == because
    assert plan.excluded(Subject("stationer:a", "stationer.shelves.pens", "south")) == "closed"
    assert plan.excluded(Subject("stationer:a", "stationer.shelves.pens", "north")) == ""


def test_a_subject_that_is_not_planned_is_not_excused(planned: Planned) -> None:
    assert planned("[sources.'stationer:a']").excluded(Subject("stationer:z", "stationer.shelves.pens", "south")) == ""


def test_a_cadence_is_the_sources_then_the_files_then_the_kinds_own(planned: Planned) -> None:
    found = kinds_of(
        planned(
            """
            every = { "stationer.shelves.*" = "2h", "stationer.group.owners" = "weekly" }
            [sources."stationer:a"]
            every = { "stationer.shelves.pens" = "15m" }
            """
        )
    )
    assert found["stationer.shelves.pens"].cadence == "15m"
    assert found["stationer.shelves.ink"].cadence == "2h"
    assert found["stationer.group.owners"].cadence == "weekly"
    assert found["stationer.accounts.policy"].cadence == "weekly"


def test_among_patterns_the_one_with_the_most_letters_rules_whatever_their_order() -> None:
    patterns = {"*": "1h", "stationer.*": "2h", "stationer.shelves.*": "3h", "stationer.shelves.pens": "4h"}
    assert cadence_of(KINDS["stationer.shelves.pens"], {"stationer.s*": "1h", "*.shelves.pens": "2h"}) == "2h"
    for ordered in (patterns, dict(reversed(patterns.items()))):
        assert cadence_of(KINDS["stationer.shelves.pens"], ordered) == "4h"
        assert cadence_of(KINDS["stationer.shelves.ink"], ordered) == "3h"
        assert cadence_of(KINDS["stationer.group.owners"], ordered) == "2h"


def test_event_kinds_are_marked(planned: Planned) -> None:
    found = kinds_of(planned("[sources.'stationer:a']"))
    assert [name for name, kind in found.items() if kind.events] == ["stationer.shelves.visits"]


def test_the_offset_of_a_source_is_within_the_jitter_and_does_not_depend_on_its_neighbours(planned: Planned) -> None:
    text = "plan.jitter = '{}'\n[sources.'stationer:a']\n"
    assert planned(text.format("0s")).sources[0].jitter_ms == 0
    alone = planned(text.format("10m")).sources[0]
    assert 0 < alone.jitter_ms < 600_000
    assert planned(text.format("10m") + "[sources.paper]").source("stationer:a") == alone


def test_the_order_of_a_configuration_does_not_matter(planned: Planned) -> None:
    one = """
        [plan]
        jitter = "5m"
        grace = "1h"
        [sources.paper]
        kinds = ["paper.users", "paper.rooms"]
        [sources."stationer:a"]
        every = { "stationer.shelves.*" = "2h", "stationer.*.users" = "3h" }
        kinds = ["stationer.shelves.*", "stationer.accounts.*"]
        """
    two = """
        [sources."stationer:a"]
        kinds = ["stationer.shelves.*", "stationer.accounts.*"]
        every = { "stationer.*.users" = "3h", "stationer.shelves.*" = "2h" }
        [sources.paper]
        kinds = ["paper.users", "paper.rooms"]
        [plan]
        grace = "1h"
        jitter = "5m"
        """
    assert planned(one) == planned(two)
    assert planned(one).digest == planned(two).digest
    known = {"paper": Paper().buildings[::-1], "stationer:a": [*SCOPES[::-1], SCOPES[0]]}
    assert planned(two, known).digest == planned(one).digest


def test_a_plan_is_read_back_from_its_document(planned: Planned) -> None:
    plan = planned("[sources.'stationer:a']\nexclude = ['stationer.group.*']\n[sources.paper]")
    at = parse_instant("2026-03-14")
    again = Plan.of(plan.document(), 7, at)
    assert (again.sources, again.version, again.valid_from) == (plan.sources, 7, at)
    assert again.digest == plan.digest


@pytest.mark.parametrize("document", [None, {}, {"sources": 1}, {"sources": [{"name": "a"}]}, []])
def test_a_document_that_is_no_plan_is_an_integrity_error(document: Any) -> None:
    with pytest.raises(IntegrityError, match="version 3 of the plan is not a plan"):
        Plan.of(document, 3)


class TestChanges:
    """What a plan change is called in the log and in `plan show`."""

    def test_nothing_is_said_of_equal_plans(self, planned: Planned) -> None:
        assert changes(planned("[sources.paper]"), planned("[sources.paper]")) == []

    def test_sources_come_and_go(self, planned: Planned) -> None:
        paper, stationer = planned("[sources.paper]"), planned("[sources.'stationer:a']")
        assert changes(None, paper) == ["source paper added: 3 kinds, 3 scopes"]
        assert changes(paper, stationer) == [
            "source paper removed",
            "source stationer:a added: 6 kinds, 4 scopes",
        ]

    def test_kinds_come_go_and_change(self, planned: Planned) -> None:
        text = "[sources.'stationer:a']\nkinds = ['stationer.shelves.pens'{}]\n"
        less, more = planned(text.format("")), planned(text.format(", 'stationer.shelves.ink'"))
        name = "source stationer:a"
        assert changes(less, more) == [f"{name}: settings changed", f"{name}: kind stationer.shelves.ink added"]
        assert changes(more, less) == [f"{name}: settings changed", f"{name}: kind stationer.shelves.ink removed"]
        slower = planned(text.format("") + "every = {'*' = 'weekly'}")
        assert changes(less, slower) == [
            f"{name}: settings changed",
            f"{name}: kind stationer.shelves.pens: cadence daily -> weekly",
        ]
        excluded = planned(text.format("") + "exclude = ['stationer.shelves.pens']")
        assert changes(less, excluded)[1] == (
            f"{name}: kind stationer.shelves.pens: now excluded: excluded by the configuration: stationer.shelves.pens"
        )

    def test_scopes_come_go_and_are_excluded(self, planned: Planned) -> None:
        text = "[sources.'stationer:a']\nkinds = ['stationer.shelves.*']"
        old = planned(text, {"stationer:a": [Scope("north", "branch"), Scope("south", "branch")]})
        new = planned(text, {"stationer:a": [Scope("south", "branch", "closed"), Scope("west", "branch", "planned")]})
        assert changes(old, new) == [
            "source stationer:a: scope north (branch) removed",
            "source stationer:a: scope south (branch): now excluded: closed",
            "source stationer:a: scope west (branch) added, excluded: planned",
        ]
        assert "source stationer:a: scope south (branch): no longer excluded" in changes(new, old)

    def test_what_all_kinds_share_is_said_once(self, planned: Planned) -> None:
        old = planned("[sources.paper]")
        new = planned("plan.timezone = 'Asia/Tokyo'\nplan.daily_at = '04:00'\nplan.jitter = '0s'\n[sources.paper]")
        assert changes(old, new) == [
            "source paper: time zone UTC -> Asia/Tokyo",
            "source paper: daily time 03:00 -> 04:00",
            f"source paper: jitter {old.sources[0].jitter_ms} ms -> 0 ms",
        ]


words = st.sampled_from(["", "a", "b"])
planned_kinds = st.builds(
    PlannedKind,
    name=st.sampled_from(["k.a", "k.b"]),
    level=words,
    procedure=words,
    cadence=words,
    events=st.booleans(),
    criteria=st.lists(words.filter(bool), max_size=2).map(tuple),
    excluded=words,
)
planned_scopes = st.builds(Scope, name=words, level=words, excluded=words)
planned_sources = st.builds(
    PlannedSource,
    **dict.fromkeys(("name", "connector", "connector_version", "config", "account", "timezone", "daily_at"), words),
    jitter_ms=st.integers(0, 2),
    scopes=st.lists(planned_scopes, max_size=2, unique_by=lambda each: (each.level, each.name)).map(
        lambda found: tuple(sorted(found, key=lambda each: (each.level, each.name)))
    ),
    kinds=st.lists(planned_kinds, max_size=2, unique_by=lambda each: each.name).map(
        lambda found: tuple(sorted(found, key=lambda each: each.name))
    ),
)


@settings(deadline=None, max_examples=300)
@given(planned_sources, planned_sources)
def test_plans_that_differ_differ_in_words_and_only_those(one: PlannedSource, two: PlannedSource) -> None:
    old, new = Plan((one,)), Plan((replace(two, name=one.name),))
    assert (changes(old, new) == []) == (old.digest == new.digest)
    assert (old.digest == new.digest) == (canonical(old.document()) == canonical(new.document()))
    assert Plan.of(new.document()) == new
