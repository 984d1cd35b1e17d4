"""Certificates of the nodes and the TLS contexts that present them."""

import datetime
import hashlib
import ipaddress
import ssl
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class TlsIdentity:
    """A key and certificate in one PEM file."""

    path: Path

    @cached_property
    def pem(self) -> str:
        """Return the certificate without its key."""
        text = self.path.read_text()
        return text[text.index("-----BEGIN CERTIFICATE") :]

    @cached_property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the certificate in hexadecimal, without colons."""
        der = ssl.PEM_cert_to_DER_cert(self.pem)
        return hashlib.sha256(der).hexdigest()


def new_key(kind: str = "ec") -> Key:
    """Return a new key: `ec`, or the number of bits of an RSA key."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(kind))


def identity_at(
    path: Path, name: str, address: str, key: Key | None = None, *, days: int = 1825
) -> TlsIdentity:
    """Return the identity kept at a path, made first if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pem = _self_signed(name, address, key or new_key(), days)
        path.touch(mode=0o600)
        path.write_bytes(pem)
    return TlsIdentity(path)


def _self_signed(name: str, address: str, key: Key, days: int) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(days=days)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    alternatives: list[x509.GeneralName] = [
        x509.DNSName(name),
        x509.IPAddress(ipaddress.ip_address(address)),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - datetime.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def server_context(
    identity: TlsIdentity, *, trusted: list[Path] | None = None, legacy: bool = False
) -> ssl.SSLContext:
    """Return a server's context: mutual when `trusted` is given, or TLS 1.0 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if legacy:
        _only_tls_1_0(context)
    context.load_cert_chain(identity.path)
    if trusted is not None:
        # In TLS 1.3 the refusal would reach the client after its handshake.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        for path in trusted:
            context.load_verify_locations(path)
    return context


def _only_tls_1_0(context: ssl.SSLContext) -> None:
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1


def trusting_context() -> ssl.SSLContext:
    """Return the context of the lab's own sync agents, which trust every peer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
