"""What icons mean, learned from the key of the page itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from pages.document import Element, Page, Part, ancestor_of, short_of
from pages.words import plain, words

HEADINGS = tuple("legend h1 h2 h3 h4 th td caption div span b".split())  # noqa: SIM905
_MOST = 40
# A sign such as a tick stands alone or before a text.
_SIGN = re.compile(
    r"([^\w\s\x00-\x7f\u00a0\u2013\u2014\u2018-\u201f\u2022\u2026\u00ab\u00bb]{1,2}\ufe0f?)(?=[\s\w]|$)"
)
_BUSTER = re.compile(r"(?:_|v|ver|version|t|ts|cb|rev)=[\w.-]{1,40}|\d{1,20}|")
_BLANK_IMAGE = re.compile(
    r"/(?:blank|spacer|clear|pixel|transparent|trans|sprites?|empty|1x1|dot)\d*\.\w+$",
    re.I,
)


class IconOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    INFORMATION = "information"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Icon:
    """An icon by what tells it apart, the most exact first, and by its own words."""

    signs: tuple[str, ...]
    words: str = ""


@dataclass
class IconKey:
    """The meanings of icons; one that no key explained is unknown."""

    meanings: dict[str, IconOutcome] = field(default_factory=dict)

    def learn(self, page: Page) -> None:
        for part, box in boxes(page):
            for line in _lines(box):
                icons = [icon for one in line for icon in icons_in(part, one)]
                outcome = _meaning_of(" ".join(map(_words_of, line)))
                if len(icons) == 1 and outcome:
                    self._note(icons[0], outcome)
                elif len(icons) > 1:
                    self._note_in_text(part, line)

    def _note_in_text(self, part: Part, line: list[Element]) -> None:
        """Learn from icons in a running text: each means the words behind it."""
        for element in line:
            for one in element.iter("img", "i", "svg", "span"):
                icon = _icon(part, one)
                after = one.getnext()
                meaning = one.tail or (short_of(after) if after is not None else "")
                outcome = _meaning_of(meaning or "")
                if icon and outcome:
                    self._note(icon, outcome)

    def _note(self, icon: Icon, outcome: IconOutcome) -> None:
        for sign in icon.signs:
            known = self.meanings.setdefault(sign, outcome)
            if known is not outcome:
                # One icon with two meanings means nothing.
                self.meanings[sign] = IconOutcome.UNKNOWN

    def outcome(self, part: Part, element: Element) -> IconOutcome | None:
        """Give the outcome that an element shows; None where it has no icon.

        A text that is nothing but the word of an outcome counts as an icon.
        """
        found = {self._meaning_of(one) for one in icons_in(part, element)}
        if not found:
            return outcome_word(short_of(element, 40))
        return found.pop() if len(found) == 1 else IconOutcome.UNKNOWN

    def _meaning_of(self, icon: Icon) -> IconOutcome:
        own = _meaning_of(icon.words) if icon.words else None
        if not self.meanings:
            return own or IconOutcome.UNKNOWN
        known = (self.meanings.get(sign) for sign in icon.signs)
        found = next((one for one in known if one), IconOutcome.UNKNOWN)
        # Words that contradict the key leave nothing to believe.
        return IconOutcome.UNKNOWN if own and own is not found else found


def outcome_word(text: str) -> IconOutcome | None:
    folded = plain(text)
    return next((one for one in IconOutcome if folded in _exact_words(one)), None)


def _exact_words(outcome: IconOutcome) -> tuple[str, ...]:
    return words("outcomes", outcome) if outcome is not IconOutcome.UNKNOWN else ()


def icons_in(part: Part, element: Element) -> Iterator[Icon]:
    """Give the images of an element, else the shapes, classes and signs in it."""
    found = False
    for one in element.iter("img", "i", "span", "svg", "font", "b", "input"):
        if icon := _icon(part, one):
            found = True
            yield icon
    sign = _SIGN.match(short_of(element, 300))
    if sign and not found:
        yield Icon((f"sign {sign[1]}",))


def _icon(part: Part, one: Element) -> Icon | None:
    label = " ".join(
        str(one.get(name) or "") for name in ("alt", "title", "aria-label")
    )
    kind = " ".join(str(one.get("class") or "").split())
    if one.tag == "img" or (one.tag == "input" and one.get("type") == "image"):
        source = str(one.get("src") or "")
        return (
            Icon(_image_signs(part.url(source), kind), label.strip())
            if source
            else None
        )
    if one.tag == "svg":
        shape = next((s for s in map(_shape, one.iter()) if s), "")
        return (
            Icon((f"shape {shape} {kind}",), label.strip()) if shape or kind else None
        )
    text = short_of(one, 20)
    if len(one) or one.tag == "input" or (text and not _SIGN.fullmatch(text)):
        return None
    appearance = f"{kind} {one.get('style') or ''} {one.get('color') or ''}".strip()
    if not appearance and not text:
        return None
    if not text and one.tag not in ("i", "span"):
        return None
    return Icon((f"class {appearance} {text}".strip(),), label.strip())


def _shape(element: Element) -> str:
    for name in ("href", "{http://www.w3.org/1999/xlink}href", "d", "points"):
        if element.get(name):
            return str(element.get(name))[:200]
    return ""


def _image_signs(source: str, kind: str) -> tuple[str, ...]:
    """Give the address of an image, with its class where the image is blank."""
    if source.startswith("data:"):
        return (f"source {source[:2000]}",)
    parts = urlsplit(source)
    path = parts.path.partition(";")[0]
    query = "" if _BUSTER.fullmatch(parts.query) else parts.query
    if _BLANK_IMAGE.search(path):
        return (f"source {path} {kind}",)
    return (f"source {path}?{query}" if query else f"source {path}",)


def _words_of(line: Element) -> str:
    """Give the text of a line, else the words of its image."""
    text = short_of(line)
    if any(one.isalpha() for one in text):
        return text
    images = line.iter("img", "svg", "i", "span")
    return " ".join(str(one.get("alt") or one.get("title") or "") for one in images)


def _meaning_of(text: str) -> IconOutcome | None:
    folded = plain(text)
    found = [
        outcome
        for outcome in (IconOutcome.PASSED, IconOutcome.FAILED, IconOutcome.WARNING)
        if any(word in folded for word in words("outcomes", outcome))
    ]
    if not found and any(word in folded for word in words("outcomes", "information")):
        return IconOutcome.INFORMATION
    return found[0] if len(found) == 1 else None


def boxes(page: Page) -> Iterator[tuple[Part, Element]]:
    """Give what stands under a heading that says Key."""
    wanted = set(words("headings", "key"))
    for part, heading in page.elements(*HEADINGS):
        if plain(short_of(heading, 40)) in wanted:
            box = box_of(heading)
            if box is not None:
                yield part, box


def box_of(heading: Element) -> Element | None:
    """Give the fieldset or table of a heading, else what follows it."""
    if heading.tag == "legend":
        return ancestor_of(heading, "fieldset")
    if heading.tag in ("th", "td", "caption"):
        row = ancestor_of(heading, "tr")
        if heading.tag == "caption" or (row is not None and len(row) == 1):
            return ancestor_of(heading, "table")
    at: Element | None = heading
    while at is not None and at.tag not in ("body", "form"):
        after = at.getnext()
        if after is not None and (short_of(after, 20_000) or len(after)):
            return after
        at = at.getparent()
    return None


def _lines(box: Element) -> list[list[Element]]:
    """Give the lines of a key: its rows, its items, or all that has an icon."""
    if terms := list(box.iter("dt")):
        return [[one, *_definition(one)] for one in terms][:_MOST]
    for tags in (("tr",), ("li",), ("p", "div"), ("span",)):
        found = [one for one in box.iter(*tags) if _innermost(one, tags)]
        if found:
            return [[one] for one in found][:_MOST]
    return [[box]]


def _definition(term: Element) -> list[Element]:
    after = term.getnext()
    return [after] if after is not None and after.tag == "dd" else []


def _innermost(element: Element, tags: tuple[str, ...]) -> bool:
    return next(element.iterdescendants(*tags), None) is None


_NUMBER = re.compile(r"\d{1,3}(?:[,.'\u00a0 ]\d{3})+|\d{1,9}")


def count_in(text: str) -> int | None:
    """Read a count such as 1,204; None where there is not exactly one."""
    found = _NUMBER.findall(text)
    return int(re.sub(r"\D", "", found[0])) if len(found) == 1 else None
