"""Files that people send: what is taken, under which name and type, and what is refused before or after it came."""

from __future__ import annotations

import hashlib
import html
import io
import re
import zipfile

import pytest
import requests

from collector.act import ActKind
from tests.web.serving import serve
from tests.web.world import ENGAGEMENT

HERE = f"/e/{ENGAGEMENT}/uploads"
FORM = {"control": "PH-01", "first": "2025-01-01", "last": "2025-03-31", "reason": "kept by hand"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def send(desk, name, data, who="operator", **form):
    return desk.browser(who).fill(HERE, HERE, files={"file": (name, data)}, **FORM | form)


def uploads(desk):
    return desk.store.desk.acts(ActKind.UPLOAD)


def refused(desk, answer, words, before=2):
    """Return whether *answer* tells *words* where the form stands, and nothing was recorded."""
    shown = html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.text)))
    return (answer.status_code, words in shown.lower(), len(uploads(desk))) == (422, True, before)


def macros():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"):
            archive.writestr(name, "x")
    return data.getvalue()


def test_a_file_is_kept_to_the_byte_with_who_why_and_for_which_days(desk):
    answer = send(desk, "plan.png", PNG)
    act = uploads(desk)[-1]
    assert answer.headers["location"] == f"{HERE}#upload-{act.id}"
    assert (act.actor, act.document["type"], act.document["reason"]) == ("Ana Alder", "png", "kept by hand")
    assert act.document["effective"] == {"start": "2025-01-01T00:00:00Z", "end": "2025-04-01T00:00:00Z"}
    assert act.artifact == hashlib.sha256(PNG).digest()


def test_one_day_is_said_by_one_date(desk):
    send(desk, "plan.png", PNG, last="")
    assert uploads(desk)[-1].document["effective"]["end"] == "2025-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\eva\\list.csv", "list.csv"),
        ("=cmd|' /C calc'!A0.txt", "cmd_' _C calc'!A0.txt"),
        ("bidi\u202etxt.exe.txt", "bidi_txt.exe.txt"),
        ("<img src=x>.txt", "_img src=x_.txt"),
        ('quo"te.txt', "quo%22te.txt"),
        ("CON.txt", "_CON.txt"),
        ("n" * 300 + ".txt", "n" * 115 + ".txt"),
    ],
)
def test_a_hostile_name_is_kept_as_a_harmless_one(desk, name, kept):
    assert send(desk, name, b"a note").status_code == 303
    act = uploads(desk)[-1]
    assert len(act.document["name"]) <= 120
    saved = desk.browser("auditor").get(f"{HERE}/{act.id}")
    assert saved.content == b"a note"
    for text in (act.document["name"], saved.headers["content-disposition"]):
        assert not re.search(r'[<>"|\\/\u202e\r\n]', text.replace("''", "")), text
    assert act.document["name"].endswith(kept[-8:])


@pytest.mark.parametrize(
    ("name", "data"),
    [("page.html", b"<script>alert(1)</script>"), ("drawing.txt", b"<svg onload=alert(1)></svg>"), ("a.png", PNG)],
)
def test_an_uploaded_file_is_saved_and_never_shown_by_the_browser(desk, name, data):
    send(desk, name.replace(".html", ".txt"), data)
    answer = desk.browser("auditor").get(f"{HERE}/{uploads(desk)[-1].id}")
    headers = answer.headers
    assert (headers["content-type"], headers["x-content-type-options"]) == ("application/octet-stream", "nosniff")
    assert headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("run.exe", b"MZ\x90\x00" + bytes(60), "no type that is taken"),
        ("page.html", b"<html></html>", "no type that is taken"),
        ("macros.xlsx", macros(), "no type that is taken"),
        ("bomb.zip", b"PK\x03\x04" + bytes(60), "no type that is taken"),
        ("scan.pdf", PNG, "its name says pdf, its content is png"),
        ("empty.txt", b"", "the file is empty"),
        ("keys.txt", b"fine\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n", "looks like a secret"),
    ],
)
def test_what_is_no_evidence_is_refused_in_words(desk, name, data, words):
    assert refused(desk, send(desk, name, data), words)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"control": "XX-9"}, "no control on record"),
        ({"first": "2025-04-01", "last": "2025-03-01"}, "are no days"),
        ({"first": "soon"}, "are no days"),
        ({"reason": ""}, "an upload needs a reason"),
        ({"reason": "x" * 5_000}, "longer than 4,000 characters"),
        ({"reason": "two\r\nlines", "control": ""}, "no control on record"),
    ],
)
def test_what_was_typed_is_kept_beside_what_is_wrong_with_it(desk, form, words):
    answer = send(desk, "plan.png", PNG, **form)
    assert refused(desk, answer, words)
    typed = FORM | form
    assert f'value="{typed["first"]}"' in answer.text and f">{typed['reason']}</textarea>" in answer.text


def test_a_form_without_a_file_says_so(desk):
    answer = desk.browser("operator").fill(HERE, HERE, **FORM)
    assert refused(desk, answer, "no file was chosen")


def test_a_file_that_is_larger_than_the_configuration_allows_is_refused(copied):
    with serve(copied(), "[uploads]\nmax_mb = 1\n") as desk:
        assert refused(desk, send(desk, "long.txt", b"a" * 1_500_000), "has more than 1 mb")
        assert send(desk, "longer.txt", b"a" * 3_000_000).status_code == 413
        assert len(uploads(desk)) == 2


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(copied):
    with serve(copied(), "[uploads]\nmax_mb = 1\n") as desk:
        browser = desk.browser("operator")

        def pieces():
            yield b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + browser.csrf(HERE).encode()
            yield b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            for _ in range(100):
                yield b"a" * 100_000

        try:
            status = browser.post(
                HERE, data=pieces(), headers={"content-type": "multipart/form-data; boundary=x"}
            ).status_code
        except requests.ConnectionError:  # it hung up while we were still sending
            status = 413
        assert (status, len(uploads(desk))) == (413, 2)


def test_a_text_in_halves_of_characters_is_refused_in_words(desk):
    browser = desk.browser("operator")
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    fields = {**FORM, "csrf": browser.csrf(HERE), "reason": "\\ud800"}
    body = "".join(part.format(*each) for each in fields.items()) + "--x--\r\n"
    kind = "multipart/form-data; boundary=x; charset=unicode_escape"
    answer = browser.post(HERE, data=body, headers={"content-type": kind})
    assert (answer.status_code, len(uploads(desk))) == (422, 2)
