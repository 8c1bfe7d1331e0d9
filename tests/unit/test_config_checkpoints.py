"""The section [checkpoints] is read whole and typed, or refused with every error in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.anchors.git import GitSettings
from collector.checkpointing import open_signer
from collector.config import CheckpointSettings, load_config, load_settings
from collector.errors import ConfigError
from collector.log.note import SignerKey


@pytest.fixture
def section(tmp_path: Path):
    def section(text: str) -> CheckpointSettings:
        (tmp_path / "evidenced.toml").write_text(f"[checkpoints]\n{text}")
        return load_config(tmp_path / "evidenced.toml", {}).checkpoints

    return section


@pytest.fixture
def errors(section, tmp_path: Path):
    """The lines of the one error, without the folder they all begin with."""

    def errors(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            section(text)
        return [line.removeprefix(f"{tmp_path}/evidenced.toml") for line in caught.value.message.splitlines()]

    return errors


def test_without_it_nobody_signs(section, tmp_path: Path) -> None:
    settings = section("")
    assert (settings.signs, settings.every, settings.late_after) == (False, "1h", "6h")
    with pytest.raises(ConfigError, match="names no key") as refused:
        open_signer(load_settings(tmp_path / "evidenced.toml"))
    assert "evidenced keys create" in refused.value.hint()


def test_an_anchor_has_the_settings_of_its_type(section) -> None:
    settings = section('[checkpoints.anchors.here]\ntype = "git"\npath = "/srv/log.git"\nbranch = "audit"')
    anchor = settings.anchors["here"]
    assert isinstance(anchor, GitSettings)
    assert (anchor.path, anchor.branch, anchor.remote) == ("/srv/log.git", "audit", "")


def test_files_are_beside_the_configuration(section, tmp_path: Path) -> None:
    (tmp_path / "root.pem").touch()
    settings = section('[checkpoints.authorities.paper]\nurl = "https://tsa.example"\nroots = "root.pem"')
    path = tmp_path / "evidenced.toml"
    assert settings.memory_path(path) == tmp_path / "evidenced.signer.json"
    assert settings.roots_path(path, "paper") == tmp_path / "root.pem"


def test_every_error_is_reported_at_once_with_its_line(errors, tmp_path: Path) -> None:
    found = errors(
        'evry = "1h"\nlate_after = "soon"\nkeys = ["signing.key"]\n'
        '[checkpoints.authorities.a]\nurl = "ftp://tsa.example"\n'
        '[checkpoints.authorities."b c"]\nurl = "https://tsa.example"\nroots = "none.pem"\n'
        '[checkpoints.anchors.disk]\ntype = "directoy"\n'
        '[checkpoints.anchors.git]\ntype = "git"\nbranch = "-x"\n'
    )
    assert [line.split(":")[1] for line in found] == sorted((line.split(":")[1] for line in found), key=int)
    said = "\n".join(found)
    assert ':2: checkpoints.evry: unknown key "evry"; did you mean "every"?' in said
    assert ":3: checkpoints.late_after" in said
    assert ":4: checkpoints.keys" in said
    assert ":6: checkpoints.authorities.a.url" in said
    assert ':11: checkpoints.anchors.disk.type: no anchor type "directoy" is installed' in said
    assert "directory, git, log, s3" in said
    assert "checkpoints.anchors.git.path" in said
    assert ":14: checkpoints.anchors.git.branch" in said


def test_names_and_files_are_checked_when_the_rest_is_right(errors, tmp_path: Path) -> None:
    found = errors('[checkpoints.authorities."b c"]\nurl = "https://tsa.example"\nroots = "none.pem"\n')
    assert len(found) == 2
    assert "a name is letters, digits" in found[0]
    assert f"there is no file {tmp_path}/none.pem" in found[1]


@pytest.mark.parametrize("text", ["checkpoints = 1", '[checkpoints]\nanchors = "x"', "[checkpoints.anchors]\nx = 1"])
def test_what_is_no_table_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidenced.toml").write_text(text)
    with pytest.raises(ConfigError, match="table"):
        load_config(tmp_path / "evidenced.toml", {})


@pytest.mark.parametrize("reference", ["file:signing.key", "env:not a name"])
def test_a_reference_that_can_name_nothing_is_refused(errors, reference: str) -> None:
    assert errors(f'keys = ["{reference}"]')


def test_a_key_that_is_written_out_is_refused_and_not_shown(errors) -> None:
    secret = SignerKey.generate("evidenced/x").secret_text()
    (said,) = errors(f'keys = ["{secret}"]')
    assert secret[20:40] not in said
