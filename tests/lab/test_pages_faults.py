import http.client

import pytest

from .pages_client import Browser

KEY = "a.lab.example"


def fault(browser, area, value):
    browser.node.set_fault(area, value)
    return browser


@pytest.fixture
def entry(home):
    home.add_peer(KEY, "someone", "secret")
    return home.peers()[0]


@pytest.mark.parametrize(
    ("value", "sentence"), [("refused", "Security Error"), ("denied", "denied")]
)
def test_a_form_can_be_refused_once(home, browser, value, sentence):
    fault(browser, "page_token", f"{value}*1").save_new(KEY)
    assert sentence in browser.text
    assert not home.peers()
    browser.save_new(KEY)
    assert home.pages.saves == {KEY: 1}


def test_a_session_can_end_after_some_pages(browser):
    fault(browser, "page_session", "ended:3*1")
    seen = [browser.open("list").shows_sign_in for _ in range(4)]
    assert seen[0] is False
    assert True in seen


def test_a_session_can_end_before_a_save(home, browser):
    fault(browser, "page_session", "ended-before-save*1").save_new(KEY)
    assert browser.shows_sign_in
    assert not home.peers()


def test_a_session_can_end_after_a_save(home, browser):
    fault(browser, "page_session", "ended-after-save*1").save_new(KEY)
    assert browser.shows_sign_in
    assert home.pages.saves == {KEY: 1}


def test_the_session_limit_can_be_reached(home):
    home.set_fault("page_sign_in", "session-limit")
    assert "Session limit" in Browser(home.publisher).sign_in().text
    home.clear_faults()
    assert not Browser(home.publisher).sign_in().shows_sign_in


def test_a_banner_can_stand_before_sign_in(home):
    home.set_fault("page_sign_in", "banner")
    browser = Browser(home.publisher).open("list")
    assert not browser.shows_sign_in
    browser.submit("accept")
    assert browser.shows_sign_in
    assert not browser.sign_in().shows_sign_in


def test_a_banner_can_stand_after_sign_in(home):
    home.set_fault("page_sign_in", "banner-after")
    browser = Browser(home.publisher).sign_in()
    assert "Authorized use" in browser.text
    browser.submit("accept")
    assert "Authorized use" not in browser.open("list").text


def test_single_sign_on_leads_to_another_host(home):
    home.set_fault("page_sign_in", "sso")
    browser = Browser(home.publisher).go("/cupadmin/")
    assert browser.status == 302
    assert "idp.elsewhere.example" in browser.headers["Location"]


def test_the_recovery_link_leads_around_single_sign_on(home):
    home.set_fault("page_sign_in", "sso-recovery")
    browser = Browser(home.publisher)
    assert "/ssosp/local/login" in browser.go("/").text
    assert browser.go("/ssosp/local/login").shows_sign_in
    assert browser.sign_in().open("list").status == 200


@pytest.mark.parametrize("value", ["refused", "locked"])
def test_the_right_password_can_be_refused(home, value):
    home.set_fault("page_sign_in", value)
    assert Browser(home.publisher).sign_in().shows_sign_in


def test_the_account_can_lack_every_right(home):
    home.set_fault("page_sign_in", "no-right")
    assert Browser(home.publisher).sign_in().status == 403


def test_the_account_can_be_read_only(home, entry):
    home.set_fault("page_sign_in", "read-only")
    browser = Browser(home.publisher).sign_in()
    browser.open("peer", key=entry.pkid)
    assert browser.submit("save", username="another").status == 403
    assert home.peers() == [entry]


def test_a_read_only_page_has_no_save(home, entry):
    password = home.pages.accounts["pagereader"][0]
    browser = Browser(home.publisher).sign_in("pagereader", password)
    assert "Save" not in browser.open("peer", key=entry.pkid).text


def test_a_host_that_is_not_trusted_is_refused(home):
    browser = Browser(home.publisher)
    assert (
        browser.ask("GET", "/cupadmin/", headers={"Host": "nat.example"}).status == 403
    )
    home.set_fault("page_sign_in", "host-check")
    assert browser.go("/cupadmin/").status == 403


@pytest.mark.parametrize("value", ["missing", "renamed"])
def test_the_menu_can_lack_the_words(browser, value):
    kind = "menu" if browser.skin.name == "frames" else "dashboard"
    assert ">Inter-Clustering</a>" in browser.open(kind).text
    fault(browser, "page_menu", value)
    assert ">Inter-Clustering</a>" not in browser.open(kind).text


def test_the_menu_can_lack_the_troubleshooter(browser):
    kind = "menu" if browser.skin.name == "frames" else "dashboard"
    fault(browser, "page_menu", "no-troubleshooter")
    assert "System Troubleshooter" not in browser.open(kind).text


def test_the_node_can_say_that_it_is_no_publisher(browser):
    fault(browser, "page_node", "other").open("list")
    assert browser.skin.control("string") not in dict(browser.form.form_values())


def test_the_node_can_lead_to_another_one(home, browser):
    fault(browser, "page_node", "redirect").open("list")
    assert home.subscribers[0].name in browser.headers["Location"]


def test_the_pages_can_be_in_another_language(browser):
    fault(browser, "page_language", "de").open("peer")
    assert "Partneradresse" in browser.text
    assert "Peer Address" not in browser.text


@pytest.mark.parametrize(
    ("value", "word", "is_there"),
    [
        ("label", "Peer Address", False),
        ("save-renamed", "Save", False),
        ("no-save", "Save", False),
        ("extra-field", "Peer Site Code", True),
        ("alert", "Press OK to save", True),
        ("alert-twice", "This takes a moment", True),
        ("alert-change", "must be the same", True),
        ("confirm", "Is the other cluster ready", True),
    ],
)
def test_the_peer_page_can_be_another(browser, value, word, is_there):
    assert (word in browser.open("peer").text) is not is_there
    fault(browser, "page_peer", value).open("peer")
    assert (word in browser.text.split("<body", 1)[1]) is is_there


def test_a_further_field_can_be_required(home, browser):
    fault(browser, "page_peer", "extra-field").save_new(KEY)
    assert "Peer Site Code is required" in browser.text
    browser.save_new(KEY, extra="7")
    assert home.pages.saves == {KEY: 1}


def test_a_save_can_be_ignored_silently(home, browser):
    fault(browser, "page_peer", "ignored*1").save_new(KEY)
    assert "Add successful" in browser.text
    assert not home.peers()
    assert not home.pages.saves


def test_an_edit_can_be_ignored_silently(home, browser, entry):
    fault(browser, "page_peer", "ignored").open("peer", key=entry.pkid)
    assert "Update successful" in browser.submit("save", username="another").text
    assert home.peers() == [entry]


def test_a_save_can_end_in_an_error_text(home, browser):
    fault(browser, "page_peer", "error:Error in line 1").save_new(KEY)
    assert "Error in line 1" in browser.text
    assert not home.peers()


def test_a_save_can_say_nothing(home, browser):
    fault(browser, "page_peer", "unclear").save_new(KEY)
    assert "successful" not in browser.text
    assert home.pages.saves == {KEY: 1}


def test_the_answer_of_a_save_can_be_lost(home, browser):
    browser.open("peer")
    values = dict(browser.form.form_values()) | {browser.skin.control("action"): "save"}
    names = {"address": KEY, "username": "u", "password": "p", "confirm": "p"}
    values |= {browser.skin.control(name): value for name, value in names.items()}
    fault(browser, "page_peer", "lost*1")
    with pytest.raises(TimeoutError):
        browser.post(browser.skin.path("peer"), values, timeout=0.4)
    assert home.pages.saves == {KEY: 1}


def test_a_list_can_have_small_pages(home, browser):
    for number in range(7):
        home.add_peer(f"p{number}.lab.example", "someone", "secret")
    fault(browser, "page_list", "size:3").find()
    counts = [
        len(browser.open("list", pageNumber=str(n)).addresses()) for n in (1, 2, 3)
    ]
    assert counts == [3, 3, 1]


def test_an_earlier_search_can_hide_the_peers(browser, entry):
    fault(browser, "page_list", "query*1")
    assert browser.open("list").addresses() == []
    browser.submit("find", criterion="address", operator="begins", string="")
    assert browser.addresses() == [KEY]


def test_the_list_can_lack_a_column(browser, entry):
    fault(browser, "page_list", "no-users").find()
    assert "Associated Users" not in browser.text


def test_the_status_can_be_missing_or_late(home, browser, entry):
    fault(browser, "page_status", "none").open("peer", key=entry.pkid)
    assert "Intercluster Peer Status" not in browser.text
    fault(browser, "page_status", "late*1").open("peer", key=entry.pkid)
    assert "Peer Connectivity" not in browser.text


def test_icons_can_be_in_no_key(browser, entry):
    fault(browser, "page_troubleshooter", "unknown-icon").open("troubleshooter")
    rows = browser.tree.xpath("//tr[contains(., 'Verify')]//img/@src")
    assert all(source.endswith("unknown.png") for source in rows[-5:])


@pytest.mark.parametrize(
    ("value", "word"),
    [("no-section", "Inter-Clustering Trou"), ("no-key", "Test Passed")],
)
def test_the_troubleshooter_can_lack_a_part(browser, value, word):
    assert word in browser.open("troubleshooter").text
    fault(browser, "page_troubleshooter", value).open("troubleshooter")
    assert word not in browser.text


def test_the_troubleshooter_can_be_slow(browser):
    fault(browser, "page_troubleshooter", "slow:30")
    with pytest.raises(TimeoutError):
        browser.ask("GET", browser.skin.path("troubleshooter"), timeout=0.4)


@pytest.mark.parametrize("value", ["cut-body", "hang-up"])
def test_a_page_can_be_cut(browser, value):
    fault(browser, "pages", f"{value}*1")
    with pytest.raises((http.client.HTTPException, OSError)):
        browser.open("list")
    assert browser.open("list").status == 200


def test_a_page_can_be_slow(browser):
    fault(browser, "pages", "slow:30*1")
    with pytest.raises(TimeoutError):
        browser.ask("GET", browser.skin.path("list"), timeout=0.4)
    assert browser.open("list").status == 200


def test_two_requests_at_once_are_counted(home, browser):
    before = home.pages.overlaps
    fault(browser, "page_troubleshooter", "slow:2")
    with pytest.raises(TimeoutError):
        browser.ask("GET", browser.skin.path("troubleshooter"), timeout=0.4)
    session = next(iter(browser.node.site.sessions.open.values()))
    session.under_way += 1
    browser.open("list")
    session.under_way -= 1
    assert home.pages.overlaps == before + 1
