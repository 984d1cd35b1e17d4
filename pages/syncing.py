"""Force Manual Sync of an entry, with its question and the check box in it.

The question may be a box on the page itself, a page of its own or a second window.
"""

from collections.abc import Iterator

from pages.controls import Button, by_word, confirm_button, need_button
from pages.document import Element, Page, Part, ancestor_of, short_of, text_of
from pages.errors import PageCode, PagesError
from pages.labels import accessible_names, label_of
from pages.messages import reported_error
from pages.peer_lists import is_answer
from pages.peers import PeerPages
from pages.words import contains_message


async def synchronise_now(
    pages: PeerPages, address: str, *, certificates: bool
) -> None:
    """Have the cluster synchronise with a peer now.

    Args:
        certificates: also tick the box that resyncs the peer's Tomcat certificates.

    Raises:
        PagesError: LABEL where the page has no such entry, button or box.
        WireError: with `outcome_unknown` once the form was sent.
    """
    page = await pages.open_entry(address)
    button = need_button(page, "sync")
    boxes = _tick(page, ticked=certificates)
    answer = await pages.visit.press(button, write=True, asks=True)
    # Without a box on the page the button only opens the question.
    if box := confirm_button(answer):
        answer = await pages.visit.press(box, write=True, asks=True)
    elif not boxes and (confirm := _confirmation(answer)):
        if certificates and not _tick(answer, ticked=True):
            raise _no_box(answer)
        answer = await pages.visit.press(confirm, write=True, asks=True)
    elif certificates and not boxes:
        raise _no_box(answer)
    if problem := reported_error(answer, is_answer, before=page):
        problem.outcome_unknown = True
        raise problem


def _no_box(page: Page) -> PagesError:
    detail = "Also resync peer's Tomcat certificates"
    return PagesError(PageCode.LABEL, node=page.node, detail=detail)


def _confirmation(page: Page) -> Button | None:
    """Give what confirms a page that asks; a peer page is an answer already."""
    found = [
        one for one in by_word(page, "confirm") if one.usable and one.form is not None
    ]
    return found[0] if len(found) == 1 else None


def _tick(page: Page, *, ticked: bool) -> list[Element]:
    found = list(_boxes(page))
    for box in found:
        box.attrib.pop("checked", "")
        if ticked:
            box.set("checked", "checked")
    return found


def _boxes(page: Page) -> Iterator[Element]:
    """Give the check boxes beside a text that names Tomcat certificates."""
    for part, box in page.elements("input"):
        kind = str(box.get("type") or "").lower()
        if kind == "checkbox" and any(
            contains_message(text, "tomcat") for text in _texts(part, box)
        ):
            yield box


def _texts(part: Part, box: Element) -> Iterator[str]:
    yield from accessible_names(part, box)
    yield label_of(part, box)
    yield str(box.tail or "")
    cell = ancestor_of(box, "td", "th", "dt")
    for element in (box, cell):
        after = element.getnext() if element is not None else None
        yield short_of(after) if after is not None else ""
    parent = box.getparent()
    if parent is not None and parent.tag in ("td", "p", "span", "li", "dd"):
        yield text_of(parent)
