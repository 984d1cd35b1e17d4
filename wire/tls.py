"""TLS contexts, pins, and reading a node's certificate."""

import hashlib
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from wire.errors import Code, WireError, clean_text
from wire.node import Trust

# Old Tomcats know neither RFC 5746 nor anything above TLS 1.0.
_LONGEST_NAME, _LONGEST_SUBJECT = 253, 1000
_OP_LEGACY_SERVER_CONNECT = 0x4
# What the library raises besides ValueError for a certificate that is damaged.
_UNREADABLE = (
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class Certificate:
    """A node's certificate as it was presented in a handshake."""

    fingerprint: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    key_bits: int
    self_signed: bool
    pem: str
    signature_algorithm: str
    tls_version: str
    common_name: str = ""

    def days_left(self, now: datetime) -> int:
        """Give the whole days until it expires, negative after."""
        return (self.not_after - now).days


@dataclass(frozen=True)
class Handshake:
    """What a node presented when a connection was opened, and how long that took."""

    der: bytes = b""
    tls_version: str = ""
    duration_ms: float = 0.0
    at: datetime | None = None


def context_for(trust: Trust, node: str) -> ssl.SSLContext:
    """Give the shared context of a trust setting, or refuse to connect at all."""
    if trust.ca_pem:
        return _authority_context(trust.ca_pem)
    if not trust.fingerprint:
        raise WireError(Code.CERTIFICATE_UNKNOWN, node=node)
    return unverified_context(trust.legacy)


@lru_cache(maxsize=256)
def _authority_context(ca_pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError):
        message = "The uploaded CA cannot be read: it must be a PEM certificate."
        raise WireError(Code.CERTIFICATE_INVALID, message) from None
    return context


@lru_cache(maxsize=4)
def unverified_context(
    legacy: bool, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
) -> ssl.SSLContext:
    """Give a context whose user checks the certificate after the handshake.

    CERT_NONE here is not "verify off": a pinned certificate is self-signed, carries
    names of another age, and is compared whole, by SHA-256, in `check_pin` before
    the first byte is sent. `fetch_certificate` and SIP OPTIONS send nothing secret.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    if legacy:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= _OP_LEGACY_SERVER_CONNECT
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def fingerprint_of(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest() if der else ""


def check_pin(handshake: Handshake, trust: Trust, node: str) -> None:
    """Compare the presented certificate with the confirmed one."""
    if trust.ca_pem:
        return
    presented = fingerprint_of(handshake.der)
    if presented != trust.fingerprint:
        detail = f"presented {presented[:16]}…, confirmed {trust.fingerprint[:16]}…"
        raise WireError(Code.CERTIFICATE_CHANGED, node=node, detail=detail)


def read_certificate(handshake: Handshake, node: str) -> Certificate:
    try:
        return describe_certificate(handshake.der, handshake.tls_version)
    except ValueError:
        message = f"The certificate of {node} cannot be read."
        raise WireError(Code.TLS, message) from None


def describe_certificate(der: bytes, tls_version: str = "") -> Certificate:
    """Read a certificate; a ValueError says that it cannot be read."""
    try:
        return _describe_details(der, tls_version)
    except _UNREADABLE as error:
        raise ValueError("not a certificate that can be read") from error


def _describe_details(der: bytes, tls_version: str) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    algorithm = certificate.signature_algorithm_oid
    return Certificate(
        fingerprint=fingerprint_of(der),
        subject=clean_text(certificate.subject.rfc4514_string(), _LONGEST_SUBJECT),
        issuer=clean_text(certificate.issuer.rfc4514_string(), _LONGEST_SUBJECT),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
        names=_names(certificate),
        key_bits=getattr(certificate.public_key(), "key_size", 0),
        self_signed=certificate.subject == certificate.issuer,
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        signature_algorithm=getattr(algorithm, "_name", algorithm.dotted_string),
        tls_version=tls_version,
        common_name=next(iter(_common_names(certificate)), ""),
    )


def _common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return tuple(clean_text(str(name.value), _LONGEST_NAME) for name in names)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Give the alternative names, or the common name where there are none."""
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return _common_names(certificate)
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*(clean_text(name, _LONGEST_NAME) for name in names), *map(str, addresses))
