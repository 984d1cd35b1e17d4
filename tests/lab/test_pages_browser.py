"""The pages in a real browser: what their scripts do, which plain HTTP cannot see."""

import pytest
from playwright.sync_api import sync_playwright

from tests.waiting import eventually

KEY = "new.lab.example"
# Where Delete is asked about by a native dialog.
NATIVE = ("classic", "labels")
pytestmark = [pytest.mark.servers, pytest.mark.browser]


@pytest.fixture(scope="module")
def running(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Person:
    """Somebody who clicks what the page of a markup shows."""

    def __init__(self, running, home):
        self.node, self.skin = home.publisher, home.publisher.site.skin
        context = running.new_context(ignore_https_errors=True)
        context.set_default_timeout(60_000)
        self.page = context.new_page()
        self.messages = []
        self.page.on("dialog", self._accept)
        self.page.goto(self.at("/cupadmin/"))
        self.page.fill("[name=j_username]", "administrator")
        self.page.fill("[name=j_password]", home.pages.password)
        self.page.locator("[type=submit]").first.click()
        self.page.wait_for_url("**/cupadmin/")

    def at(self, path):
        return f"https://{self.node.address}:{self.node.pages_port}{path}"

    def _accept(self, dialog):
        self.messages.append(dialog.message)
        dialog.accept()

    @property
    def content(self):
        return self.page.frame("content") or self.page

    def open(self, kind, **query):
        self.content.goto(self.at(self.skin.path(kind, **query)))

    def press(self, word):
        button = (
            f"input[value='{word}'], input[alt='{word}'], button:has-text('{word}')"
        )
        self.content.locator(button).last.click()

    def confirm(self, action):
        layers = {"classic": "#layer [value='OK']", "modern": f"#ask-{action} button"}
        place = layers.get(self.skin.name, "input[alt='OK']")
        with self.page.expect_event("framenavigated"):
            self.content.locator(place).first.click()

    def force_sync(self, word):
        box = f"[name='{self.skin.control('tomcat')}']"
        if self.skin.name == "labels":
            with self.page.expect_popup() as opened:
                self.press(word)
            opened.value.check(box)
            opened.value.click("button:has-text('OK')")
            opened.value.wait_for_selector("text=Sync started")
            opened.value.close()
            return
        self.press(word)
        self.content.check(box)
        self.confirm("sync")

    def fill(self, **fields):
        for name, value in fields.items():
            self.content.fill(f"[name='{self.skin.control(name)}']", value)


@pytest.fixture
def labelled(paged):
    return next(c for c in paged.clusters if c.pages.skin == "labels")


@pytest.fixture
def person(running, home):
    person = Person(running, home)
    yield person
    person.page.context.close()


def test_the_menu_leads_to_the_list(person):
    menu = person.page.frame("menu") or person.page
    if person.skin.name in NATIVE:
        menu.hover("#menubar >> text=Presence")
    elif person.skin.name == "modern":
        menu.click("button:has-text('Presence')")
    menu.click("a:text-is('Inter-Clustering')")
    person.content.wait_for_selector("text=Find and List Inter-Cluster Peers")


def test_a_person_saves_a_peer(person, home):
    home.set_fault("page_peer", "alert-twice")
    person.open("peer")
    person.fill(address=KEY, username="u", password="p", confirm="p")
    person.press("Save")
    person.content.wait_for_selector("text=Intercluster Peer Status")
    assert person.messages == ["Press OK to save.", "This takes a moment."]
    assert home.pages.saves == {KEY: 1}


def test_a_second_window_makes_the_token_of_the_first_stale(running, labelled):
    labelled.add_peer(KEY, "u", "p")
    person = Person(running, labelled)
    person.open("peer", key=labelled.peers()[0].pkid)
    person.force_sync("Force Manual Sync")
    person.press("Save")
    person.content.wait_for_selector("text=Security Error")
    assert not labelled.pages.saves[KEY]
    person.page.context.close()
    labelled.remove_peer(KEY)


def test_a_person_forces_a_manual_sync_and_deletes(person, home):
    home.set_fault("page_peer", "alert")
    home.add_peer(KEY, "u", "p")
    person.open("peer", key=home.peers()[0].pkid)
    word = person.skin.force_label or "Force Manual Sync"
    person.force_sync(word)
    assert eventually(lambda: home.pages.syncs == [(KEY, True)])
    person.open("peer", key=home.peers()[0].pkid)
    person.press("Delete")
    if person.skin.name not in NATIVE:
        person.confirm("delete")
    person.content.wait_for_selector("text=Find and List Inter-Cluster Peers")
    assert home.pages.deletes[KEY]
    assert len(person.messages) == (person.skin.name in NATIVE)
