"""Every command teaches itself: a sentence, an example that is one, every option explained, in the glossary's words."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from collector.cli.app import app
from collector.cli.exits import MEANINGS, run

ROOT = typer.main.get_command(app)

# What the glossary says not to say, where no command, option or common phrase bears the word.
NOT_SAID = (
    "plugin", "integration", "connection", "dump", "blob", "job", "scan", "tick", "batch", "hole", "label", "stream",
    "success", "successful", "compliant", "compliance", "finding", "attestation", "pass", "passed", "resource",
)  # fmt: skip


def commands(command=ROOT, path=()):
    """Yield every command with its path, groups too."""
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*path, name))


COMMANDS = dict(commands())
LEAVES = [path for path, command in COMMANDS.items() if not getattr(command, "commands", None) or path == ("run",)]


def name(path):
    return " ".join(path) or "evidenced"


@pytest.fixture
def help_of(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def help_of(path):
        assert run([*path, "--help"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return help_of


def test_the_commands_are_those_of_the_manual():
    assert list(ROOT.list_commands(typer.Context(ROOT))) == [
        "init", "check", "run", "snapshot", "status", "coverage", "as-of", "access", "diff", "history", "runs",
        "engagement", "population", "populations", "sample", "reconcile",
        "upload", "uploads", "request", "review", "reviews", "export", "serve", "token",
        "kinds", "plan", "policy", "tag", "log", "keys", "verify", "proof", "encryption", "erase", "retain", "db",
    ]  # fmt: skip
    assert set(ROOT.list_commands(typer.Context(ROOT))) == set(ROOT.commands)


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_help_fits_a_terminal_of_80_columns(help_of, path):
    assert max(map(len, help_of(path).splitlines())) <= 80


@pytest.mark.parametrize("path", LEAVES, ids=name)
def test_help_teaches_by_an_example(help_of, path):
    assert f"Example: evidenced {path[0]}" in help_of(path)


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_every_option_is_explained(path):
    unexplained = [each.name for each in COMMANDS[path].params if not getattr(each, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize("path", [path for path in LEAVES if path not in (("run",), ("serve",))], ids=name)
def test_every_answer_can_be_had_as_json(path):
    assert "--json" in {option for each in COMMANDS[path].params for option in each.opts}


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_help_keeps_to_the_words_of_the_glossary(help_of, path):
    words = set(re.findall(r"[a-z]+", help_of(path).lower()))
    assert words & set(NOT_SAID) == set()


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_a_first_sentence_is_short_enough_for_the_list_of_commands(help_of, path):
    assert "..." not in re.sub(r"\[\S+\]\.\.\.|ARGS\]\.\.\.|sha256:\.\.\.", "", help_of(path))


def examples():
    """Return the arguments of every example in every help text."""
    found = []
    for _, command in COMMANDS.items():
        text = (command.help or "").replace("\\\n", " ")
        found += re.findall(r"(?:Examples?:|^\s+) +evidenced ([^\n]+)$", text, flags=re.MULTILINE)
    return found


def test_there_are_examples_to_look_at():
    assert len(examples()) >= len(LEAVES)


@pytest.fixture
def aws_installed(tmp_path, monkeypatch):
    """The built-in connector, found by its entry point as in an installation."""
    info = tmp_path / "installed" / "aws_vendor-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: aws-vendor\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evidenced.connectors]\naws = connectors.aws:connector\n")
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("example", examples())
def test_an_example_is_a_command_line_that_is_understood(aws_installed, capsys, example):
    """It gets as far as there being no configuration here, or it is answered."""
    code = run(shlex.split(example))
    assert code in (0, 3), capsys.readouterr().err


@pytest.mark.parametrize(
    "kind", sorted({kind for each in examples() for kind in re.findall(r"aws\.[a-z0-9_.]+[a-z]", each)})
)
def test_a_kind_in_an_example_exists(kind):
    from connectors.aws import connector

    assert kind in connector.kinds() or any(name.startswith(f"{kind}.") for name in connector.kinds())


def test_the_help_lists_every_exit_code(help_of):
    text = help_of(())
    for code, meaning in MEANINGS.items():
        assert f"{code:>3}  {meaning}" in text
