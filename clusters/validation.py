"""What may be typed into the fields of clusters, nodes and peers."""

from typing import Any

from cryptography import x509
from django.core.exceptions import ValidationError

from wire import PeerTable, WireError, parse_host


def validate_host(text: str) -> None:
    """An IP address, host name, FQDN or DNS SRV name, and nothing around it."""
    try:
        parse_host(text)
    except WireError as error:
        raise ValidationError(error.message, error.code.value) from None


def clean_host(text: str) -> str:
    """Return the address as it is stored: stripped, in lower case."""
    try:
        return str(parse_host(text.strip()))
    except WireError as error:
        raise ValidationError(error.message, error.code.value) from None


def validate_pem(text: str) -> None:
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValidationError("This is not a certificate in PEM form.") from None
    if not certificates:
        raise ValidationError("There is no certificate in this text.")


def validate_peer_table(mapping: Any) -> None:
    try:
        PeerTable.from_dict(mapping)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        text = f"The peer table mapping is not valid: {error}"
        raise ValidationError(text, "unusable") from None


def validate_credential(text: str) -> None:
    """A user name or password that every interface of a cluster can carry."""
    if not text.isprintable():
        raise ValidationError("Control characters are not allowed here.", "control")
