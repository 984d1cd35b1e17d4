"""Fields and values of a page by the label that a person reads beside them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pages.controls import TEXTUAL, choose_option, is_enabled, options, selected_options
from pages.document import (
    Element,
    Page,
    Part,
    ancestor_of,
    is_hidden,
    own_text,
    short_of,
    text_of,
)
from pages.errors import PageCode, PagesError
from pages.words import plain, spelling, words

_CELLS = ("td", "th", "dt", "dd")
_TEXTS = (
    "td",
    "th",
    "dt",
    "label",
    "span",
    "div",
    "p",
    "b",
    "strong",
    "font",
    "legend",
)
_REMARK = re.compile(r"(?<!\s)\s*+[(\[][^()\[\]]{0,80}[)\]][\s*:]*+$")
_STARRED = re.compile(r"\*\s*+:?+\s*+$|^\s*+\*")


@dataclass
class LabelledField:
    """A control with its label; radio buttons of one name are one field."""

    part: Part
    name: str
    controls: list[Element]

    @property
    def first(self) -> Element:
        return self.controls[0]

    @property
    def secret(self) -> bool:
        return str(self.first.get("type") or "").lower() == "password"

    @property
    def writable(self) -> bool:
        usable = [one for one in self.controls if is_enabled(one)]
        return bool(usable) and self.first.get("readonly") is None

    @property
    def value(self) -> str:
        """The value as it is shown: of a choice its text."""
        first = self.first
        if first.tag == "select":
            return next((text_of(one) for one in selected_options(first)), "")
        if first.tag == "textarea":
            return first.text or ""
        if _kind_of(first) in ("radio", "checkbox"):
            chosen = [one for one in self.controls if one.get("checked") is not None]
            return next((_text_of_choice(self.part, one) for one in chosen), "")
        return str(first.get("value") or "")

    def choices(self) -> list[tuple[str, Element]]:
        if self.first.tag == "select":
            return [(text_of(one), one) for one in options(self.first)]
        return [(_text_of_choice(self.part, one), one) for one in self.controls]

    def fill(self, value: str) -> bool:
        """Enter a value; False where the field cannot hold it."""
        first = self.first
        if first.tag == "select" or _kind_of(first) in ("radio", "checkbox"):
            return self._choose(value)
        limit = str(first.get("maxlength") or "")
        if limit.isdigit() and 0 < int(limit) < len(value):
            return False
        if first.tag == "textarea":
            first.text = value
        else:
            first.set("value", value)
        return True

    def _choose(self, value: str) -> bool:
        word = re.compile(rf"(?<![a-z0-9]){re.escape(value.lower())}(?![a-z0-9])")
        choices = self.choices()
        found = [one for text, one in choices if plain(text) == plain(value)]
        found = found or [one for text, one in choices if word.search(text.lower())]
        if len(found) != 1:
            return False
        if self.first.tag == "select":
            choose_option(self.first, found[0])
            return True
        for one in self.controls:
            one.attrib.pop("checked", "")
        found[0].set("checked", "checked")
        return True


def _kind_of(control: Element) -> str:
    return str(control.get("type") or "").lower()


def is_field(control: Element) -> bool:
    """Whether a person could enter something here."""
    if is_hidden(control):
        return False
    if control.tag in ("select", "textarea"):
        return True
    return control.tag == "input" and _kind_of(control) in (
        *TEXTUAL,
        "radio",
        "checkbox",
    )


def find_field(
    page: Page, name: str, within: Element | None = None
) -> LabelledField | None:
    """Give the one field with a label of pages.toml, None without any.

    The accessible name comes first, then the neighbouring cell, then the row below.

    Raises:
        PagesError: AMBIGUOUS where a way gives more than one.
    """
    spellings = set(words("labels", name))
    for way in (_by_name, _by_enclosing, _by_neighbour, _by_row_below, _by_text):
        found: dict[tuple[int, str], LabelledField] = {}
        for part in page.parts:
            for control in way(part, spellings):
                if within is not None and within not in control.iterancestors():
                    continue
                field = _field(part, name, control)
                found[_identity(part, control)] = field
        if len(found) == 1:
            return found.popitem()[1]
        if found:
            detail = spelling("labels", name)
            raise PagesError(PageCode.AMBIGUOUS, node=page.node, detail=detail)
    return None


def need_field(page: Page, name: str) -> LabelledField:
    field = find_field(page, name)
    if field is None:
        detail = spelling("labels", name)
        raise PagesError(PageCode.LABEL, node=page.node, detail=detail)
    return field


def _identity(part: Part, control: Element) -> tuple[int, str]:
    if _kind_of(control) == "radio" and control.get("name"):
        return id(part), f"radio {control.get('name')}"
    return id(part), control.getroottree().getpath(control)


def _field(part: Part, name: str, control: Element) -> LabelledField:
    group = control.get("name")
    if _kind_of(control) == "radio" and group:
        same = part.elements("input")
        fellows = [x for x in same if _kind_of(x) == "radio" and x.get("name") == group]
        return LabelledField(part, name, fellows)
    return LabelledField(part, name, [control])


def accessible_names(part: Part, control: Element) -> Iterator[str]:
    """Give what a screen reader could call a control."""
    ids = str(control.get("aria-labelledby") or "").split()
    key = control.get("id")
    for label in part.elements("label"):
        if key and label.get("for") == key:
            yield from _label_texts(label)
    if (around := ancestor_of(control, "label")) is not None:
        yield from _label_texts(around)
    for element in part.elements(*_TEXTS, "h2", "h3", "h4") if ids else ():
        if element.get("id") in ids:
            yield text_of(element)
    for name in ("aria-label", "title", "placeholder"):
        if control.get(name):
            yield str(control.get(name))
    group = ancestor_of(control, "fieldset")
    if _kind_of(control) == "radio" and group is not None:
        yield from (text_of(one) for one in group.iter("legend"))


def _label_texts(label: Element) -> Iterator[str]:
    """Give the words of a label, with and without the help link in it.

    What stands in a control within the label is its value and no word of the label.
    """
    yield _text_without(label, "select", "textarea").strip()
    if any(True for _ in label.iterdescendants("a", "button")):
        yield _text_without(label, "select", "textarea", "a", "button")


def _text_without(element: Element, *tags: str) -> str:
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in tags:
            pieces.append(_text_without(child, *tags))
        pieces.append(child.tail or "")
    return " ".join(" ".join(pieces).split())


def _compared_label(text: str) -> str:
    """Give a label as words are compared, without a remark in brackets behind it."""
    return plain(_REMARK.sub("", text))


def _by_name(part: Part, spellings: set[str]) -> Iterator[Element]:
    for control in part.elements("input", "select", "textarea"):
        if is_field(control):
            names = accessible_names(part, control)
            if any(_compared_label(text) in spellings for text in names):
                yield control


def _labelled(part: Part, spellings: set[str]) -> Iterator[Element]:
    """Give the smallest elements whose whole text is the label."""
    for element in part.elements(*_TEXTS):
        if _compared_label(short_of(element)) in spellings and not is_hidden(element):
            inner = element.iterdescendants(*_TEXTS)
            if not any(_compared_label(short_of(one)) in spellings for one in inner):
                yield element


def _by_enclosing(part: Part, spellings: set[str]) -> Iterator[Element]:
    """Give the one field in an element that has no other text than the label."""
    for label in _labelled(part, spellings):
        fields = _fields_in(label)
        if len(fields) == 1:
            yield fields[0]


def _by_text(part: Part, spellings: set[str]) -> Iterator[Element]:
    for control in part.elements("input", "select", "textarea"):
        if is_field(control) and _compared_label(_text_before(control)) in spellings:
            yield control


def _text_before(control: Element) -> str:
    """Give the text that stands directly before a control in the same element."""
    at = control.getprevious()
    while at is not None:
        if at.tag in ("input", "select", "textarea") and is_field(at):
            return str(at.tail or "").strip()
        text = f"{short_of(at)} {at.tail or ''}".strip()
        if plain(text):
            return text
        at = at.getprevious()
    parent = control.getparent()
    return str(parent.text or "").strip() if parent is not None else ""


def _by_neighbour(part: Part, spellings: set[str]) -> Iterator[Element]:
    for label in _labelled(part, spellings):
        neighbour = neighbour_of(label)
        if neighbour is not None:
            yield from _fields_in(neighbour)[:1]


def neighbour_of(label: Element) -> Element | None:
    """Give what stands beside a label: the next cell, else the next element."""
    cell = label if label.tag in _CELLS else ancestor_of(label, *_CELLS)
    if cell is not None and plain(text_of(cell)) == plain(text_of(label)):
        after = cell.getnext()
        while after is not None and _spacer(after):
            after = after.getnext()
        return after if after is not None and after.tag in _CELLS else None
    at: Element | None = label
    while at is not None and at.getnext() is None and _standing_label(at):
        at = at.getparent()
    after = at.getnext() if at is not None else None
    while after is not None and after.tag == "br":
        after = after.getnext()
    return after


def _standing_label(element: Element) -> bool:
    parent = element.getparent()
    return (
        parent is not None
        and parent.tag not in ("form", "body", "fieldset")
        and plain(text_of(parent)) == plain(text_of(element))
    )


def _spacer(cell: Element) -> bool:
    """Whether a cell stands between label and field with nothing in it."""
    if cell.tag not in _CELLS or plain(text_of(cell)):
        return False
    return not any(True for _ in cell.iter("input", "select", "textarea", "img"))


def _fields_in(element: Element) -> list[Element]:
    return [one for one in element.iter("input", "select", "textarea") if is_field(one)]


def _by_row_below(part: Part, spellings: set[str]) -> Iterator[Element]:
    for label in _labelled(part, spellings):
        cell = label if label.tag in ("td", "th") else ancestor_of(label, "td", "th")
        row = ancestor_of(cell, "tr") if cell is not None else None
        below = row.getnext() if row is not None else None
        if cell is None or row is None or below is None or below.tag != "tr":
            continue
        place = [one for one in row if one.tag in ("td", "th")].index(cell)
        cells = [one for one in below if one.tag in ("td", "th")]
        if place < len(cells):
            yield from _fields_in(cells[place])[:1]


def _text_of_choice(part: Part, control: Element) -> str:
    """Give the text of a radio button or check box."""
    for text in accessible_names(part, control):
        return text
    after = (control.tail or "").strip()
    following = control.getnext()
    if not after and following is not None and following.tag != "input":
        after = own_text(following)
    return after or str(control.get("value") or "")


def value_beside(page: Page, name: str) -> str | None:
    """Give the value beside a label, be it a field or text; None without the label."""
    if field := find_field(page, name):
        return field.value.strip()
    spellings = set(words("labels", name))
    for part in page.parts:
        for label in _labelled(part, spellings):
            beside = neighbour_of(label)
            if beside is not None:
                return text_of(beside)
    return None


def starred_labels(page: Page, known: Iterable[LabelledField]) -> Iterator[str]:
    """Give labels of required fields that are empty and none of the known."""
    ours = {id(one) for field in known for one in field.controls}
    for part, control in page.elements("input", "select", "textarea"):
        if id(control) in ours or not is_field(control) or not is_enabled(control):
            continue
        field = _field(part, "", control)
        if _kind_of(control) in ("radio", "checkbox") or field.value.strip():
            continue
        label = label_of(part, control)
        names = [label, *accessible_names(part, control)]
        marked = control.get("required") is not None
        marked = marked or control.get("aria-required") == "true"
        if marked or any(_STARRED.search(one) for one in names):
            yield label.strip(" *:\u00a0") or str(control.get("name") or "")


def label_of(part: Part, control: Element) -> str:
    """Give what stands as a label at a control, whichever way it does."""
    for text in accessible_names(part, control):
        return text
    if text := _text_before(control):
        return text
    cell = ancestor_of(control, *_CELLS)
    before = cell.getprevious() if cell is not None else control.getprevious()
    if before is not None and not _fields_in(before) and (text := short_of(before)):
        return text
    above = _cell_above(cell) if cell is not None else None
    return short_of(above) if above is not None else ""


def _cell_above(cell: Element) -> Element | None:
    row = ancestor_of(cell, "tr")
    above = row.getprevious() if row is not None else None
    if row is None or above is None or above.tag != "tr" or cell not in row:
        return None
    place = [one for one in row if one.tag in ("td", "th")].index(cell)
    cells = [one for one in above if one.tag in ("td", "th")]
    return cells[place] if place < len(cells) else None
