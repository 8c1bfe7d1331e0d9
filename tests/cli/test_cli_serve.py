"""`evidenced serve` as a process: where it listens and where it refuses to, what it loads, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests
import trustme

from collector.encryption import EncryptionSettings, create_key, local_keyring
from collector.errors import ConfigError
from collector.store import open_store
from tests.fakes.clock import PlayedClock

SERVE = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]
PUBLIC = "https://evidence.example.org"
NO_SECRET = '[web.oidc]\nissuer = "https://id.example"\nclient_id = "e"\nclient_secret = "env:NO_SUCH"'
SDKS = ("boto3", "botocore", "azure", "google", "msal", "connectors", "tests.fakes.paper_file")
DAEMONS = ("collector.daemon", "collector.dispatch", "collector.http", "collector.sweep")
# Says at its end what it had loaded; typer's own exit code stays.
TELLING = (
    "import atexit, json, os, sys; from collector.cli import main; "
    "atexit.register(lambda: open(os.environ['LOADED'], 'w').write(json.dumps(sorted(sys.modules)))); main()"
)


@pytest.fixture
def made(site):
    """A site with a store."""
    site.store().close()
    return site


@contextmanager
def serving(site, *arguments, environment=None):
    """Run `evidenced serve` on a free port, and give its URL and the process; end it by SIGTERM if it did not end."""
    process = site.start(*SERVE, *arguments, environment=environment)
    try:
        for line in process.stderr:
            said = json.loads(line)
            if said["event"] == "serving":
                break
        else:
            pytest.fail(f"it ended: {process.wait()}")
        yield said["at"], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("listen", "more", "flags", "said"),
    [
        ("0.0.0.0:0", "", [], "can be reached from other machines, and without TLS"),
        ("[::]:0", "", [], "can be reached from other machines, and without TLS"),
        ("127.0.0.1:0", "", ["--behind-proxy"], "web.public_url is empty"),
        ("0.0.0.0:0", "", ["--behind-proxy"], "web.public_url is empty"),
        ("127.0.0.1:0", 'certificate = "no.pem"\ncertificate_key = "no.key"', [], "there is no file"),
        ("localhost:8300", "", [], "it is not ADDRESS:PORT"),
        ("127.0.0.1:0", 'store_url = "env:NO_SUCH_VARIABLE"', [], "NO_SUCH_VARIABLE is not set"),
        ("127.0.0.1:0", NO_SECRET, [], "NO_SUCH is not set"),
    ],
)
def test_it_refuses_to_listen_where_or_as_it_must_not_and_says_what_to_do(made, listen, more, flags, said):
    made.configure(f"[web]\n{more}")
    answer = made.evidenced("serve", "--listen", listen, *flags)
    assert (answer.code, answer.out) == (3, "") and said in answer.err and "hint:" in answer.err


def test_a_certificate_that_is_none_is_refused(made):
    for name in ("web.pem", "web.key"):
        (made.folder / name).write_text("no certificate")
    made.configure('[web]\ncertificate = "web.pem"\ncertificate_key = "web.key"')
    answer = made.evidenced("serve", "--listen", "127.0.0.1:0")
    assert answer.code == 3 and "web.certificate" in answer.err


def test_an_address_that_is_taken_is_said_to_be(made):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = made.evidenced("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert answer.code == 3 and "cannot be listened at" in answer.err


def test_without_the_extra_it_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    answer = made.evidenced("serve")
    assert answer.code == 3 and "fastapi" in answer.err and "pip install 'evidenced[web]'" in answer.err


def test_it_serves_what_a_token_opens_until_it_is_told_to_end(made):
    token = made.evidenced("token", "create", "Ana", "--role", "reader", "--json").json["token"]
    with serving(made) as (url, process):
        answer = requests.get(f"{url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert (answer.json()["name"], answer.json()["role"]) == ("Ana", "reader")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_an_answer_is_sent_without_waiting_for_the_other_side(made):
    with serving(made) as (url, _), requests.Session() as program:
        took = []
        for _ in range(21):
            began = time.perf_counter()
            program.get(f"{url}/healthz", timeout=30)
            took.append(time.perf_counter() - began)
    assert min(took) < 0.035, "a head that waits for its acknowledgement takes 40 ms"


def test_it_ends_in_order_when_interrupted(made):
    with serving(made) as (url, process):
        assert requests.get(f"{url}/healthz", timeout=30).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_it_loads_no_connector_no_cloud_sdk_and_nothing_of_the_daemon(made):
    made.configure('[checkpoints]\nkeys = ["file:{0}/signing.key"]'.replace("{0}", str(made.folder)))
    assert made.evidenced("keys", "create").code == 0
    loaded = made.folder / "loaded.json"
    process = subprocess.Popen(
        [sys.executable, "-c", TELLING, *SERVE],
        env=made.environment(LOADED=str(loaded)),
        stderr=subprocess.PIPE,
        text=True,
        cwd=made.folder,
    )
    assert any(json.loads(line)["event"] == "serving" for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    modules = json.loads(loaded.read_text())
    assert "collector.server" in modules
    for unwanted in (*SDKS, *DAEMONS):
        assert not [each for each in modules if each == unwanted or each.startswith(f"{unwanted}.")], unwanted


@pytest.fixture
def authority(made):
    """A certificate authority, and a certificate of this machine's beside the configuration."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.cert_chain_pems[0].write_to_path(made.folder / "web.pem")
    certificate.private_key_pem.write_to_path(made.folder / "web.key")
    authority.cert_pem.write_to_path(made.folder / "ca.pem")
    return made.folder / "ca.pem"


def test_with_a_certificate_it_speaks_tls_and_tells_browsers_to_stay_there(made, authority):
    made.configure('[web]\ncertificate = "web.pem"\ncertificate_key = "web.key"')
    with serving(made) as (url, _):
        assert url.startswith("https://")
        closing = {"Connection": "close"}
        answer = requests.get(f"{url}/healthz", headers=closing, verify=str(authority), timeout=30)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def failed_from(url, *addresses):
    """Return the statuses of tries with a bad token that say they come from *addresses*."""
    return [
        requests.get(
            f"{url}/api/v1/me",
            headers={"Authorization": "Bearer evd_no", "X-Forwarded-For": each},
            timeout=30,
        ).status_code
        for each in addresses
    ]


def test_behind_a_proxy_people_are_told_apart_by_what_it_says(made):
    made.configure(f'[web]\npublic_url = "{PUBLIC}"\nrequests_a_minute = 2')
    with serving(made, "--behind-proxy") as (url, _):
        assert failed_from(url, *["192.0.2.1"] * 3, "192.0.2.2") == [401, 401, 429, 401]
        assert requests.get(f"{url}/metrics", timeout=30).status_code == 401


def test_without_a_proxy_nobody_says_where_they_come_from(made):
    made.configure("[web]\nrequests_a_minute = 2")
    with serving(made) as (url, _):
        assert failed_from(url, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [401, 401, 429]
        assert requests.get(f"{url}/metrics", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=30).status_code == 200


def test_a_proxy_that_is_not_named_is_not_believed(made):
    made.configure(f'[web]\npublic_url = "{PUBLIC}"\nrequests_a_minute = 2\nproxies = ["192.0.2.0/24"]')
    with serving(made, "--behind-proxy") as (url, _):
        assert failed_from(url, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [401, 401, 429]


def test_the_store_may_be_reached_by_a_login_of_its_own(site, postgresql_url):
    open_store(postgresql_url, clock=PlayedClock()).close()
    site.configure('[web]\nstore_url = "env:WEB_STORE"')
    with serving(site, environment={"WEB_STORE": postgresql_url}) as (url, _):
        assert requests.get(f"{url}/readyz", timeout=30).status_code == 200
    assert not (site.folder / "evidence.db").exists()


def test_a_store_of_its_own_is_on_postgresql(made, monkeypatch):
    monkeypatch.setenv("WEB_STORE", f"sqlite:///{made.folder}/evidence.db")
    made.configure('[web]\nstore_url = "env:WEB_STORE"')
    assert "names no PostgreSQL store" in made.evidenced("serve").err


def test_keys_in_files_open_what_is_sealed_and_a_keeper_is_not_asked(tmp_path):
    key = create_key(tmp_path / "sealing.key")
    ring = local_keyring(EncryptionSettings(key="nowhere:key", previous=[f"file:{tmp_path}/sealing.key"]))
    assert ring.named(key.name).name == key.name
    with pytest.raises(ConfigError, match="asks no keeper of keys"):
        ring.named("nowhere:another")
    with pytest.raises(ConfigError, match="seals nothing"):
        ring.current()
