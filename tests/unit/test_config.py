"""A configuration is read whole and typed, or refused with every error in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from collector.config import Config, load_config, source_digest
from collector.errors import ConfigError
from tests.fakes.paper import Paper
from tests.fakes.stationer import KINDS, Delegation, Stationer, StationerSettings

CONNECTORS = {"stationer": Stationer(), "paper": Paper()}
Load = Callable[[str], Config]
Errors = Callable[[str], list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str) -> Config:
        path = tmp_path / "evidenced.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, CONNECTORS)

    return load


@pytest.fixture
def errors(load: Load, tmp_path: Path) -> Errors:
    """The lines of the one error, without the folder they all begin with."""

    def errors(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        return [line.removeprefix(f"{tmp_path}/") for line in caught.value.message.splitlines()]

    return errors


def test_an_empty_file_gives_the_defaults(load: Load, tmp_path: Path) -> None:
    config = load("")
    assert config.store.url == f"sqlite:///{tmp_path}/evidenced.db"
    assert (config.plan.timezone, config.plan.daily_at, config.plan.jitter) == ("UTC", "03:00", "10m")
    assert (config.log.level, config.log.format) == ("info", "auto")
    assert config.sources == {}
    assert config.controls_path is None


def test_a_source_has_the_settings_of_its_connector(load: Load) -> None:
    config = load(
        """
        [sources."stationer:north"]
        kinds = ["stationer.shelves.*"]
        rates = { pens = 1.5 }
        [sources."stationer:north".delegation]
        role = "reader"
        [sources.hq]
        connector = "paper"
        """
    )
    settings = config.sources["stationer:north"]
    assert isinstance(settings, StationerSettings)
    assert settings.connector == "stationer"
    assert settings.delegation == Delegation(role="reader")
    assert config.sources["hq"].connector == "paper"


def test_a_configuration_cannot_be_changed_once_it_is_loaded(load: Load) -> None:
    config = load("[sources.paper]")
    for record in (config, config.store, config.plan, config.sources["paper"]):
        with pytest.raises(ValidationError, match="frozen"):
            record.__setattr__(next(iter(type(record).model_fields)), "x")


def test_every_error_is_reported_at_once_in_the_order_of_the_file(errors: Errors) -> None:
    found = errors(
        """
        every = { "paper.usrs" = "daily", "paper.*" = "sometimes" }
        [plan]
        timezone = "Europe/Berln"
        jitter = "10x"
        [log]
        level = "loud"
        [sources."stationer:north"]
        kinds = ["stationer.*", "stationer.shelves.pen"]
        concurrency = 0
        run_limit = "1"
        """
    )
    assert [line.split(": ")[0] for line in found] == [f"evidenced.toml:{n}" for n in (2, 2, 4, 5, 7, 9, 10, 11)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stor = 1", 'evidenced.toml:1: stor: unknown key "stor"; did you mean "store"?'),
        ("[surces.paper]", 'evidenced.toml:1: surces: unknown key "surces"; did you mean "sources"?'),
        ("[plan]\n\ngrase = '1h'", 'evidenced.toml:3: plan.grase: unknown key "grase"; did you mean "grace"?'),
        ("[log]\nto = 'x'", 'evidenced.toml:2: log.to: unknown key "to"; known are: format, level'),
        (
            "[sources.paper]\nconcurency = 3",
            'evidenced.toml:2: sources.paper.concurency: unknown key "concurency"; did you mean "concurrency"?',
        ),
        (
            '[sources."stationer:a"]\n[sources."stationer:a".delegation]\nrole = ""\nsesion = ""',
            'evidenced.toml:4: sources."stationer:a".delegation.sesion: unknown key "sesion"; did you mean "session"?',
        ),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_known_one(errors: Errors, text: str, expected: str) -> None:
    assert errors(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[plan]\ntimezone = 'Europe/Berln'",
            "plan.timezone: no time zone 'Europe/Berln'. Did you mean: Europe/Berlin",
        ),
        ("[plan]\ntimezone = 'localtime'", "plan.timezone: no time zone 'localtime'"),
        ("[plan]\ndaily_at = '25:00'", "plan.daily_at: not a time of day: '25:00'. Write hours and minutes"),
        ("[plan]\ndaily_at = 3", "plan.daily_at: Input should be a valid string"),
        ("[plan]\njitter = '10 minutes'", "plan.jitter: not a duration: '10 minutes'. Write a whole number and"),
        ("[plan]\njitter = '2d'", "plan.jitter: '2d' is not between 0d and 1d"),
        ("[plan]\ngrace = '0s'", "plan.grace: '0s' is not between 1m and 7d"),
        ("[log]\nlevel = 'loud'", "log.level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("[every]\n'paper.*' = 'sometimes'", "every.\"paper.*\": not a cadence: 'sometimes'. Write hourly"),
        ("[every]\n'paper.*' = '61 * * * *'", "every.\"paper.*\": not a cadence: '61 * * * *': "),
        ("[every]\n'paper.*' = '500ms'", "every.\"paper.*\": not a cadence: '500ms'"),
        ("[every]\n'paper.*' = 5", 'every."paper.*": Input should be a valid string'),
        (
            "[every]\n'paper.usrs' = 'daily'",
            "every.\"paper.usrs\": no kind matches 'paper.usrs'. Did you mean: paper.users",
        ),
        ("[sources.paper]\nkinds = ['aws.*']", "sources.paper.kinds[0]: no kind matches 'aws.*'"),
        ("[sources.paper]\nkinds = []", "sources.paper.kinds: no kind is named"),
        ("[sources.paper]\nkinds = 'paper.*'", "sources.paper.kinds: Input should be a valid list"),
        (
            "[sources.paper]\nexclude = ['paper.usrs']",
            "sources.paper.exclude[0]: no kind matches 'paper.usrs'. Did you",
        ),
        (
            "[sources.paper]\nevery = {'paper.users' = 'now'}",
            "sources.paper.every.\"paper.users\": not a cadence: 'now'",
        ),
        ("[sources.paper]\nrun_limit = '0s'", "sources.paper.run_limit: '0s' is not between 1s and 1d"),
        ("[sources.paper]\nconcurrency = 65", "sources.paper.concurrency: Input should be less than or equal to 64"),
        ("[sources]\n'two words' = {connector = 'paper'}", 'sources."two words": a source\'s name is letters, digits'),
        ("[sources]\npaper = 1", 'sources.paper: a source is a table: [sources."paper"]'),
        ("[sources]\n'stationer:a'.branch = 'B'", 'sources."stationer:a".branch: String should match pattern'),
        ("\ncontrols = 'mine.toml'", "controls: there is no file"),
    ],
)
def test_an_error_names_the_file_the_line_the_place_and_what_to_do(errors: Errors, text: str, expected: str) -> None:
    (line,) = errors(text)
    assert line.startswith(f"evidenced.toml:2: {expected}")


def test_a_connector_that_is_not_installed_is_an_error_that_lists_those_that_are(errors: Errors) -> None:
    assert errors('[sources."papers:main"]') == [
        'evidenced.toml:1: sources."papers:main": no connector "papers" is installed; did you mean "paper"?; '
        "installed: paper, stationer; add one with: pip install 'evidenced[NAME]', or its own package"
    ]


def test_a_kind_of_a_connector_whose_cadence_is_none_is_found_before_its_slots_are_asked_for(tmp_path: Path) -> None:
    defective = Stationer(kinds={"stationer.ink": KINDS["stationer.shelves.ink"].model_copy(update={"every": "often"})})
    (tmp_path / "evidenced.toml").write_text("[sources.stationer]")
    with pytest.raises(ConfigError, match=r"stationer is defective: stationer\.ink: not a cadence: 'often'"):
        load_config(tmp_path / "evidenced.toml", {"stationer": defective})


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "evidenced.toml").write_bytes(b"\xef\xbb\xbf[plan]\r\ndaily_at = '04:00'\r\n")
    assert load_config(tmp_path / "evidenced.toml", CONNECTORS).plan.daily_at == "04:00"


def test_a_file_that_is_not_toml_is_an_error_with_its_line(errors: Errors) -> None:
    assert errors("[plan]\ntimezone = UTC") == ["evidenced.toml:2: not TOML: Invalid value (at line 2, column 12)"]


def test_a_file_that_is_missing_or_no_text_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file") as caught:
        load_config(tmp_path / "none.toml", CONNECTORS)
    assert "evidenced init" in caught.value.hint()
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml: not UTF-8"):
        load_config(tmp_path / "binary.toml", CONNECTORS)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path, CONNECTORS)


@pytest.mark.parametrize(
    "text", ["sources = 1", "store = 1", "plan = []", "every = 'daily'", "log.level = {}", "kinds = {"]
)
def test_a_value_of_the_wrong_shape_is_an_error_and_not_a_crash(errors: Errors, text: str) -> None:
    assert errors(text)[0].startswith("evidenced.toml:1: ")


def test_a_sqlite_file_is_beside_the_configuration_or_in_the_home(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.chdir("/")
    assert load("store.url = 'sqlite:///data/e.db'").store.url == f"sqlite:///{tmp_path}/data/e.db"
    assert load("store.url = 'sqlite:///~/e.db'").store.url == "sqlite:////home/someone/e.db"
    assert load("store.url = 'sqlite:////var/e.db?mode=ro'").store.url == "sqlite:////var/e.db?mode=ro"


def test_a_store_may_be_named_by_reference(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE", "postgresql://me:hunter2@db/evidence")
    assert load("store.url = 'env:DATABASE'").store.url == "postgresql://me:hunter2@db/evidence"
    (tmp_path / "url").write_text("sqlite:///e.db\n")
    assert load(f"store.url = 'file:{tmp_path}/url'").store.url == f"sqlite:///{tmp_path}/e.db"
    assert "hunter2" not in repr(load("store.url = 'env:DATABASE'"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://db/evidence", "a store is sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
        ("evidenced.db", "a store is sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
        ("sqlite://evidenced.db", "a SQLite store is a file"),
        ("sqlite://", "a SQLite store is a file"),
        ("sqlite:///:memory:", "a SQLite store is a file"),
        ("env:NOT_SET_ANYWHERE", "env:NOT_SET_ANYWHERE is not set"),
        ("env:", "'env:' does not name an environment variable"),
        ("file:url.txt", "'file:url.txt' is not an absolute path"),
        ("file:/nowhere/url.txt", "file:/nowhere/url.txt: there is no such file"),
    ],
)
def test_a_store_that_cannot_be_one_is_an_error(errors: Errors, url: str, expected: str) -> None:
    assert any(
        line.startswith(f"evidenced.toml:2: store.url: {expected}") for line in errors(f"[store]\nurl = '{url}'")
    )


def test_controls_are_beside_the_configuration(load: Load, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").touch()
    assert load("controls = 'mine.toml'").controls_path == tmp_path / "mine.toml"


def test_a_time_of_day_may_be_written_as_one(load: Load) -> None:
    assert load("plan.daily_at = 04:30:00").plan.daily_at == "04:30"


def test_the_digest_of_a_source_follows_its_settings_and_not_their_order(load: Load) -> None:
    def digest(text: str) -> bytes:
        return source_digest(load(f"[sources.'stationer:a']\n{text}").sources["stationer:a"])

    assert digest("branch = 'b'\ntoken = 'env:T'") == digest("token = 'env:T'\nbranch = 'b'")
    assert digest("") == digest("concurrency = 8") == digest("connector = 'stationer'")
    assert digest("") != digest("concurrency = 9")
    assert digest("token = 'env:T'") != digest("token = 'env:U'")


def test_the_digest_of_a_source_does_not_follow_the_secret(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "one")
    before = source_digest(load("[sources.'stationer:a']\ntoken = 'env:T'").sources["stationer:a"])
    monkeypatch.setenv("T", "two")
    assert source_digest(load("[sources.'stationer:a']\ntoken = 'env:T'").sources["stationer:a"]) == before
