"""The two ways in which the Control Center writes its replies."""

from dataclasses import dataclass
from typing import Any

from . import soap

Fields = list[tuple[str, Any]]

NEW = "http://schemas.cisco.com/ast/soap"
WRAPPER = "http://schemas.cisco.com/ast/soap/"
TYPES = "http://cisco.com/ccm/serviceability/soap/ControlCenterServices/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
ENCODED = f'soapenv:encodingStyle="{ENCODING}"'
DECLARED = (
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xmlns:soapenc="{ENCODING}"'
)


@dataclass(frozen=True)
class Items:
    """An array whose members are called item."""

    kind: str
    members: list[Fields]


def new_reply(operation: str, fields: Fields) -> bytes:
    """Write a reply as document/literal, all of it in one namespace."""
    inner = "".join(_literal(name, value) for name, value in fields)
    return soap.soap_envelope(
        f'<n:{operation}Response xmlns:n="{NEW}"><n:{operation}Return>{inner}'
        f"</n:{operation}Return></n:{operation}Response>"
    )


def _literal(name: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return f"<n:{name}/>"
    if isinstance(value, Items):
        inner = "".join(_literal("item", member) for member in value.members)
    elif isinstance(value, list):
        inner = "".join(_literal(*pair) for pair in value)
    else:
        inner = _scalar(value)
    return f"<n:{name}>{inner}</n:{name}>"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return soap.escape(str(value))


def legacy_reply(operation: str, fields: Fields, style: str) -> bytes:
    """Write a reply as rpc/encoded, `inline` or with `multiref` parts."""
    writer = Encoder(by_reference=style == "multiref")
    part = writer.encode("ServiceInformationResponse", fields)
    return soap.soap_envelope(
        f'<ns1:{operation}Response {ENCODED} xmlns:ns1="{WRAPPER}">{part}'
        f"</ns1:{operation}Response>{''.join(writer.parts)}",
        attributes=DECLARED,
    )


class Encoder:
    """Writes values in SOAP encoding; by reference, the parts follow the reply."""

    def __init__(self, by_reference: bool) -> None:
        self.by_reference = by_reference
        self.parts: list[str] = []
        self.count = 0

    def encode(self, name: str, value: Any, kind: str = "") -> str:
        attributes, inner = self._content(kind or name, value)
        if self.by_reference and (
            isinstance(value, list | Items) or name == "ServiceStatus"
        ):
            return self._refer(name, attributes, inner)
        return f"<{name} {attributes}>{inner}</{name}>"

    def _refer(self, name: str, attributes: str, inner: str) -> str:
        number = self.count
        self.count += 1
        self.parts.append(
            f'<multiRef id="id{number}" soapenc:root="0" {ENCODED} {attributes}>'
            f"{inner}</multiRef>"
        )
        return f'<{name} href="#id{number}"/>'

    def _content(self, name: str, value: Any) -> tuple[str, str]:
        if value is None:
            return 'xsi:nil="true"', ""
        if isinstance(value, Items):
            inner = "".join(
                self.encode("item", member, value.kind) for member in value.members
            )
            kind = f"ns2:{value.kind}[{len(value.members)}]"
            return (
                f'soapenc:arrayType="{kind}" xsi:type="soapenc:Array" '
                f'xmlns:ns2="{TYPES}"',
                inner,
            )
        if isinstance(value, list):
            inner = "".join(self.encode(*pair) for pair in value)
            return f'xsi:type="ns2:{name}" xmlns:ns2="{TYPES}"', inner
        kind = {bool: "boolean", int: "int"}.get(type(value), "string")
        return f'xsi:type="xsd:{kind}"', _scalar(value)
