"""What a user would write instead: zeep over requests, and bare asyncio streams."""

import asyncio
import ssl
import tempfile
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

import requests
import zeep
from zeep.transports import Transport

from wire import soap


def small_wsdl() -> str:
    """Write the small AXL WSDL to a file, as a script would have it beside itself."""
    text = files("wire").joinpath("wsdl", "axl.wsdl").read_text()
    text = text.replace(
        '<operation name="executeSQLQuery"><input message="w:executeSQLQuery"/>',
        '<operation name="executeSQLQuery"><input message="w:executeSQLQuery"/>'
        '<output message="w:executeSQLQueryResponse"/>',
    )
    text = text.replace(
        '<operation name="executeSQLQuery"><soap:operation soapAction=""/>'
        '<input><soap:body use="literal"/></input>',
        '<operation name="executeSQLQuery"><soap:operation soapAction=""/>'
        '<input><soap:body use="literal"/></input>'
        '<output><soap:body use="literal"/></output>',
    )
    text = text.replace(
        '<message name="executeSQLQuery">',
        '<message name="executeSQLQueryResponse">'
        '<part name="body" element="a:executeSQLQueryResponse"/></message>'
        '<message name="executeSQLQuery">',
    )
    text = text.replace(
        '<xsd:element name="executeSQLQuery" type="a:Sql"/>',
        '<xsd:element name="executeSQLQuery" type="a:Sql"/>'
        '<xsd:element name="executeSQLQueryResponse"><xsd:complexType><xsd:sequence>'
        '<xsd:element name="return"><xsd:complexType><xsd:sequence>'
        '<xsd:element name="row" type="xsd:anyType" minOccurs="0" '
        'maxOccurs="unbounded"/></xsd:sequence></xsd:complexType></xsd:element>'
        '</xsd:sequence><xsd:attribute name="sequence" type="xsd:unsignedLong"/>'
        "</xsd:complexType></xsd:element>",
    )
    path = Path(tempfile.mkdtemp()) / "axl.wsdl"
    path.write_text(text.replace("{version}", "8.5"))
    return str(path)


def zeep_client(wsdl: str) -> zeep.Client:
    warnings.simplefilter("ignore")
    session = requests.Session()
    session.auth = ("axl", "password")
    session.verify = False
    # Else a CA bundle named in the environment overrides verify.
    session.trust_env = False
    transport = Transport(session=session, timeout=30, operation_timeout=30)
    settings = zeep.Settings(strict=False, xml_huge_tree=True)
    return zeep.Client(wsdl, transport=transport, settings=settings)


def service_at(client: zeep.Client, address: str) -> Any:
    [binding] = client.wsdl.bindings
    return client.create_service(binding, f"https://{address}:8443/axl/")


def zeep_rows(service: Any, text: str) -> list[dict[str, str | None]]:
    """Read rows as dictionaries, which zeep leaves as elements."""
    reply = service.executeSQLQuery(sql=text)
    rows = reply["return"]["row"]
    return [{cell.tag: cell.text for cell in row} for row in rows]


def bare_context() -> ssl.SSLContext:
    """Trust every certificate: what is timed is the client, and the server is ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def bare_query(text: str) -> bytes:
    body = soap.build_request("axl", "executeSQLQuery", "8.5", sql=text)
    return bare_request("/axl/", "CUCM:DB ver=8.5 executeSQLQuery", body)


def bare_request(path: str, action: str, body: bytes) -> bytes:
    """Give the same bytes that the wire sends, made by hand once."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: node:8443\r\nUser-Agent: cupadmin\r\n"
        "Accept-Encoding: identity\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: "{action}"\r\n'
        f"Content-Length: {len(body)}\r\n"
        "Authorization: Basic YXhsOnBhc3N3b3Jk\r\n\r\n"
    ).encode() + body


async def bare_ask(address: str, context: ssl.SSLContext, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(
        address, 8443, ssl=context, server_hostname=""
    )
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    writer.transport.abort()
    return body
