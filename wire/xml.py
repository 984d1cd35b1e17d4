"""Safe and lenient reading of the XML that clusters send."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from wire.errors import Code, WireError, clean_text
from wire.scrubbing import MARK, Scrubber

Element = etree._Element

_COUNT = re.compile(r"[0-9]{1,12}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")
_TAIL = 400
_MOST_REST = 65_536
_SILENT = (("<!--", "-->"), ("<?", "?>"))
_END = re.compile(r"</(?:[^\s<>:]{1,100}:)?Envelope\s{0,100}>")


def local_name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class XmlStream:
    """Feeds pieces of a message to lxml and gives the elements that were asked for.

    A document type, an entity, broken or cut-off markup ends the reading; prefixes
    that nobody declared do not. The parser does not recover: one that does loses
    what follows a fault, at times without a word.
    """

    def __init__(self, node: str, tags: tuple[str, ...] = ()) -> None:
        self._node = node
        self._tail = ""
        self._began = False
        self._root: Element | None = None
        # What came behind the end of the envelope.
        self._rest = ""
        self._parser = etree.XMLPullParser(
            events=("end",),
            tag=(*tags, "{*}Envelope"),
            encoding="utf-8",
            recover=False,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=False,
        )

    def feed(self, text: str) -> Iterator[Element]:
        window = self._tail + text
        if "<!DOCTYPE" in window or "<!ENTITY" in window:
            raise self._not_soap("a document type definition")
        self._began = self._began or "Envelope" in window
        self._tail, before = window[-_TAIL:], self._root
        try:
            self._parser.feed(text.encode())
        except etree.LxmlError:
            raise self._broken() from None
        if not self._well_formed():
            raise self._broken()
        for _, element in self._parser.read_events():
            if not isinstance(element, Element):
                continue
            if local_name(element) == "Envelope" and element.getparent() is None:
                self._root = element
            else:
                yield element
        self._note_rest(text, window, before)

    def _note_rest(self, text: str, window: str, before: Element | None) -> None:
        """Keep what is behind the envelope: after a first error lxml ignores it."""
        if before is not None:
            self._rest = (self._rest + text.strip())[:_MOST_REST]
        elif self._root is not None and (end := _END.search(window)):
            self._rest = window[end.end() :]

    def close(self) -> Element:
        """Give the root, once it is certain that the message was complete."""
        try:
            self._parser.close()
        except etree.LxmlError:
            if self._root is None:
                raise self._unfinished() from None
            # An undeclared prefix alone is an error too, although all was read.
            if not self._well_formed():
                raise self._broken() from None
        if self._root is None:
            raise self._not_soap("HTML" if self._is_html() else "no SOAP envelope")
        if not _says_nothing(self._rest):
            raise self._broken()
        return self._root

    def _well_formed(self) -> bool:
        return all(map(_tolerable, self._parser.feed_error_log))

    def _is_html(self) -> bool:
        return "</html" in self._tail.lower()

    def _broken(self) -> WireError:
        """Tell damage from what never was a message."""
        if self._began and not self._is_html():
            return broken_message(self._node, "broken XML")
        return self._not_soap("HTML" if self._is_html() else "broken XML")

    def _unfinished(self) -> WireError:
        """Tell a message that was cut off from what never was one."""
        if self._is_html():
            return self._not_soap("HTML")
        if not self._tail.strip(" \t\r\n\ufeff"):
            return empty_message(self._node, "an empty answer")
        detail = "an incomplete message"
        if self._began:
            return WireError(Code.INCOMPLETE, node=self._node, detail=detail)
        return self._not_soap(detail)

    def _not_soap(self, detail: str) -> WireError:
        return WireError(Code.NOT_SOAP, node=self._node, detail=detail)


def broken_message(node: str, detail: str) -> WireError:
    """Give the error for a message that is damaged: rather none of it than a part."""
    return WireError(
        Code.NOT_SOAP,
        f"The answer of {clean_text(node, 253)} is broken.",
        remedy="Try again; if it stays broken, look for what the node sends, or for "
        "devices on the way that change it.",
        detail=detail,
    )


def empty_message(node: str, detail: str) -> WireError:
    """Give the error for a success with nothing in it."""
    return WireError(
        Code.NOT_SOAP,
        f"{clean_text(node, 253)} answered with success and nothing in it.",
        remedy="Try again; if it stays empty, restart the node's Tomcat, and look for "
        "devices on the way that answer in its place.",
        detail=detail,
    )


def _says_nothing(text: str) -> bool:
    """Tell spaces, comments and instructions from anything else, in one pass."""
    at = 0
    while at < len(text):
        ends = next((e for s, e in _SILENT if text.startswith(s, at)), "")
        if ends:
            found = text.find(ends, at + 2)
            if found < 0:
                return False
            at = found + len(ends)
        elif text[at].isspace():
            at += 1
        else:
            return False
    return True


def _tolerable(entry: Any) -> bool:
    return bool(
        entry.level < etree.ErrorLevels.ERROR
        or entry.domain == etree.ErrorDomains.NAMESPACE
    )


def text_of(element: Element) -> str | None:
    """Give the text of an element, all of it; a tag inside it leaves a mark."""
    if not len(element):
        return element.text
    pieces = [element.text or ""]
    for child in element:
        pieces += [MARK, text_of(child) or "", MARK, child.tail or ""]
    return "".join(pieces)


class SoapMessage:
    """A SOAP body, read by local names, in any order, inline or by reference."""

    def __init__(self, root: Element, node: str) -> None:
        bodies = [x for x in root if local_name(x) == "Body"]
        if not bodies or not len(bodies[0]):
            raise empty_message(node, "an empty SOAP body")
        body = bodies[0]
        # What bears an id is only referred to; a second answer would be passed over.
        answers = [x for x in body.iterchildren(etree.Element) if not x.get("id")]
        if len(bodies) > 1 or len(answers) > 1:
            raise WireError(Code.NOT_SOAP, node=node, detail="more than one answer")
        self.content = body[0]
        self._targets = {x.get("id"): x for x in body if x.get("id")}

    @property
    def name(self) -> str:
        return local_name(self.content)

    def follow(self, element: Element) -> Element:
        """Go from a reference of Axis 1 to the element that it means."""
        if not self._targets:
            return element
        return self._targets.get(element.get("href", "")[1:], element)

    def children(self, parent: Element | None, name: str) -> list[Element]:
        if parent is None:
            return []
        found = self.follow(parent).iterchildren(f"{{*}}{name}")
        return [self.follow(x) for x in found]

    def child(self, parent: Element | None, *names: str) -> Element | None:
        """Give the first child that bears one of the names."""
        if parent is None:
            return None
        parent = self.follow(parent)
        for name in names:
            found = next(parent.iterchildren(f"{{*}}{name}"), None)
            if found is not None:
                return self.follow(found)
        return None

    def text(self, parent: Element | None, *names: str) -> str:
        child = self.child(parent, *names)
        return "" if child is None else (text_of(child) or "").strip()

    def texts(self, parent: Element) -> dict[str, str]:
        """Give the texts of all children by local name, the first of each."""
        found: dict[str, str] = {}
        for child in self.follow(parent).iterchildren(etree.Element):
            text = text_of(self.follow(child)) or ""
            found.setdefault(local_name(child), text.strip())
        return found

    def number(self, parent: Element | None, *names: str) -> int | None:
        return whole_number(self.text(parent, *names))


def whole_number(text: str) -> int | None:
    """Read an integer of a sensible size, or None: never a guess."""
    return int(text) if _NUMBER.fullmatch(text) else None


def count_of(text: str | None, node: str) -> int:
    """Read a count; what is none is a broken answer, and never a guess."""
    digits = (text or "").strip()
    if not _COUNT.fullmatch(digits):
        raise WireError(Code.NOT_SOAP, node=node, detail="no count")
    return int(digits)


def parse_message(body: bytes, node: str) -> SoapMessage:
    """Read a whole small message."""
    stream = XmlStream(node)
    for _ in stream.feed(Scrubber().scrub(body, final=True)):
        pass
    return SoapMessage(stream.close(), node)
