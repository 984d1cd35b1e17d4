"""Pages that need a script, in the system's Chromium, against the lab's markups."""

import socket
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from pages import PageCode, synchronise_now
from pages.controls import by_word
from pages.document import Page, parse_page
from tests.pages.site import Site
from tests.pages.skins import Cells
from tests.pages.test_lab import (
    NEW,
    OLD,
    SCRIPTED,
    add,
    delete,
    edit,
    home,  # noqa: F401
    paged,  # noqa: F401
    refused,
    visit,
)
from wire import Code, Deadline, Trust, WireError

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.usefixtures("chromium"),
]
scripted = pytest.mark.parametrize("home", [SCRIPTED], indirect=True)
SLOW = 60


@scripted
def test_an_entry_is_added_changed_and_deleted_once(home):  # noqa: F811
    visit(home, add, SLOW)
    visit(home, edit, SLOW)
    visit(home, delete, SLOW)
    stored = {one.address: (one.username, one.password) for one in home.peers()}
    assert stored == {NEW: ("icuser", "s3cret / pass")}
    assert home.pages.saves == {NEW: 1, OLD: 1}
    assert home.pages.deletes == {OLD: 1}
    counts = home.pages
    assert (counts.sign_ins, counts.overlaps) == (counts.sign_outs, 0)


@scripted
def test_a_manual_sync_is_started_with_its_box(home):  # noqa: F811
    home.pages.syncs.clear()
    visit(home, lambda pages: synchronise_now(pages, OLD, certificates=True), SLOW)
    assert home.pages.syncs == [(OLD, True)]


@scripted
@pytest.mark.parametrize(
    ("fault", "code", "saves"),
    [
        ("page_peer=error", PageCode.REFUSED, 0),
        ("page_peer=extra-field", PageCode.REQUIRED, 0),
        ("page_peer=confirm", PageCode.QUESTION, 0),
        ("page_session=ended-before-save*1", PageCode.SESSION_ENDED, 0),
        ("page_session=ended-after-save*1", PageCode.SESSION_ENDED, 1),
    ],
)
def test_bad_cases_of_a_save_have_their_codes(home, fault, code, saves):  # noqa: F811
    home.set_fault(*fault.split("="))
    error = refused(home, add, SLOW)
    assert (error.code, home.pages.saves[NEW]) == (code, saves)
    assert error.outcome_unknown or not saves


@scripted
def test_alerts_are_accepted(home):  # noqa: F811
    home.set_fault("page_peer", "alert-twice")
    visit(home, add, SLOW)
    assert home.pages.saves == {NEW: 1}


@scripted
def test_an_answer_that_never_comes_ends_with_the_deadline(home):  # noqa: F811
    home.set_fault("page_peer", "lost*1")
    with pytest.raises(WireError) as caught:
        visit(home, add, 15)
    assert caught.value.code is Code.TIMEOUT
    assert caught.value.outcome_unknown or not home.pages.saves[NEW]


GOES_OUT = """<script>function go() {
  fetch('https://127.0.0.1:%(port)d/a').catch(() => 0);
  new Image().src = 'http://127.0.0.1:%(port)d/b';
  navigator.sendBeacon('http://localhost:%(port)d/c');
  try { new WebSocket('wss://127.0.0.1:%(port)d/d'); } catch (e) {}
  var frame = document.createElement('iframe');
  frame.src = 'http://127.0.0.1:%(port)d/e'; document.body.append(frame);
}</script><form><button type="button" onclick="go()">Save</button></form>"""


async def press_save(pages, markup):
    source = f"<html><body>{markup}</body></html>".encode()
    part = parse_page(source, "text/html; charset=utf-8", "/cupadmin/x", "node.test")
    part.runs_scripts = True
    page = Page("node.test", 200, [part])
    (button,) = by_word(page, "save")
    window = pages.visit._chromium
    await window.press(page, button, write=False, asks=False, clock=Deadline(SLOW))


def test_scripts_reach_nothing_but_the_node():
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as elsewhere,
        Site(Cells()) as site,
    ):
        markup = GOES_OUT % {"port": elsewhere.getsockname()[1]}
        # What leads to another host ends the step; either way nothing arrives there.
        with suppress(WireError):
            site.visit(lambda pages: press_save(pages, markup), SLOW)
        elsewhere.settimeout(0.5)
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_the_pinned_certificate_holds_for_scripts_too():
    async def changed(pages):
        browser = pages.visit.browser
        seen.append(len(site.log))
        browser.node = replace(browser.node, trust=Trust(fingerprint="0" * 64))
        browser.close()
        await press_save(pages, GOES_OUT % {"port": 1})

    seen = []
    with Site(Cells()) as site:
        with pytest.raises(WireError) as caught:
            site.visit(changed, SLOW)
        assert caught.value.code is Code.CERTIFICATE_CHANGED
        assert [len(site.log)] == seen
