"""The way through the menu by its words; an address is never guessed."""

import re
from collections.abc import Iterator

from pages.controls import Button, button_of, handler_of, link_of
from pages.document import Element, Page, Part, own_text, short_of
from pages.errors import PageCode, PagesError
from pages.recognise import is_other_language
from pages.words import plain, spelling, words

_PAIR = re.compile(
    r"""(['"])([^'"\\\n]{3,60})\1(?=\s*[,:]\s*(?:[\w$'"]+\s*:\s*)?(['"])([^'"\\\s]{3,300})\3)"""
)
_ADDRESS = re.compile(r"[/.][\w~-]+(?:\?|$)|\.(?:do|jsp|html?)\b", re.I)


def menu_entry(page: Page, top: str, name: str) -> Button | None:
    """Give what opens an entry of a menu; None where there is no such entry.

    Raises:
        PagesError: AMBIGUOUS where entries of one name lead to different pages,
            SCRIPT where only a script can open it.
    """
    spellings = set(words("menu", name))
    found = _entries(page, spellings)
    targets = {_target(one): one for one in found if not one.scripted}
    if len(targets) > 1:
        under = {
            target: one
            for target, one in targets.items()
            if _entries_under(page, one.element, top)
        }
        targets = under or targets
    targets = targets or {_target(one): one for one in _in_scripts(page, spellings)}
    if len(targets) > 1:
        detail = spelling("menu", name)
        raise PagesError(PageCode.AMBIGUOUS, node=page.node, detail=detail)
    if targets:
        return next(iter(targets.values()))
    if len(found) == 1 and found[0].usable:
        return found[0]
    if found:
        detail = spelling("menu", name)
        raise PagesError(PageCode.SCRIPT, node=page.node, detail=detail)
    return None


def top_link(page: Page, name: str) -> Button | None:
    """Give what opens the page of a heading of the menu, if there is one."""
    found = _entries(page, set(words("menu", name)))
    return next((one for one in found if not (one.scripted or one.disabled)), None)


def recovery_link(page: Page) -> Button | None:
    """Give the link around single sign-on; None without one, or where they differ."""
    links = _entries(page, set(words("menu", "recovery")))
    found = {_target(one): one for one in links if one.form is None and one.usable}
    return next(iter(found.values())) if len(found) == 1 else None


def missing_entry(page: Page, top: str, name: str) -> PagesError:
    path = f"{spelling('menu', top)} > {spelling('menu', name)}"
    code = PageCode.LANGUAGE if is_other_language(page) else PageCode.MENU
    return PagesError(code, node=page.node, detail=path)


def _target(button: Button) -> str:
    if button.form is None:
        return button.part.url(button.link)
    return f"{button.action} {button.sets} {button.element.get('name')}"


def _entries(page: Page, spellings: set[str]) -> list[Button]:
    return [
        button
        for part, element in page.elements("a", "area", "button", "option", "input")
        if plain(_word(element)) in spellings and (button := _opener(part, element))
    ] or [
        button
        for part, element in page.elements("td", "li", "div", "span")
        if element.get("onclick") and plain(_word(element)) in spellings
        if (button := handler_of(part, element))
    ]


def _opener(part: Part, element: Element) -> Button | None:
    if element.tag in ("a", "area") and (link := link_of(element, part)):
        return Button(part, element, None, link)
    if element.tag == "option":
        link = str(element.get("value") or "").strip()
        return Button(part, element, None, link) if _ADDRESS.search(link) else None
    return button_of(part, element)


def _in_scripts(page: Page, spellings: set[str]) -> Iterator[Button]:
    """Give entries of a menu that only a script builds: a word beside an address."""
    for part in page.parts:
        for found in _PAIR.finditer(part.scripts):
            if plain(found[2]) in spellings and _ADDRESS.search(found[4]):
                yield Button(part, part.root, None, found[4])


def _word(element: Element) -> str:
    if element.tag == "input":
        return str(element.get("value") or element.get("alt") or "")
    text = short_of(element, 80) or own_text(element)
    return text or str(element.get("alt") or element.get("title") or "")


def _entries_under(page: Page, element: Element, top: str) -> bool:
    """Whether an entry stands under a heading: in its list, or after it."""
    headings = set(words("menu", top))
    for box in element.iterancestors("li", "div", "td", "ul", "select", "optgroup"):
        named = (str(box.get(name) or "") for name in ("id", "name", "label", "title"))
        if headings & {plain(text) for text in named}:
            return True
        first = next(
            (one for one in box.iter("a", "span", "b", "button") if one is not box),
            None,
        )
        if first is not None and plain(_word(first)) in headings:
            return True
    every = set(words("menu", "top"))
    last = ""
    for _, one in page.elements("a", "span", "b", "li", "td", "button"):
        if one is element:
            break
        word = plain(_word(one))
        if word in every:
            last = word
    return last in headings
