"""SOAP 1.1 envelopes, read strictly and written by hand."""

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from .http import LabRequest

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XML = "text/xml;charset=utf-8"

__all__ = [
    "ENVELOPE",
    "XML",
    "Malformed",
    "Operation",
    "escape",
    "quoteattr",
    "read_operation",
]


class Malformed(Exception):
    """The body of a request is not a SOAP envelope with one operation."""


@dataclass(frozen=True)
class Operation:
    """The one element in a request's SOAP body."""

    name: str
    namespace: str
    element: etree._Element

    def text(self, name: str) -> str | None:
        """Return the text of the unqualified child of this name."""
        child = self.element.find(name)
        return None if child is None else (child.text or "")

    def anywhere(self, name: str) -> list[etree._Element]:
        """Return the descendants of this local name, whatever their namespace."""
        return [e for e in self.element.iter() if local_name(e) == name]


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def read_operation(request: LabRequest) -> Operation:
    """Return the operation in a request, which is parsed only once."""
    if request.operation is None:
        request.operation = _parse_body(request.body)
    operation: Operation = request.operation
    return operation


def _parse_body(body: bytes) -> Operation:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(str(error)) from None
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        raise Malformed("The root element is not a SOAP 1.1 Envelope")
    found = root.find(f"{{{ENVELOPE}}}Body/*")
    if found is None:
        raise Malformed("The SOAP Body is empty")
    name = etree.QName(found)
    return Operation(name.localname, name.namespace or "", found)


def soap_envelope(body: str, prefix: str = "soapenv", attributes: str = "") -> bytes:
    """Return a whole SOAP message around what is in its body."""
    return (
        "<?xml version='1.0' encoding='utf-8'?>"
        f'<{prefix}:Envelope xmlns:{prefix}="{ENVELOPE}"{attributes}>'
        f"<{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>"
    ).encode()


def soap_fault(
    text: str, detail: str = "", code: str = "Server", prefix: str = "soapenv"
) -> bytes:
    """Return a whole SOAP message that carries a fault."""
    return soap_envelope(
        f"<{prefix}:Fault><faultcode>{prefix}:{code}</faultcode>"
        f"<faultstring>{escape(text)}</faultstring><detail>{detail}</detail>"
        f"</{prefix}:Fault>",
        prefix,
    )
