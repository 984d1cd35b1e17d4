"""Force Manual Sync of an entry, with its question and the check box in it.

The question may be a box on the page itself, a page of its own or a second window.
"""

from collections.abc import Iterator

from pages.controls import Button, by_word, confirm_button, form_of, need_button
from pages.document import (
    Element,
    Page,
    Part,
    ancestor_of,
    is_hidden,
    short_of,
    text_of,
)
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
    sent = any(_goes_along(button, *one) for one in boxes)
    answer = await pages.visit.press(button, write=True, asks=True)
    # A button that sends nothing, or not the box, only opens the question.
    started = pages.visit.sent and (sent or not boxes)
    if confirm := confirm_button(answer) or _confirmation(answer, sent and started):
        asked = _tick(answer, ticked=certificates)
        along = any(_goes_along(confirm, *one) for one in asked)
        if certificates and not along and not (sent and started):
            raise _no_box(answer)
        answer = await pages.visit.press(confirm, write=True, asks=True)
    elif not started or (certificates and not boxes):
        # Nobody asked: whether the button alone has started it is not known.
        problem = _no_box(answer)
        problem.outcome_unknown = pages.visit.sent
        raise problem
    if not pages.visit.sent:
        raise PagesError(PageCode.SCRIPT, node=answer.node, detail="Force Manual Sync")
    if refusal := reported_error(answer, is_answer, before=page):
        refusal.outcome_unknown = True
        raise refusal


def _no_box(page: Page) -> PagesError:
    detail = "Also resync peer's Tomcat certificates"
    return PagesError(PageCode.LABEL, node=page.node, detail=detail)


def _goes_along(button: Button, part: Part, box: Element) -> bool:
    """Whether a check box is sent with what the button sends."""
    alike = button.form is None or form_of(part, box) is button.form
    return alike and not is_hidden(box)


def _confirmation(page: Page, started: bool) -> Button | None:
    """Give what confirms a page that asks; a peer page is an answer already."""
    found = [
        one for one in by_word(page, "confirm") if one.usable and one.form is not None
    ]
    return found[0] if len(found) == 1 and not started else None


def _tick(page: Page, *, ticked: bool) -> list[tuple[Part, Element]]:
    found = list(_boxes(page))
    for _, box in found:
        box.attrib.pop("checked", "")
        if ticked:
            box.set("checked", "checked")
    return found


def _boxes(page: Page) -> Iterator[tuple[Part, Element]]:
    """Give the check boxes beside a text that names Tomcat certificates."""
    for part, box in page.elements("input"):
        kind = str(box.get("type") or "").lower()
        if kind == "checkbox" and any(
            contains_message(text, "tomcat") for text in _texts(part, box)
        ):
            yield part, box


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
