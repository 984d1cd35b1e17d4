"""Signed again after a change: what a careless provider would send."""

from collections.abc import Callable
from typing import Any

import xmlsec
from lxml import etree

NS = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}


def edited(path: str, change: Callable[[Any], object]) -> Callable[[str], str]:
    """Return an edit of the nodes of an answer, made after it was signed."""

    def edit(text: str) -> str:
        root = etree.fromstring(text.encode())
        for node in root.xpath(path, namespaces=NS):
            change(node)
        return etree.tostring(root).decode()

    return edit


def signed_again(
    path: str, change: Callable[[Any], object], key: str
) -> Callable[[str], str]:
    """Return an edit after which the assertion is signed with this key file."""

    def edit(text: str) -> str:
        root = etree.fromstring(edited(path, change)(text).encode())
        assertion = root.find("a:Assertion", NS)
        assertion.remove(assertion.find("ds:Signature", NS))
        assertion.insert(1, blank_signature(assertion.get("ID")))
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key, xmlsec.constants.KeyDataFormatPem)
        context.sign(assertion.find("ds:Signature", NS))
        return etree.tostring(root).decode()

    return edit


def blank_signature(identifier: str) -> Any:
    transforms = xmlsec.constants
    node = xmlsec.template.create(
        etree.Element("x"), transforms.TransformExclC14N, transforms.TransformRsaSha256
    )
    reference = xmlsec.template.add_reference(
        node, transforms.TransformSha256, uri=f"#{identifier}"
    )
    xmlsec.template.add_transform(reference, transforms.TransformEnveloped)
    xmlsec.template.add_transform(reference, transforms.TransformExclC14N)
    return node
