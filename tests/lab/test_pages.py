import socket

import pytest

from tests.waiting import eventually

from .pages_client import Browser


def joined(home, other):
    home.peer_with(other)
    assert eventually(lambda: home.associated_users == other.local_users)


def test_the_port_is_described_and_open(home):
    node = home.describe()["nodes"][1]
    with socket.create_connection((node["address"], node["pages_port"]), 5):
        assert home.describe()["pages"] == home.pages.skin


def test_the_other_https_port_has_the_pages_too(home):
    assert Browser(home.publisher, 8443).sign_in().open("list").status == 200


def test_a_cluster_without_pages_has_none(lab):
    described = lab.clusters[0].describe()
    assert described["pages"] is None
    assert described["nodes"][0]["pages_port"] is None


def test_sign_in_leads_to_the_page_that_was_asked_for(home):
    browser = Browser(home.publisher).open("list")
    assert browser.shows_sign_in
    browser.sign_in()
    assert browser.path == browser.skin.path("list")


def test_sign_in_without_a_session_is_refused(home):
    browser = Browser(home.publisher)
    assert browser.post("/cupadmin/j_security_check", {"j_username": "a"}).status == 400


def test_a_wrong_password_shows_the_form_again(home):
    browser = Browser(home.publisher).sign_in(password="wrong")
    assert browser.status == 200
    assert browser.shows_sign_in


def test_five_wrong_passwords_lock_the_account(home):
    for _ in range(5):
        Browser(home.publisher).sign_in(password="wrong")
    assert home.pages.is_locked("administrator")
    assert Browser(home.publisher).sign_in().shows_sign_in


def test_ten_sessions_are_the_limit(home):
    for _ in range(10):
        assert not Browser(home.publisher).sign_in().shows_sign_in
    refused = Browser(home.publisher).sign_in()
    assert "Session limit" in refused.text


def test_sign_out_ends_the_session(browser):
    assert browser.open("sign_out").shows_sign_in
    assert browser.open("list").shows_sign_in
    assert browser.node.cluster.pages.sign_outs["administrator"]


def test_application_users_without_the_right_are_denied(home):
    browser = Browser(home.publisher).sign_in("axladmin", home.axl_password)
    assert browser.status == 403


def test_the_menu_leads_to_every_page(browser):
    links = browser.go("/cupadmin/").text
    if browser.skin.name == "frames":
        links = browser.open("menu").text
    for kind in ("list", "troubleshooter", "notifications"):
        assert browser.skin.path(kind) in links


def test_a_peer_saved_on_the_page_is_carried_by_the_agent(home, other, browser):
    other.enter_peer(home)
    browser.save_new(
        other.publisher.name,
        username=other.intercluster_username,
        password=other.intercluster_password,
        confirm=other.intercluster_password,
    )
    assert eventually(lambda: home.associated_users == other.local_users)
    assert home.pages.saves == {other.publisher.name: 1}


def test_an_entry_keeps_its_key_and_password_when_it_is_edited(home, browser):
    home.add_peer("a.lab.example", "someone", "secret", "TCP", "")
    before = home.peers()[0]
    browser.open("peer", key=before.pkid)
    protocol = "3"
    browser.submit("save", protocol=protocol, username="another")
    after = home.peers()[0]
    assert (after.pkid, after.password) == (before.pkid, "secret")
    assert (after.username, after.protocol) == ("another", "TLS")


def test_the_address_of_an_entry_can_be_edited(home, browser):
    home.add_peer("a.lab.example", "someone", "secret")
    browser.open("peer", key=home.peers()[0].pkid)
    browser.submit("save", address="b.other.example")
    assert [p.address for p in home.peers()] == ["b.other.example"]


@pytest.mark.parametrize(
    "wrong",
    [{"confirm": "y"}, {"username": ""}, {"address": "A.LAB.example"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_entry_is_refused_and_kept_in_the_form(home, browser, wrong):
    home.add_peer("a.lab.example", "someone", "secret")
    browser.save_new(**({"address": "b.lab.example"} | wrong))
    assert len(home.peers()) == 1
    typed = dict(browser.form.form_values())[browser.skin.control("address")]
    assert typed.lower().endswith("lab.example")


def test_entries_are_deleted_from_their_page(home, browser):
    home.add_peer("a.lab.example", "someone", "secret")
    browser.open("peer", key=home.peers()[0].pkid).submit("delete")
    if "delete" in browser.skin.confirmed_on_pages:
        assert home.peers()
        browser.submit("accept")
    assert not home.peers()
    assert home.pages.deletes["a.lab.example"]


def test_a_delete_that_is_cancelled_deletes_nothing(paged):
    home = next(c for c in paged.clusters if c.pages.skin == "frames")
    home.add_peer("a.lab.example", "someone", "secret")
    browser = Browser(home.publisher).sign_in()
    browser.open("peer", key=home.peers()[0].pkid).submit("delete")
    browser.submit("cancel")
    assert home.remove_peer("a.lab.example")


def test_chosen_entries_are_deleted_from_the_list(home, browser):
    for name in "abc":
        home.add_peer(f"{name}.lab.example", "someone", "secret")
    browser.find()
    values = dict(browser.form.form_values()) | {
        browser.skin.control("action"): "delete"
    }
    ticks = browser.tree.xpath("//input[@type='checkbox']")
    values[ticks[1].name] = ticks[1].get("value")
    browser.post(browser.skin.path("list"), values)
    if "delete" in browser.skin.confirmed_on_pages:
        browser.submit("accept")
    assert [p.address[0] for p in home.peers()] == ["a", "c"]


def test_a_list_is_searched_and_paged(home, browser):
    for number in range(51):
        home.add_peer(f"peer{number:02}.lab.example", "someone", "secret")
    assert len(browser.find().addresses()) == 50
    assert len(browser.open("list", pageNumber="2").addresses()) == 1
    browser.open("list")
    browser.submit(
        "find", criterion="address", operator="is", string="PEER07.lab.example"
    )
    assert browser.addresses() == ["peer07.lab.example"]


def test_nothing_is_listed_before_find_where_the_markup_is_so(home, browser):
    home.add_peer("a.lab.example", "someone", "secret")
    displayed = len(browser.open("list").addresses())
    assert displayed == (1 if browser.skin.shows_all_at_once else 0)


def test_the_status_of_a_peer_is_true(home, other, browser):
    joined(home, other)
    browser.find()
    browser.open("peer", key=browser.keys()[0])
    assert "failed" not in browser.outcomes()[: len(home.nodes) + 3]
    assert f">{other.local_users}<" in browser.text.replace("> ", ">")
    other.publisher.set_fault("node", "down")
    address = other.publisher.address
    assert eventually(
        lambda: "Not reach" in home.agent.status.get(address, "Not reach")
    )
    assert eventually(lambda: _shows_failure(browser, home))


def _shows_failure(browser, home):
    browser.open("peer", key=home.peers()[0].pkid)
    return "Not reachable (Check peer address" in browser.text


def test_a_renewed_certificate_wants_a_manual_sync_with_tomcat(home, other, browser):
    joined(home, other)
    other.publisher.renew_certificate()
    key = home.peers()[0].pkid
    assert "out-of-sync" in browser.open("peer", key=key).text
    for tomcat, secure in (({}, False), ({"tomcat": "1"}, True)):
        browser.open("peer", key=key)
        browser.submit(
            "sync", **({} if "sync" in browser.skin.confirmed_on_pages else tomcat)
        )
        if "sync" in browser.skin.confirmed_on_pages:
            browser.submit("accept", **tomcat)
        browser.open("peer", key=key)
        assert ("Connection is secure" in browser.text) is secure
    assert [tomcat for _, tomcat in home.pages.syncs] == [False, True]


def test_the_troubleshooter_reports_what_is_so(home, other, browser):
    assert "no inter-cluster peer entries" in browser.open("troubleshooter").text
    joined(home, other)
    row = browser.open("troubleshooter").tree.xpath(
        f"//tr[contains(., '{home.peers()[0].address}')]//img/@src"
    )
    assert [source.endswith("passed.png") for source in row] == [True]
    agent = home.release.sync_agent
    home.subscribers[0].service(agent).set("Stopped")
    assert (
        f"Not running: {home.subscribers[0].name}"
        in browser.open("troubleshooter").text
    )
    home.subscribers[0].service(agent).set("Started")


def test_the_icons_of_outcomes_are_in_the_key(browser):
    browser.open("troubleshooter")
    sources = set(browser.tree.xpath("//td/img/@src | //li/img/@src"))
    displayed = {s for s in sources if "information" in s or "passed" in s}
    assert len(displayed) == 2


def test_a_notification_stands_until_the_router_was_restarted(home, browser):
    browser.save_new("a.lab.example")
    router = next((s for s in home.publisher.services if s.endswith("XCP Router")), "")
    nodes = [n.name for n in home.nodes] if router else []
    text = browser.open("notifications").text
    assert [n.name for n in home.nodes if f"on {n.name}" in text] == nodes
    for node in home.nodes if router else ():
        node.service(router).set("Started")
    assert "XCP Router" not in browser.open("notifications").text


def test_a_form_that_is_sent_twice_is_refused(home, browser):
    browser.open("peer")
    values = dict(browser.form.form_values())
    values |= {browser.skin.control("action"): "save"}
    cookies = dict(browser.cookies)
    path = browser.skin.path("peer")
    browser.post(path, values)
    browser.cookies = cookies
    assert "Security Error" in browser.post(path, values).text
    assert home.pages.refusals["administrator"]


def test_a_subscriber_only_says_where_the_publisher_is(home):
    browser = Browser(home.subscribers[0]).sign_in().open("list")
    assert home.publisher.name in browser.text
    assert browser.tree.xpath(f"//a[contains(@href, '{home.publisher.address}')]")


def test_a_reader_may_look_and_not_save(home):
    password = home.pages.accounts["pagereader"][0]
    browser = Browser(home.publisher).sign_in("pagereader", password)
    assert browser.save_new("a.lab.example").status == 403
    assert not home.peers()


def test_what_a_person_typed_is_escaped(home, browser):
    home.add_peer("a.lab.example", "<b>'\"&", "secret")
    browser.open("peer", key=home.peers()[0].pkid)
    values = dict(browser.form.form_values())
    assert values[browser.skin.control("username")] == "<b>'\"&"


ODD = (
    "",
    "%ff=%fe&row=&key=",
    "row=none&key=none&action=save&do=save&operation=save&method=save",
    "accept=1&row=none&row=none",
    "method=delete&do=delete&operation=delete&result[0].chked=true&row=",
    "do=sync&operation=sync&method=sync",
)


@pytest.mark.parametrize("body", ODD)
def test_odd_requests_are_answered(home, browser, body):
    for path in browser.skin.paths.values():
        if path == browser.skin.paths["sign_out"]:
            continue
        browser.open("peer")
        token = f"&{browser.skin.token_name}={_token(browser)}"
        browser.ask(
            "POST", f"/cupadmin/{path}?pageNumber=99999999&key=%00", body + token
        )
        assert browser.status in (200, 302, 403, 404)
    assert not home.peers()


def _token(browser):
    return next(iter(browser.node.site.sessions.open.values())).token
