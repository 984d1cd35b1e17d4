"""What the answer to a change reports: its status box, marked texts, dialogs.

A page marks its messages in many ways, or in none. What the answer shows in red, or
shows where the page before did not, is read too; panels and lists are not messages.
"""

import re
from collections.abc import Iterable, Iterator

from pages import icons, status
from pages.document import Element, Page, short_of
from pages.errors import PageCode, PagesError
from pages.peer_lists import peer_tables
from pages.recognise import Known, unexpected_page
from pages.words import contains_message, plain
from wire.errors import clean_text

_MARKED = re.compile(
    r"error|status|message|alert|warn|fail|invalid|notice|feedback", re.I
)
_RED = re.compile(
    r"(?<![-\w])color\s*:\s*(red|#[a-f][0-9a-f]?[0-4]|#[a-f][0-9a-f][0-4])", re.I
)
_TAGS = ("div", "span", "p", "td", "li", "font", "b", "strong", "em", "h3", "h4", "pre")
_CODES = (
    ("security", PageCode.TOKEN),
    ("denied", PageCode.DENIED),
    ("read_only", PageCode.READ_ONLY),
    ("duplicate", PageCode.DUPLICATE),
    ("required", PageCode.REQUIRED),
    ("error", PageCode.REFUSED),
)


def messages(page: Page) -> list[str]:
    """Give what the page marks as a message."""
    excluded = _excluded_parts(page)
    found = list(page.alerts)
    for _, element in page.elements("fieldset"):
        heading = next((short_of(one) for one in element.iter("legend")), "")
        if plain(heading).endswith("status") and len(plain(heading)) < 20:
            found.append(short_of(element, 600).removeprefix(heading))
    for _, element in page.elements(*_TAGS):
        if _is_message(element) and not _is_within(element, excluded):
            found.append(short_of(element, 600))
    return _cleaned(found)


def reported_error(
    page: Page, known: Known, before: Page | None = None
) -> PagesError | None:
    """Give the error that the answer to a change reports, if it reports one.

    Args:
        before: the page whose button was pressed; what it showed already is no answer.
    """
    if page.status >= 400 or not known(page):
        problem = unexpected_page(page, "the answer to the change")
        if page.status >= 400 or problem.code is not PageCode.UNRECOGNISED:
            return problem
    reported = messages(page)
    for text in reported:
        if code := _code_of(text):
            return PagesError(code, node=page.node, detail=text)
    if before is None or any(contains_message(text, "success") for text in reported):
        return None
    for text in _news(page, before):
        if code := _code_of(text):
            return PagesError(code, node=page.node, detail=text)
    return None


def _news(page: Page, before: Page) -> list[str]:
    """Give the texts of an answer that the page before did not show."""
    known = set(_texts(before))
    return _cleaned(text for text in _texts(page) if text not in known)


def _texts(page: Page) -> Iterator[str]:
    excluded = _excluded_parts(page)
    for _, element in page.elements(*_TAGS):
        if not len(element) and not _is_within(element, excluded):
            yield short_of(element, 600)
        elif element.tag in ("p", "td", "div") and not _is_within(element, excluded):
            yield (element.text or "").strip()[:600]


def _excluded_parts(page: Page) -> list[Element]:
    """Give the parts that speak of entries and icons, not of the change."""
    found = [box for _, box in icons.boxes(page)]
    if panel := status.status_box(page):
        found.append(panel[1])
    return [*found, *(one.element for one in peer_tables(page))]


def _is_within(element: Element, boxes: list[Element]) -> bool:
    return any(element is box or box in element.iterancestors() for box in boxes)


def _cleaned(texts: Iterable[str]) -> list[str]:
    return [clean_text(text, 300) for text in dict.fromkeys(texts) if text.strip()]


def _is_message(element: Element) -> bool:
    if element.get("role") in ("alert", "status"):
        return True
    if str(element.get("color") or "").lower() in ("red", "#ff0000", "#cc0000"):
        return True
    marks = f"{element.get('class') or ''} {element.get('id') or ''}"
    return bool(_MARKED.search(marks) or _RED.search(str(element.get("style") or "")))


def _code_of(text: str) -> PageCode | None:
    return next((code for name, code in _CODES if contains_message(text, name)), None)
