"""Safe and lenient reading of the XML that clusters send."""

import codecs
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from wire.errors import Code, WireError

Element = etree._Element

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]{1,40})")
_SINGLE_BYTE = {"iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252"}
_CONTROL = bytes(x for x in range(32) if x not in (9, 10, 13))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENVELOPE_END = re.compile(r"</(?:[\w.-]+:)?Envelope\s*>(?:\s|<!--.*?-->)*\Z", re.S)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}")
_TAIL = 400


def local_name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class Scrubber:
    """Makes text of what databases put under a UTF-8 declaration.

    Bytes that are no UTF-8 and control characters become U+FFFD: marked, not lost.
    """

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None

    def scrub(self, data: bytes, final: bool = False) -> str:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(_encoding(data))("replace")
        text = self._decoder.decode(data, final)
        if len(data.translate(None, _CONTROL)) != len(data):
            text = _CONTROLS.sub("\ufffd", text)
        return text


def _encoding(head: bytes) -> str:
    declared = _DECLARED.match(head.lstrip())
    name = declared[1].decode().lower() if declared else ""
    return "cp1252" if name in _SINGLE_BYTE else "utf-8-sig"


class XmlStream:
    """Feeds pieces of a message to lxml and gives the elements that were asked for.

    A document type, an entity, broken or cut-off markup ends the reading; characters
    that XML forbids and prefixes nobody declared do not.
    """

    def __init__(self, node: str, tags: tuple[str, ...] = ()) -> None:
        self._node = node
        self._tail = ""
        self._parser = etree.XMLPullParser(
            events=("end",),
            tag=tags or ("{*}Envelope",),
            encoding="utf-8",
            recover=True,
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
        self._tail = window[-_TAIL:]
        try:
            self._parser.feed(text.encode())
        except etree.LxmlError:
            raise self._not_soap("broken XML") from None
        self._refuse_errors()
        for _, element in self._parser.read_events():
            if isinstance(element, Element):
                yield element

    def close(self) -> Element:
        """Give the root, once it is certain that the message was complete."""
        if not _ENVELOPE_END.search(self._tail):
            raise self._not_soap(self._kind())
        try:
            root: Element | None = self._parser.close()
        except etree.LxmlError:
            raise self._not_soap("broken XML") from None
        if root is None or local_name(root) != "Envelope":
            raise self._not_soap("no SOAP envelope")
        return root

    def _refuse_errors(self) -> None:
        for entry in self._parser.feed_error_log:
            if not _tolerable(entry):
                raise self._not_soap(self._kind() or "broken XML")

    def _kind(self) -> str:
        return "HTML" if "</html" in self._tail.lower() else "an incomplete message"

    def _not_soap(self, detail: str) -> WireError:
        return WireError(Code.NOT_SOAP, node=self._node, detail=detail)


def _tolerable(entry: Any) -> bool:
    return bool(
        entry.level < etree.ErrorLevels.ERROR
        or entry.domain == etree.ErrorDomains.NAMESPACE
        or entry.type == etree.ErrorTypes.ERR_INVALID_CHAR
    )


class Message:
    """A SOAP body, read by local names, in any order, inline or by reference."""

    def __init__(self, root: Element, node: str) -> None:
        body = next((x for x in root if local_name(x) == "Body"), None)
        if body is None or not len(body):
            raise WireError(Code.NOT_SOAP, node=node, detail="an empty SOAP body")
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
        return "" if child is None else (child.text or "").strip()

    def texts(self, parent: Element) -> dict[str, str]:
        """Give the texts of all children by local name, the first of each."""
        found: dict[str, str] = {}
        for child in self.follow(parent).iterchildren(etree.Element):
            text = self.follow(child).text or ""
            found.setdefault(local_name(child), text.strip())
        return found

    def number(self, parent: Element | None, *names: str) -> int | None:
        return whole_number(self.text(parent, *names))


def whole_number(text: str) -> int | None:
    """Read an integer of a sensible size, or None: never a guess."""
    return int(text) if _NUMBER.fullmatch(text) else None


def parse(body: bytes, node: str) -> Message:
    """Read a whole small message."""
    stream = XmlStream(node)
    for _ in stream.feed(Scrubber().scrub(body, final=True)):
        pass
    return Message(stream.close(), node)
