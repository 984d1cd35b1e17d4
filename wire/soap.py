"""Requests: zeep builds them from small WSDLs of our own.

Replies are not read with zeep: it turns another order of elements, another namespace
or a bad number into None without a word (see xml.py).
"""

from ast import literal_eval
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any, NoReturn

import zeep
from lxml import etree
from zeep.transports import Transport

XML = b"<?xml version='1.0' encoding='utf-8'?>\n"


class _Offline(Transport):
    """Refuses to load anything: our WSDLs import nothing."""

    def load(self, url: str) -> NoReturn:
        raise ValueError(f"A WSDL of the console asks for {url}")


@lru_cache(maxsize=32)
def _client(wsdl: str, version: str) -> zeep.Client:
    text = files("wire").joinpath("wsdl", f"{wsdl}.wsdl").read_text()
    settings = zeep.Settings(
        strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    document = BytesIO(text.replace("{version}", version).encode())
    transport = _Offline()  # type: ignore[no-untyped-call]
    return zeep.Client(document, transport=transport, settings=settings)  # type: ignore[no-untyped-call]


def build_envelope(
    wsdl: str, operation: str, version: str = "", **values: Any
) -> bytes:
    """Build the request of an operation."""
    client = _client(wsdl, version)
    message = client.create_message(client.service, operation, **values)  # type: ignore[no-untyped-call]
    return XML + bytes(etree.tostring(message, encoding="utf-8"))


def build_request(wsdl: str, operation: str, version: str = "", **values: Any) -> bytes:
    """Build the request of a read; a sweep sends the same to a thousand nodes.

    Only reads are remembered: a write may hold a password.
    """
    return _remembered(wsdl, operation, version, repr(values))


@lru_cache(maxsize=128)
def _remembered(wsdl: str, operation: str, version: str, values: str) -> bytes:
    return build_envelope(wsdl, operation, version, **literal_eval(values))
