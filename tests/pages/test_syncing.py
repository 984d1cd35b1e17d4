"""Force Manual Sync: what is pressed, and what is never taken for a start."""

import asyncio
from types import SimpleNamespace

import pytest

from pages import PageCode, PagesError, synchronise_now
from pages.controls import data_of
from pages.document import Page, parse_page

BUTTON = "<form id=peer action=a><button name=sync>Force Manual Sync</button>%s</form>"
BOX = "<label><input type=checkbox name=tomcat> Also resync Tomcat certificates</label>"
OK = "<button name=ok>OK</button>"
LAYER = f"<div %s><form id=layer action=b>{BOX}{OK}</form></div>"
CLOSED, OPEN = LAYER % "style='display:none'", LAYER % ""


def page_of(markup):
    part = parse_page(markup.encode(), "text/html; charset=utf-8", "/peer", "node.test")
    return Page("node.test", 200, [part])


def pressed(first, *answers, certificates=True, opens=False):
    """Synchronise on pages that follow each other; give what each press sent.

    Args:
        opens: the first button sends nothing, by a script.
    """
    shown, sent = [page_of(one) for one in answers], []

    async def open_entry(address):
        return page_of(first)

    async def press(button, **_):
        fields = data_of(button.part, button.form, button.element, button.sets)
        visit.sent = bool(sent) or not opens
        sent.append({name for name, _ in fields})
        return shown.pop(0)

    visit = SimpleNamespace(press=press)
    pages = SimpleNamespace(open_entry=open_entry, visit=visit)
    asyncio.run(synchronise_now(pages, "10.0.0.1", certificates=certificates))
    return sent


@pytest.mark.parametrize("certificates", [True, False])
def test_a_layer_that_the_button_opens_is_confirmed(certificates):
    peer = BUTTON % ""
    shown = (peer + CLOSED, peer + OPEN, peer)
    sent = pressed(*shown, certificates=certificates, opens=True)
    assert sent == [{"sync"}, {"ok", "tomcat"} if certificates else {"ok"}]


@pytest.mark.parametrize("hidden", ["hidden", "class=closed"])
def test_a_layer_within_the_form_is_confirmed(hidden):
    closed, opened = (
        BUTTON % f"<div {attribute}>{BOX}{OK}</div>" for attribute in (hidden, "")
    )
    assert pressed(closed, opened, closed, opens=True)[1:] == [{"ok", "tomcat"}]


def test_a_box_beside_the_button_is_sent_with_it():
    peer = BUTTON % BOX
    assert pressed(peer, peer) == [{"sync", "tomcat"}]


@pytest.mark.parametrize("certificates", [True, False])
def test_a_layer_that_stays_closed_starts_nothing(certificates):
    peer = BUTTON % "" + CLOSED
    with pytest.raises(PagesError) as caught:
        pressed(peer, peer, certificates=certificates, opens=True)
    assert caught.value.code is PageCode.LABEL
    assert not caught.value.outcome_unknown


def test_a_dialog_without_the_box_resyncs_no_certificates():
    peer = BUTTON % ""
    dialog = f"{peer}<dialog open><form action=b>{OK}</form></dialog>"
    with pytest.raises(PagesError) as caught:
        pressed(peer, dialog, peer)
    assert caught.value.code is PageCode.LABEL
