"""Who may do what at the desk's pages, and that nothing of another engagement is there, whatever one asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector.act import ActKind
from collector.ask.engagements import close
from tests.web.serving import FOREIGNER, NAMES, Browser
from tests.web.vendors import MARK
from tests.web.world import ENGAGEMENT, OTHER, failed_run

HERE = f"/e/{ENGAGEMENT}"
NOON = datetime(2025, 3, 20, 12, tzinfo=UTC)
KINDS = (
    ActKind.POPULATION,
    ActKind.SAMPLE,
    ActKind.RECONCILIATION,
    ActKind.REQUEST,
    ActKind.UPLOAD,
    ActKind.REVIEW,
    ActKind.TOKEN,
)


def posts(desk):
    """Return every form of the desk by name: the page it stands on, where it goes, its fields, and a file if any."""
    population = f"{HERE}/populations/{desk.world.made.population}"
    both = {"left": f"population:{desk.world.made.population}", "right": f"population:{desk.world.made.doors}"}
    upload = {"control": "PH-01", "first": "2025-01-01", "last": "2025-03-31", "reason": "kept by hand"}
    review = {"target": "AC-02", "decision": "approved", "note": "looked at"}
    request, listed = f"{HERE}/requests/R-03", ("list.csv", b"id,title\nR-77,More\n")
    return {
        "freeze": (f"{HERE}/populations", {"kind": "acme.rooms"}, None),
        "draw": (f"{population}/samples", {"method": "random", "seed": "x", "size": "2"}, None),
        "reconcile": (f"{HERE}/reconciliations", both, None),
        "import": (f"{HERE}/requests", {}, {"file": listed}),
        "comment": (request, {"did": "comment", "text": "a word"}, None),
        "status": (request, {"did": "status", "status": "answered"}, None),
        "link": (request, {"did": "link", "target": "acme.users"}, None),
        "upload": (f"{HERE}/uploads", upload, {"file": ("note.txt", b"a note")}),
        "review": (f"{HERE}/reviews", review, None),
        "bundle": (f"{HERE}/bundle", {}, None),
        "grant": ("/tokens", {"holder": "Noor", "role": "reader", "days": "3"}, None),
    }


EXAMINER = {"freeze", "draw", "reconcile", "import", "comment"}
EXAMINED = EXAMINER | {"status", "link", "upload", "review"}
MAY = {"auditor": EXAMINER, "reader": set(), "operator": EXAMINED, "admin": EXAMINED | {"grant"}}
FORMS = sorted(EXAMINED | {"bundle", "grant"})


def recorded(desk):
    return {kind: len(desk.store.desk.acts(kind)) for kind in KINDS}


def sent(desk, browser, form):
    to, fields, files = posts(desk)[form]
    return browser.fill("/", to, files=files, **fields)


@pytest.mark.parametrize("who", MAY)
def test_a_role_records_what_it_may_and_nothing_else(desk, who):
    browser = desk.browser(who)
    for form in FORMS:
        before = recorded(desk)
        answer = sent(desk, browser, form)
        may = form in MAY[who] or form == "bundle"
        assert answer.status_code == (200 if form == "grant" else 303) if may else answer.status_code == 403, form
        assert (recorded(desk) != before) == (form in MAY[who]), form


def test_every_form_is_recorded_on_each_engine(either):
    admin = either.browser("admin")
    for form in sorted(MAY["admin"]):
        before = recorded(either)
        sent(either, admin, form)
        assert sum(recorded(either).values()) == sum(before.values()) + 1, form


@pytest.mark.parametrize("who", MAY)
def test_a_page_shows_the_forms_that_its_reader_may_send(served, who):
    browser = served.browser(who)
    shown = {
        "freeze": 'action="/e/soc2-2025/populations#freeze"' in browser.get(f"{HERE}/populations").text,
        "upload": 'action="/e/soc2-2025/uploads#add"' in browser.get(f"{HERE}/uploads").text,
        "review": 'action="/e/soc2-2025/reviews#add"' in browser.get(f"{HERE}/reviews").text,
        "comment": 'value="comment"' in browser.get(f"{HERE}/requests/R-03").text,
        "status": 'value="status"' in browser.get(f"{HERE}/requests/R-03").text,
        "import": 'type="file"' in browser.get(f"{HERE}/requests").text,
    }
    assert shown == {form: form in MAY[who] for form in shown}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", ["", "0" * 64])
def test_a_form_that_no_page_of_ours_sent_records_nothing(served, form, value):
    to, fields, files = posts(served)[form]
    before = recorded(served)
    answer = served.browser("admin").post(to, data={"csrf": value, **fields}, files=files)
    assert (answer.status_code, recorded(served)) == (403, before)


def test_the_value_of_another_session_is_refused(served):
    mine, theirs = served.browser("operator"), served.browser("operator")
    answer = mine.post(f"{HERE}/populations", data={"csrf": theirs.csrf("/"), "kind": "acme.rooms"})
    assert answer.status_code == 403


@pytest.mark.parametrize("form", FORMS)
def test_whoever_is_not_signed_in_is_sent_to_the_sign_in(served, form):
    to, fields, files = posts(served)[form]
    before = recorded(served)
    answer = Browser(served.url).post(to, data=fields, files=files)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    assert recorded(served) == before


def addresses(served, here):
    """Return every page of the desk, below *here*, about what is there in the first engagement or in the other one."""
    made, other = served.world.made, here == f"/e/{OTHER}"
    population, sample, upload = (
        (made.foreign, made.foreign_sample, made.foreign_upload)
        if other
        else (made.population, made.sample, made.upload)
    )
    item = next(each for each in served.store.as_of(f"{MARK}.ledgers" if other else "acme.rooms", NOON))
    run = served.store.runs(kind=f"{MARK}.ledgers", limit=1)[0].id if other else failed_run(served.store)
    return [
        f"{here}/runs/{run}",
        f"{here}/runs/{run}.json",
        f"{here}/runs/{run}.pdf",
        f"{here}/runs/{run}.proof",
        f"{here}/artifacts/{item.artifact.hex()}",
        f"{here}/populations/{population}",
        f"{here}/populations/{population}/rows.jsonl",
        f"{here}/populations/{population}/statement.json",
        f"{here}/samples/{sample}",
        f"{here}/samples/{sample}.csv",
        f"{here}/requests/{'V-01' if other else 'R-01'}",
        f"{here}/uploads/{upload}",
    ]


LISTS = ("", "/runs", "/populations", "/reconciliations", "/requests", "/uploads", "/reviews", "/bundle", "/access")


@pytest.mark.parametrize("who", ["auditor", FOREIGNER])
def test_an_auditor_finds_everything_of_their_own_engagement(served, who):
    browser, here = served.browser(who), f"/e/{ENGAGEMENT if who == 'auditor' else OTHER}"
    for each in [*(here + part for part in LISTS), *addresses(served, here)]:
        assert browser.get(each).status_code == 200, each


@pytest.mark.parametrize("who", ["auditor", FOREIGNER])
def test_an_engagement_that_is_not_theirs_is_not_there_for_an_auditor(served, who):
    browser, foreign = served.browser(who), f"/e/{OTHER if who == 'auditor' else ENGAGEMENT}"
    nowhere = browser.get("/e/nowhere").text.replace("nowhere", "")
    for each in [*(foreign + part for part in LISTS), *addresses(served, foreign)]:
        answer = browser.get(each)
        assert answer.status_code == 404, each
        assert MARK not in answer.text.replace(OTHER, "").replace(NAMES[OTHER], "")
    said = browser.get(foreign).text.replace(foreign.removeprefix("/e/"), "")
    assert len(said) == pytest.approx(len(nowhere), abs=40)


@pytest.mark.parametrize("who", ["auditor", "admin"])
def test_what_belongs_to_another_engagement_is_not_there_under_this_ones_name(served, who):
    browser = served.browser(who)
    for each in addresses(served, f"/e/{OTHER}"):
        assert browser.get(each.replace(f"/e/{OTHER}", HERE)).status_code == 404, each


def test_no_list_of_an_auditor_names_anything_of_another_engagement(served):
    browser = served.browser("auditor")
    for part in ("", *LISTS):
        assert MARK not in browser.get(HERE + part).text, part


@pytest.mark.parametrize("form", ["draw", "reconcile", "link", "review"])
def test_what_belongs_to_another_engagement_cannot_be_named_in_a_form(served, form):
    foreign, made = f"population:{served.world.made.foreign}", served.world.made
    to, fields, _ = posts(served)[form]
    to = to.replace(f"/populations/{made.population}", f"/populations/{made.foreign}")
    fields |= {name: foreign for name in ("left", "target") if name in fields}
    before = recorded(served)
    answer = served.browser("admin").fill("/", to, **fields)
    assert (answer.status_code in (404, 422), recorded(served)) == (True, before)


def test_a_closed_engagement_takes_nothing_more_and_says_so(desk):
    close(desk.store, ENGAGEMENT, actor="Ana Alder")
    before, admin = recorded(desk), desk.browser("admin")
    for form in sorted(EXAMINED):
        answer = sent(desk, admin, form)
        assert (answer.status_code, "was closed" in answer.text, recorded(desk)) == (422, True, before), form


def test_what_an_auditor_looks_at_is_on_record(desk):
    desk.browser("auditor").get(f"{HERE}/samples/{desk.world.made.sample}.csv")
    desk.stop()
    read = [each["path"] for act in desk.store.desk.acts(ActKind.ACCESS) for each in act.document["reads"]]
    assert f"{HERE}/samples/{desk.world.made.sample}.csv" in read
