"""Where the pages are served and who may come in: what cannot be meant is refused when the configuration is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from collector.config import load_settings
from collector.config_web import folded
from collector.errors import ConfigError


def load(folder: Path, text: str):
    (folder / "evidenced.toml").write_text(text + "\n", encoding="utf-8")
    return load_settings(folder / "evidenced.toml").web


def oidc(more: str, issuer: str = "https://id.example.org") -> str:
    return f'[web.oidc]\nissuer = "{issuer}"\nclient_id = "evidenced"\n{more}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[web]\nlisten = "localhost:8300"', "it is not ADDRESS:PORT"),
        ('[web]\nlisten = "127.0.0.1"', "it is not ADDRESS:PORT"),
        ('[web]\nlisten = "127.0.0.1:99999"', "there is no port"),
        ('[web]\npublic_url = "evidence.example.org"', "it is not a URL"),
        ('[web]\npublic_url = "http://evidence.example.org"', "it is not https"),
        ('[web]\npublic_url = "https://evidence.example.org/soc2"', "it has a path"),
        ('[web]\ncertificate = "web.pem"', "belong together"),
        ('[web]\ncertificate_key = "web.key"', "belong together"),
        ('[web]\nproxies = ["everybody"]', "neither an address nor a network"),
        ('[web]\nsession_idle = "1s"', "is not between"),
        ('[web]\nsession_longest = "30d"', "is not between"),
        ("[web]\nrequests_a_minute = 0", "greater than or equal to 1"),
        ('[web]\nstore_url = "postgresql://web@db/evidence"', "given by reference"),
        ('[web.access]\nadmin = ["ana"]', "neither an e-mail address nor"),
        ('[web.access]\nreader = ["group:"]', "neither an e-mail address nor"),
        ("[web.access]\nauditor = []", "auditor"),
        (oidc("", issuer="http://id.example.org"), "it is not https"),
        (oidc("", issuer="https://ana@id.example.org"), "it is not a URL"),
        (oidc('scopes = ["email"]'), '"openid" is missing'),
        (oidc('client_secret = "swordfish"'), "secret"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, text)


def test_a_literal_client_secret_is_not_repeated(tmp_path):
    with pytest.raises(ConfigError) as error:
        load(tmp_path, oidc('client_secret = "correct-horse-battery-1"'))
    assert "correct-horse" not in f"{error.value}{error.value.hint()}"


def test_by_itself_it_listens_on_this_machine_alone_and_knows_nobody(tmp_path):
    web = load(tmp_path, "")
    assert web.address == ("127.0.0.1", 8300)
    assert (web.public_url, web.oidc, web.access.admin) == ("", None, [])
    assert (web.idle, web.longest) == (timedelta(hours=1), timedelta(hours=12))


def test_a_public_url_is_kept_in_the_form_that_browsers_send(tmp_path):
    web = load(tmp_path, '[web]\npublic_url = "https://Evidence.Example.org:8443/"')
    assert web.public_url == "https://evidence.example.org:8443"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://evidence.example.org:443/", "https://evidence.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
    ],
)
def test_the_port_that_browsers_leave_out_is_left_out(tmp_path, url, kept):
    assert load(tmp_path, f'[web]\npublic_url = "{url}"').public_url == kept


@pytest.mark.parametrize(
    ("one", "other"), [("straße@example.org", "strasse@example.org"), ("\u212aim@a.org", "kim@a.org")]
)
def test_two_addresses_that_only_unicode_takes_for_one_are_two(one, other):
    assert folded(one) != folded(other)


def test_addresses_of_people_are_compared_without_their_case_and_groups_with_it(tmp_path):
    access = load(tmp_path, '[web.access]\nadmin = ["Ana@Example.org", "group:Security"]').access
    assert access.admin == ["ana@example.org", "group:Security"]


def test_an_issuer_is_kept_letter_for_letter(tmp_path):
    assert load(tmp_path, oidc("", issuer="https://id.example.org/Realm/")).oidc.issuer.endswith("/Realm/")


def test_files_of_the_certificate_are_beside_the_configuration(tmp_path):
    web = load(tmp_path, '[web]\ncertificate = "web.pem"\ncertificate_key = "/etc/web.key"')
    assert web.certificate_paths(tmp_path / "evidenced.toml") == (tmp_path / "web.pem", Path("/etc/web.key"))
