"""Reading presence documents of RFC 3863 with the activities of RFC 4480."""

from typing import Any

from lxml import etree

from presence.documents import (
    State,
    elements_of,
    parse_document,
    text_of,
    unrecognised_error,
)
from wire.xml import Element, local_name

PIDF = "urn:ietf:params:xml:ns:pidf"
DATA_MODEL = "urn:ietf:params:xml:ns:pidf:data-model"
RPID = "urn:ietf:params:xml:ns:pidf:rpid"

_PREFIXES: Any = {None: PIDF, "dm": DATA_MODEL, "rpid": RPID}

# The names of activities, without case and signs; the product's own and the RFC's.
_ACTIVITIES = {
    "dnd": State.DND,
    "donotdisturb": State.DND,
    "away": State.AWAY,
    "busy": State.BUSY,
    "onthephone": State.BUSY,
    "meeting": State.BUSY,
    "vacation": State.VACATION,
    "available": State.AVAILABLE,
}
# Where a document names several, the one that says most.
_PRECEDENCE = (
    State.DND,
    State.VACATION,
    State.BUSY,
    State.AWAY,
    State.AVAILABLE,
    State.UNAVAILABLE,
)


def read_pidf(body: bytes, node: str) -> State | None:
    """Give the state that a document shows; None where it shows none."""
    root = parse_document(body, node)
    if local_name(root) != "presence":
        raise unrecognised_error(node, "no presence document")
    return state_of(root)


def state_of(root: Element) -> State | None:
    found = {
        state
        for element in elements_of(root)
        if local_name(element) == "activities"
        for child in element.iterchildren(etree.Element)
        if (state := _activity(child))
    }
    opened = {
        text_of(element).casefold()
        for element in elements_of(root)
        if local_name(element) == "basic"
    }
    if opened and "open" not in opened:
        return State.UNAVAILABLE
    if not found and "open" in opened:
        return State.AVAILABLE
    return next((state for state in _PRECEDENCE if state in found), None)


def _activity(element: Element) -> State | None:
    for name in (local_name(element), text_of(element)):
        plain = "".join(sign for sign in name.casefold() if sign.isalpha())
        if plain in _ACTIVITIES:
            return _ACTIVITIES[plain]
    return None


def write_pidf(uri: str, state: State) -> bytes:
    """Write a document with one tuple; away is open with the activity away."""
    root = etree.Element(
        f"{{{PIDF}}}presence",
        {"entity": uri},
        nsmap=_PREFIXES,
    )
    entry = etree.SubElement(root, f"{{{PIDF}}}tuple", {"id": "cupadmin"})
    status = etree.SubElement(entry, f"{{{PIDF}}}status")
    basic = etree.SubElement(status, f"{{{PIDF}}}basic")
    basic.text = "closed" if state is State.UNAVAILABLE else "open"
    if name := {State.AWAY: "away", State.DND: "busy", State.BUSY: "busy"}.get(state):
        person = etree.SubElement(root, f"{{{DATA_MODEL}}}person", {"id": "cupadmin-p"})
        activities = etree.SubElement(person, f"{{{RPID}}}activities")
        etree.SubElement(activities, f"{{{RPID}}}{name}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
