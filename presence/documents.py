"""Safe reading of the XML documents about presence, whose shape is not published.

Everything is found by local names and by the product's own words for states, in any
order; a document that says two things at once says nothing.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from lxml import etree

from presence.errors import PresenceCode, PresenceError
from wire.xml import Element, local_name

MOST_BYTES = 256 * 1024
_NUMBER = re.compile(r"\d{1,4}")
_KEY = re.compile(r"[\x21-\x7e]{1,1024}")
_FORBIDDEN = re.compile(rb"<!(DOCTYPE|ENTITY)")


class State(StrEnum):
    """The availability of a user, in the words of the Presence Web Service."""

    AVAILABLE = "AVAILABLE"
    BUSY = "BUSY"
    DND = "DND"
    AWAY = "AWAY"
    UNAVAILABLE = "UNAVAILABLE"
    VACATION = "VACATION"
    UNKNOWN = "UNKNOWN"


# What the service sets; UNKNOWN is only an answer.
SETTABLE = frozenset(State) - {State.UNKNOWN}


def parse_document(body: bytes, node: str) -> Element:
    """Read a whole document; a document type definition is refused."""
    if _FORBIDDEN.search(body):
        raise unrecognised_error(node, "a document type definition")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError):
        raise unrecognised_error(node, "broken XML") from None
    # A document in UTF-16 hides its definition from the search above.
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise unrecognised_error(node, "no document")
    return root


def unrecognised_error(node: str, detail: str) -> PresenceError:
    return PresenceError(PresenceCode.UNRECOGNISED, node=node, detail=detail)


def text_of(element: Element) -> str:
    return (element.text or "").strip()


def elements_of(root: Element) -> Iterator[Element]:
    return root.iter(etree.Element)


def texts_of(root: Element) -> Iterator[str]:
    """Give the texts and the values of attributes, in document order."""
    for element in elements_of(root):
        yield text_of(element)
        yield from (str(value).strip() for value in element.attrib.values())


def key_in(root: Element, node: str) -> str:
    """Give the session key of a login answer."""
    found = {
        text_of(element)
        for element in elements_of(root)
        if local_name(element).casefold() in ("sessionkey", "session-key")
    }
    key = found.pop() if len(found) == 1 else ""
    if not _KEY.fullmatch(key):
        raise unrecognised_error(node, "no session key")
    return key


def state_in(root: Element) -> State | None:
    """Give the one state that a document about one user names, if it names one."""
    known = {state.value: state for state in State}
    found = {known[word.upper()] for word in texts_of(root) if word.upper() in known}
    return found.pop() if len(found) == 1 else None


def number_in(root: Element) -> int | None:
    """Give the number of an error: what stands under a name with `code` in it."""
    for element in elements_of(root):
        pairs = [(local_name(element), text_of(element))]
        pairs += [
            (str(name).rpartition("}")[2], str(value))
            for name, value in element.attrib.items()
        ]
        for name, value in pairs:
            found = _NUMBER.search(value) if "code" in name.casefold() else None
            if found and 100 <= int(found[0]) < 200:
                return int(found[0])
    return None
