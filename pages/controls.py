"""Buttons and links by their words, and forms as a browser would send them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pages.document import Element, Page, Part, ancestor_of, is_hidden, own_text
from pages.errors import PageCode, PagesError
from pages.scripts import effect_of
from pages.words import plain, spelling, words

TEXTUAL = ("", "text", "email", "tel", "search", "url", "number", "password")
_SUBMITS = ("submit", "image")
_CONFIRMS = re.compile(r"\bconfirm\s*\(|\bprompt\s*\(")


@dataclass(frozen=True)
class Button:
    """What a person can press.

    Args:
        form: the form that it sends; None for a link.
        link: where a link leads; empty for a button.
        asks: pressing it opens a question first.
    """

    part: Part
    element: Element
    form: Element | None = None
    link: str = ""
    asks: bool = False
    disabled: bool = False
    scripted: bool = False
    sets: tuple[tuple[str, str], ...] = ()
    action: str = ""

    @property
    def usable(self) -> bool:
        return not self.disabled and (not self.scripted or self.part.runs_scripts)


def names_of(element: Element) -> set[str]:
    """Give all words that a control may be known by."""
    names = [own_text(element)]
    names += [str(element.get(name) or "") for name in ("value", "alt", "title")]
    names.append(str(element.get("aria-label") or ""))
    return {plain(text) for text in names} - {""}


def buttons(page: Page, *spellings: str, within: Element | None = None) -> list[Button]:
    """Give what bears one of the words: usable ones first, without scripts before."""
    wanted_names = set(spellings)
    found = [
        button
        for part, element in page.elements("input", "button", "a")
        if not is_hidden(element)
        and (within is None or within in element.iterancestors())
        and names_of(element) & wanted_names
        and (button := button_of(part, element))
    ]
    return sorted(found, key=lambda one: (not one.usable, one.scripted))


def all_buttons(page: Page) -> list[Button]:
    return [
        button
        for part, element in page.elements("input", "button", "a")
        if not is_hidden(element) and (button := button_of(part, element))
    ]


def by_word(page: Page, name: str, within: Element | None = None) -> list[Button]:
    """Give the buttons of a word of pages.toml, its preferred spelling first."""
    for spelt in words("buttons", name):
        if found := buttons(page, spelt, within=within):
            return found
    return []


def submit_buttons(part: Part, form: Element) -> list[Button]:
    """Give the only button that sends a form; nothing where there are more."""
    found = [
        button
        for one in controls_of(part, form)
        if not is_hidden(one) and _sends(one) and (button := button_of(part, one))
    ]
    return found if len(found) == 1 else []


def _sends(control: Element) -> bool:
    kind = str(control.get("type") or "").lower()
    return kind in _SUBMITS or (control.tag == "button" and not kind)


def confirm_button(page: Page, name: str = "confirm") -> Button | None:
    """Give what confirms the box that a page has opened over itself."""
    for _, box in page.elements("dialog", "div", "section"):
        role = str(box.get("role") or "")
        if box.tag != "dialog" and role not in ("dialog", "alertdialog"):
            continue
        found = [one for one in by_word(page, name, within=box) if one.usable]
        if not is_hidden(box) and len(found) == 1:
            return found[0]
    return None


def need_button(page: Page, name: str, within: Element | None = None) -> Button:
    """Give the button of a word.

    Raises:
        PagesError: LABEL without one, READ_ONLY where all are disabled, SCRIPT where
            only a script can press them.
    """
    found = by_word(page, name, within)
    detail = spelling("buttons", name)
    if not found:
        raise PagesError(PageCode.LABEL, node=page.node, detail=detail)
    first = found[0]
    if first.usable:
        return first
    if any(one.scripted and not one.disabled for one in found):
        raise PagesError(PageCode.SCRIPT, node=page.node, detail=detail)
    raise PagesError(PageCode.READ_ONLY, node=page.node, detail=detail)


def button_of(part: Part, element: Element) -> Button | None:
    """Give what pressing an element does; None where it is no button or link."""
    kind = str(element.get("type") or "").lower()
    if element.tag == "button":
        kind = kind or "submit"
    if element.tag != "a" and kind not in (*_SUBMITS, "button"):
        return None
    off = _disabled(element)
    form = form_of(part, element)
    handler = str(element.get("onclick") or "").strip()
    if element.tag != "a" and kind in _SUBMITS and form is not None:
        before = f"{handler};{form.get('onsubmit') or ''}"
        done = effect_of(handler, part.scripts) if handler else None
        confirms = bool(_CONFIRMS.search(before)) or bool(done and done.asks)
        return Button(
            part, element, form, "", confirms, off, sets=done.sets if done else ()
        )
    if element.tag == "a":
        if link := plain_link_of(element):
            return Button(
                part, element, None, link, bool(_CONFIRMS.search(handler)), off
            )
        target = str(element.get("href") or "").strip()
        off = off or not (handler or target)
        handler = handler or target
    return _by_script(part, element, form, handler, off)


def _by_script(
    part: Part, element: Element, form: Element | None, handler: str, off: bool
) -> Button:
    done = effect_of(handler, part.scripts) if handler else None
    if done and done.goes:
        return Button(part, element, None, done.goes, done.asks, off)
    if done and done.form:
        named = (
            f
            for f in part.elements("form")
            if done.form in (f.get("name"), f.get("id"))
        )
        form = next(named, form)
    if form is None:
        form = next(iter(part.elements("form")), None)
    if not done or not done.submits or form is None:
        return Button(part, element, form, "", False, off, scripted=True)
    before = str(form.get("onsubmit") or "") if done.requests else ""
    asks = done.asks or bool(_CONFIRMS.search(before))
    return Button(
        part, element, form, "", asks, off, sets=done.sets, action=done.action
    )


def handler_of(part: Part, element: Element) -> Button | None:
    """Give what a click on an element does that is no button."""
    handler = str(element.get("onclick") or "").strip()
    if not handler:
        return None
    button = _by_script(part, element, form_of(part, element), handler, False)
    return None if button.scripted else button


def plain_link_of(element: Element) -> str:
    link = str(element.get("href") or "").strip()
    bad = not link or link.startswith("#") or link.lower().startswith("javascript:")
    return "" if bad else link


def link_of(element: Element, part: Part | None = None) -> str:
    """Give where a link leads without running a script; empty where none is named."""
    if link := plain_link_of(element):
        return link
    original = str(element.get("keephref") or "").strip()
    if original and not original.lower().startswith(("javascript:", "#")):
        return original
    for name in ("href", "onclick"):
        handler = str(element.get(name) or "").strip()
        done = effect_of(handler, part.scripts if part else "") if handler else None
        if done and done.goes:
            return done.goes
    return ""


def _disabled(element: Element) -> bool:
    classes = str(element.get("class") or "").lower().split()
    return (
        element.get("disabled") is not None
        or str(element.get("aria-disabled") or "").lower() == "true"
        or any("disabled" in name for name in classes)
        or any(one.get("disabled") is not None for one in _fieldsets(element))
    )


def _fieldsets(element: Element) -> Iterator[Element]:
    yield from element.iterancestors("fieldset")


def form_of(part: Part, element: Element) -> Element | None:
    """Give the form that a control belongs to; it may stand outside of it."""
    name = element.get("form")
    if name:
        return next((f for f in part.elements("form") if f.get("id") == name), None)
    return ancestor_of(element, "form")


def controls_of(part: Part, form: Element) -> list[Element]:
    return [
        element
        for element in part.elements("input", "select", "textarea", "button")
        if form_of(part, element) is form
    ]


def is_enabled(control: Element) -> bool:
    return control.get("disabled") is None and not any(
        one.get("disabled") is not None for one in _fieldsets(control)
    )


def data_of(
    part: Part,
    form: Element,
    pressed: Element | None,
    sets: tuple[tuple[str, str], ...] = (),
) -> list[tuple[str, str]]:
    """Give all that the form holds, hidden fields and tokens too, in its order.

    Args:
        sets: values that the button gives to fields, by their name or id.
    """
    sent: list[tuple[str, str]] = []
    for name, value in sets:
        for control in controls_of(part, form):
            if name in (control.get("name"), control.get("id")):
                control.set("value", value)
    for control in controls_of(part, form):
        name = str(control.get("name") or "")
        if not is_enabled(control):
            continue
        if control is pressed:
            sent += _pressed(control, name)
        elif name:
            sent += [(name, value) for value in _values(control)]
    return sent


def _pressed(control: Element, name: str) -> list[tuple[str, str]]:
    if str(control.get("type") or "").lower() == "image":
        prefix = f"{name}." if name else ""
        return [(f"{prefix}x", "1"), (f"{prefix}y", "1")]
    return [(name, str(control.get("value") or ""))] if name else []


def _values(control: Element) -> list[str]:
    if control.tag == "textarea":
        return [control.text or ""]
    if control.tag == "select":
        return [value_of_option(one) for one in selected_options(control)]
    kind = str(control.get("type") or "").lower()
    if control.tag == "button" or kind in ("submit", "image", "button", "reset"):
        return []
    if kind == "file":
        return [""]
    if kind in ("checkbox", "radio"):
        checked = control.get("checked") is not None
        return [str(control.get("value") or "on")] if checked else []
    return [str(control.get("value") or "")]


def options(select: Element) -> list[Element]:
    return list(select.iter("option"))


def value_of_option(option: Element) -> str:
    value = option.get("value")
    return own_text(option) if value is None else str(value)


def selected_options(select: Element) -> list[Element]:
    chosen = [one for one in options(select) if one.get("selected") is not None]
    if select.get("multiple") is not None:
        return chosen
    if chosen:
        return chosen[-1:]
    usable = [one for one in options(select) if one.get("disabled") is None]
    return usable[:1]


def choose_option(select: Element, option: Element) -> None:
    for one in options(select):
        one.attrib.pop("selected", "")
    option.set("selected", "selected")
