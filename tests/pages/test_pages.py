"""The driver on two quite different markups of the same administration pages."""

import subprocess
import sys
from pathlib import Path

import pytest

from pages import IconOutcome, PageCode, PagesError
from pages.chromium import chromium_path
from tests.pages.site import PASSWORD
from tests.pages.skins import BULLETS
from wire import Code, PeerValues, Secret, Trust, WireError

VALUES = PeerValues("icuser", "TLS", password=Secret("s3cret / pass"))


async def entries(pages):
    return await pages.entries()


def save(address="10.1.1.1", values=VALUES, existing=None):
    return lambda pages: pages.save(address, values, existing=existing)


def refused(site, conversation, **changes):
    with pytest.raises(WireError) as caught:
        site.visit(conversation, **changes)
    assert PASSWORD not in str(vars(caught.value))
    assert "s3cret / pass" not in str(vars(caught.value))
    return caught.value


@pytest.mark.servers
def test_pages_import_nothing_of_the_project_but_the_wire():
    script = (
        "import sys, pages; wanted = {'django', 'peers', 'jobs', 'lab', 'celery'};"
        "print(*(wanted & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert (done.stdout.strip(), done.returncode) == (b"", 0)


@pytest.mark.parametrize("missing", ["playwright", "chromium"])
def test_without_chromium_or_playwright_no_script_is_run(monkeypatch, missing):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert chromium_path() == "/usr/bin/chromium"
    if missing == "playwright":
        monkeypatch.setitem(sys.modules, "playwright", None)
    else:
        monkeypatch.setattr("shutil.which", lambda _: None)
    assert chromium_path() == ""


def test_an_entry_is_added_once_and_read_back(site):
    site.visit(save())
    entry = site.visit(lambda pages: pages.find("10.1.1.1"))
    assert (entry.username, entry.protocol, entry.has_password) == (
        "icuser",
        "TLS",
        True,
    )
    assert site.rows["1"]["password"] == "s3cret / pass"
    assert (site.saves, site.sign_ins, site.sign_outs) == (1, 2, 2)


def test_a_change_without_a_password_keeps_the_stored_one(site):
    site.visit(save())
    changed = PeerValues("other", "TCP")
    site.visit(save("10.1.1.9", changed, existing="10.1.1.1"))
    assert site.rows == {
        "1": {
            "address": "10.1.1.9",
            "username": "other",
            "protocol": "TCP",
            "password": BULLETS,
        }
    }


def test_an_entry_is_deleted_and_its_neighbour_stays(site):
    for address in ("10.1.1.1", "10.1.1.10"):
        site.visit(save(address))
    site.visit(lambda pages: pages.delete("10.1.1.1"))
    assert [row["address"] for row in site.rows.values()] == ["10.1.1.10"]
    assert site.deletes == 1


def test_deleting_what_is_not_there_presses_nothing(site):
    site.visit(save())
    site.visit(lambda pages: pages.delete("10.9.9.9"))
    assert (site.deletes, len(site.rows)) == (0, 1)


def test_an_empty_list_is_a_list(site):
    assert site.visit(entries) == []


def test_a_list_of_more_than_one_page_is_read_to_its_end(site):
    row = {"username": "u", "protocol": "TCP", "password": "x"}
    site.rows = {str(n): row | {"address": f"10.0.0.{n}"} for n in range(1, 6)}
    site.faults = {"pages"}
    assert [one.address for one in site.visit(entries)] == [
        f"10.0.0.{n}" for n in range(1, 6)
    ]


def test_icons_mean_what_the_key_says_and_others_are_unknown(site):
    site.visit(save())

    async def look(pages):
        await pages.tests()
        listed = (await pages.entries())[0]
        return (await pages.show(listed)).status

    status = site.visit(look)
    assert {one.label: one.outcome for one in status.entries} == {
        "Peer Connectivity": IconOutcome.PASSED,
        "Certificate Status": IconOutcome.FAILED,
        "Sync Status": IconOutcome.UNKNOWN,
        "Associated Users": IconOutcome.INFORMATION,
    }
    assert status.associated_users == 25


def test_without_a_key_no_icon_passes(site):
    site.visit(save())

    async def look(pages):
        return (await pages.show((await pages.entries())[0])).status

    outcomes = {one.outcome for one in site.visit(look).entries}
    assert outcomes == {IconOutcome.UNKNOWN, IconOutcome.INFORMATION}


def test_the_vendors_troubleshooter_is_read_row_by_row(site):
    rows = site.visit(lambda pages: pages.tests())
    assert [(one.description, one.outcome) for one in rows] == [
        ("Verify the peers.", IconOutcome.WARNING),
        ("New", IconOutcome.UNKNOWN),
    ]
    assert "roubleshooter" in rows[0].section
    assert rows[0].problem == "Look at it"


def test_a_wrong_password_is_tried_once_and_never_repeated(site):
    error = refused(site, entries, password=Secret("wrong & secret"))
    assert error.code is PageCode.SIGN_IN
    assert site.sign_ins == 1
    assert "wrong & secret" not in str(vars(error))


def test_a_banner_is_acknowledged(site):
    site.faults = {"banner"}
    assert site.visit(entries) == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("limit", PageCode.SESSION_LIMIT),
        ("locked", PageCode.LOCKED),
        ("sso", PageCode.SINGLE_SIGN_ON),
        ("sso form", PageCode.SINGLE_SIGN_ON),
        ("menu", PageCode.MENU),
        ("host", PageCode.HOST),
        ("script", PageCode.SCRIPT),
        ("denied", PageCode.DENIED),
    ],
)
def test_bad_cases_before_the_list_have_their_codes(site, fault, code):
    site.faults = {fault}
    assert refused(site, entries).code is code
    assert site.saves == 0


RECOVERY = "https://node.test:8443/ssosp/local/login"


@pytest.mark.parametrize("fault", ["sso", "sso form"])
def test_single_sign_on_is_passed_by_the_link_on_the_node_itself(site, fault):
    site.faults, site.recovery = {fault}, RECOVERY
    assert site.visit(entries) == []
    assert (site.sign_ins, site.sign_outs) == (1, 1)


@pytest.mark.parametrize(
    "link", ["https://idp.test/ssosp/local/login", "/ssosp/saml/login", "//idp.test/x"]
)
def test_a_link_around_single_sign_on_that_leaves_the_node_gets_nothing(site, link):
    site.faults, site.recovery = {"sso"}, link
    assert refused(site, entries).code is PageCode.SINGLE_SIGN_ON
    assert {method for method, _, _ in site.log} == {"GET"}


@pytest.mark.parametrize(
    ("fault", "code", "saves"),
    [
        ("extra", PageCode.REQUIRED, 0),
        ("alert", PageCode.QUESTION, 0),
        ("confirm", PageCode.QUESTION, 0),
        ("error", PageCode.REFUSED, 1),
        ("duplicate", PageCode.DUPLICATE, 1),
        ("lost", Code.CLOSED, 1),
    ],
)
def test_bad_cases_of_a_save_have_their_codes(site, fault, code, saves):
    site.visit(entries)
    site.faults = {fault}
    error = refused(site, save())
    assert (error.code, error.outcome_unknown) == (code, bool(saves))
    assert site.saves == saves


@pytest.mark.parametrize(
    ("fault", "code"), [("expired", PageCode.SESSION_ENDED), ("token", PageCode.TOKEN)]
)
def test_a_session_or_token_that_ends_before_the_save_is_said(site, fault, code):
    async def late(pages):
        await pages.entries()
        page = await pages._form_for("10.1.1.1", None)
        fields = pages._fill(page, "10.1.1.1", VALUES)
        site.faults = {fault}
        await pages._send(page, fields)

    error = refused(site, late)
    assert (error.code, error.outcome_unknown, site.rows) == (code, True, {})
    assert site.sign_ins == 1


def test_a_second_entry_for_an_address_is_never_added(site):
    site.visit(save())
    assert refused(site, save()).code is PageCode.DUPLICATE
    assert site.saves == 1


def test_an_account_that_only_reads_gets_its_sentence(site):
    site.visit(save())
    site.read_only = True
    error = refused(site, save(existing="10.1.1.1"))
    assert error.code is PageCode.READ_ONLY
    assert site.saves == 1


def test_a_label_that_is_not_known_stops_before_anything_is_entered(site):
    site.address_label = "Remote Thing"
    error = refused(site, save())
    assert (error.code, error.detail) == (PageCode.LABEL, "Peer Address")
    assert site.saves == 0


def test_half_a_page_is_not_believed(site):
    site.faults = {"half"}
    assert refused(site, entries).code is PageCode.INCOMPLETE


def test_a_node_with_another_certificate_gets_nothing(site):
    error = refused(site, entries, trust=Trust(fingerprint="0" * 64))
    assert error.code is Code.CERTIFICATE_CHANGED
    assert site.log == []


def test_no_account_is_said_before_a_connection(site):
    assert refused(site, entries, username="").code is PageCode.ACCOUNT
    assert site.log == []


def test_an_error_in_the_middle_signs_out(site):
    async def fails(pages):
        await pages.entries()
        raise PagesError(PageCode.LIST, node="x")

    refused(site, fails)
    assert site.sign_outs == 1


def test_every_code_is_explained_in_the_docs():
    document = Path("docs/pages.md").read_text()
    missing = [code for code in PageCode if f"| `{code}` |" not in document]
    assert missing == []
