"""The bad cases of pages in each markup of the lab: a code, and nothing half done."""

import time

import pytest

from lab import Lab
from lab.pages import SKINS
from lab.pages.notices import active_notices
from pages import IconOutcome, PageCode, PeerPages, Visit, notices, synchronise_now
from tests.wire.server import LOOPBACK
from wire import Code, NodeAddress, PeerValues, Secret, Trust, WireError, run_loop

OLD, NEW = "old.lab.example", "new.lab.example"
PASSWORD = "s3cret / pass"
VALUES = PeerValues("icuser", "TLS", password=Secret(PASSWORD))
# Its buttons only work with a script.
SCRIPTED = "modern"


@pytest.fixture(autouse=True)
def no_chromium(monkeypatch):
    """A worker on which no script can be run."""
    monkeypatch.setattr("pages.visit.chromium_path", lambda: "")


@pytest.fixture(scope="session")
def paged():
    with Lab(
        clusters=len(SKINS),
        nodes=2,
        users=(3,),
        network="auto",
        generation=("cup8", "cup7", "imp"),
        pages=tuple(SKINS),
        sip=False,
        dns=False,
        service_delay=0.1,
        agent_interval=60,
        shared_key=True,
    ) as lab:
        yield lab


@pytest.fixture(params=list(SKINS))
def home(request, paged):
    found = next(c for c in paged.clusters if c.pages.skin == request.param)
    found.add_peer(OLD, "someone", "secret")
    yield found
    paged.clear_faults()
    for peer in found.peers():
        found.remove_peer(peer.address)
    known = found.pages
    for counted in (known.failures, known.saves, known.deletes, known.sign_ins):
        counted.clear()
    known.sign_outs.clear()
    known.overlaps = 0
    found.publisher.site.sessions.open.clear()


def visit(home, conversation, deadline=30):
    node = home.publisher
    others = [text for one in home.subscribers for text in (one.name, one.address)]
    address = NodeAddress(
        name=node.name,
        address=node.address,
        username="administrator",
        password=Secret(home.pages.password),
        trust=Trust(fingerprint=node.fingerprint),
        policy=LOOPBACK,
    )

    async def whole():
        async with Visit(
            address, node.pages_port, "/cupadmin/", deadline=deadline, others=others
        ) as session:
            return await conversation(PeerPages(session))

    return run_loop(whole())


async def entries(pages):
    return await pages.entries()


async def add(pages):
    await pages.save(NEW, VALUES, existing=None)


async def edit(pages):
    await pages.save(OLD, PeerValues("other", "TCP"), existing=OLD)


async def delete(pages):
    await pages.delete(OLD)


async def troubleshooter(pages):
    return await pages.tests(2)


def refused(home, conversation, deadline=30):
    with pytest.raises(WireError) as caught:
        visit(home, conversation, deadline)
    reported = str(vars(caught.value))
    assert PASSWORD not in reported
    assert home.pages.password not in reported
    assert home.pages.overlaps == 0
    return caught.value


BEFORE = [
    ("page_sign_in=refused", PageCode.SIGN_IN),
    ("page_sign_in=locked", PageCode.SIGN_IN),
    ("page_sign_in=session-limit", PageCode.SESSION_LIMIT),
    ("page_sign_in=sso", PageCode.SINGLE_SIGN_ON),
    ("page_sign_in=no-right", PageCode.DENIED),
    ("page_sign_in=host-check", PageCode.HOST),
    ("page_menu=missing", PageCode.MENU),
    ("page_menu=renamed", PageCode.MENU),
    ("page_node=other", PageCode.OTHER_NODE),
    ("page_node=redirect", PageCode.OTHER_NODE),
    ("page_language=de", PageCode.LANGUAGE),
    ("page_peer=label", PageCode.LABEL),
    ("page_list=query", PageCode.LIST),
    ("pages=cut-body", Code.CLOSED),
    ("pages=hang-up", Code.CLOSED),
]


@pytest.mark.parametrize(("fault", "code"), BEFORE)
def test_a_list_that_cannot_be_read_says_why(home, fault, code):
    home.set_fault(*fault.split("="))
    assert refused(home, entries).code is code


@pytest.mark.parametrize("fault", ["banner", "banner-after", "sso-recovery"])
def test_what_stands_before_the_pages_is_passed(home, fault):
    home.set_fault("page_sign_in", fault)
    assert [one.address for one in visit(home, entries)] == [OLD]
    counts = home.pages
    assert counts.sign_ins == counts.sign_outs == {"administrator": 1}


def test_a_slow_page_ends_with_the_deadline(home):
    home.set_fault("pages", "slow:30")
    assert refused(home, entries, deadline=1).code is Code.TIMEOUT


@pytest.mark.parametrize("fault", ["size:3", "query*1", "no-users"])
def test_a_list_is_read_whole(home, fault):
    for number in range(6):
        home.add_peer(f"p{number}.lab.example", "someone", "secret")
    home.set_fault("page_list", fault)
    assert len(visit(home, entries)) == 7


SAVES = [
    ("page_sign_in=read-only", PageCode.READ_ONLY),
    ("page_token=refused", PageCode.TOKEN),
    ("page_token=denied", PageCode.DENIED),
    ("page_session=ended-before-save*1", PageCode.SESSION_ENDED),
    ("page_peer=save-renamed", PageCode.LABEL),
    ("page_peer=extra-field", PageCode.REQUIRED),
    ("page_peer=error", PageCode.REFUSED),
    ("page_peer=error:The address is invalid", PageCode.REFUSED),
    ("page_peer=confirm", PageCode.QUESTION),
]


@pytest.mark.parametrize("change", [add, edit])
@pytest.mark.parametrize(("fault", "code"), SAVES)
def test_a_change_that_is_not_stored_says_why(home, change, fault, code):
    if home.pages.skin == SCRIPTED and code not in (
        PageCode.READ_ONLY,
        PageCode.LABEL,
        PageCode.TOKEN,
        PageCode.DENIED,
        PageCode.REQUIRED,
    ):
        code = PageCode.SCRIPT
    before = home.peers()
    home.set_fault(*fault.split("=", 1))
    assert refused(home, change).code is code
    assert (home.peers(), sum(home.pages.saves.values())) == (before, 0)


@pytest.mark.parametrize(("change", "code"), [(add, "READ_ONLY"), (edit, "LABEL")])
def test_a_page_without_save_says_what_is_missing(home, change, code):
    home.set_fault("page_peer", "no-save")
    assert refused(home, change).code is PageCode[code]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("page_peer=lost*1", Code.TIMEOUT), ("page_session=ended-after-save*1", None)],
)
def test_a_save_whose_answer_is_lost_is_unknown(home, fault, code):
    if home.pages.skin == SCRIPTED:
        pytest.skip("cannot be written without a script")
    home.set_fault(*fault.split("="))
    error = refused(home, add, deadline=3)
    assert error.code is (code or PageCode.SESSION_ENDED)
    assert (error.outcome_unknown, home.pages.saves[NEW]) == (True, 1)


@pytest.mark.parametrize("fault", ["unclear", "ignored*1", "alert", "alert-change"])
def test_a_save_that_reports_nothing_wrong_is_left_to_the_read_back(home, fault):
    if home.pages.skin == SCRIPTED:
        pytest.skip("cannot be written without a script")
    home.set_fault("page_peer", fault)
    visit(home, add)
    assert home.pages.saves[NEW] == (fault != "ignored*1")


@pytest.mark.parametrize("pages", range(1, 9))
def test_a_session_that_ends_in_mid_flow_is_said_and_saves_at_most_once(home, pages):
    if home.pages.skin == SCRIPTED:
        pytest.skip("cannot be written without a script")
    home.set_fault("page_session", f"ended:{pages}*1")
    try:
        visit(home, add)
    except WireError as error:
        ended = (PageCode.SESSION_ENDED, PageCode.SIGN_IN)[: 1 + (pages == 1)]
        assert error.code in ended
        assert error.outcome_unknown or not home.pages.saves[NEW]
    else:
        assert home.pages.saves[NEW] == 1
    assert home.pages.sign_ins["administrator"] == 1


def test_an_account_that_only_reads_deletes_nothing(home):
    home.set_fault("page_sign_in", "read-only")
    assert refused(home, delete).code is PageCode.READ_ONLY
    assert not home.pages.deletes


def test_an_entry_is_changed_and_deleted_once(home):
    if home.pages.skin == SCRIPTED:
        assert refused(home, delete).code is PageCode.SCRIPT
        return
    visit(home, edit)
    (entry,) = home.peers()
    assert (entry.username, entry.password) == ("other", "secret")
    visit(home, delete)
    assert (home.peers(), home.pages.saves, home.pages.deletes) == (
        [],
        {OLD: 1},
        {OLD: 1},
    )


@pytest.mark.parametrize("fault", ["no-key", "unknown-icon"])
def test_a_test_whose_icon_no_key_explains_is_unknown(home, fault):
    home.set_fault("page_troubleshooter", fault)
    found = {one.outcome for one in visit(home, troubleshooter)}
    # One markup gives no words for its icons either.
    assert found == {IconOutcome.UNKNOWN}


def test_rows_of_the_troubleshooter_have_the_outcomes_of_its_key(home):
    found = visit(home, troubleshooter)
    section = [one for one in found if "Inter-Clustering" in one.section]
    assert IconOutcome.PASSED in {one.outcome for one in section}
    assert IconOutcome.UNKNOWN not in {one.outcome for one in found}


def test_a_slow_troubleshooter_costs_its_own_deadline(home):
    home.set_fault("page_troubleshooter", "slow:30")
    assert refused(home, troubleshooter).code is Code.TIMEOUT
    assert home.pages.sign_outs["administrator"] == 1


@pytest.mark.parametrize("certificates", [False, True])
def test_a_manual_sync_is_started_once(home, certificates):
    home.pages.syncs.clear()

    async def sync(pages):
        await synchronise_now(pages, OLD, certificates=certificates)

    if home.pages.skin == SCRIPTED:
        assert refused(home, sync).code is PageCode.SCRIPT
        return
    visit(home, sync)
    assert home.pages.syncs == [(OLD, certificates)]
    home.set_fault("page_sign_in", "read-only")
    assert refused(home, sync).code in (PageCode.READ_ONLY, PageCode.LABEL)
    assert len(home.pages.syncs) == 1


def test_active_notifications_are_read(home):
    home.pages.changed_at = time.time() + 3600
    expected = active_notices(home)
    found = visit(home, lambda pages: notices(pages.visit))
    assert [(one.severity, one.message) for one in found] == expected
    home.pages.changed_at = 0.0
