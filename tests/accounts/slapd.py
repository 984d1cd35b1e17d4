"""A real slapd on a loopback port, with TLS by a CA of its own."""

import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BASE = "dc=example,dc=com"
PEOPLE = {"lena": "lena's pass phrase", "lars": "lars's pass phrase"}
# Debian keeps the server out of the path of ordinary users.
SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/libexec:/usr/lib/openldap")

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "dc=example,dc=com"
rootdn "cn=console,dc=example,dc=com"
rootpw "the bind password"
directory {folder}/db
require authc
security simple_bind=128
"""
TREE = """
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups
"""
PERSON = """
dn: uid={uid},ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
cn: he{uid}
givenName: {first}
sn: Ldap
mail: {uid}@example.com
userPassword: {password}
"""
GROUP = """
dn: cn={name},ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: {name}
member: {member}
"""


class Slapd:
    """Runs until `stop`; the people are lena, an operator, and lars, in no group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "db").mkdir()
        write_certificates(folder)
        (folder / "slapd.conf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "tree.ldif").write_text("\n".join(tree()))
        self.run("-T", "add", "-l", str(folder / "tree.ldif"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> None:
        command = [str(SLAPD), *arguments, "-f", str(self.folder / "slapd.conf")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        command = [str(SLAPD), "-h", self.url, "-d", "0"]
        self.server = subprocess.Popen(
            [*command, "-f", str(self.folder / "slapd.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("slapd does not listen")

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(120)
            self.server = None


def tree() -> list[str]:
    people = [
        PERSON.format(uid=uid, first=uid.title(), password=password)
        for uid, password in PEOPLE.items()
    ]
    lena = f"uid=lena,ou=people,{BASE}"
    inner = GROUP.format(name="cup-operators", member=lena)
    outer = GROUP.format(name="everybody", member=f"cn=cup-operators,ou=groups,{BASE}")
    return [TREE, *people, inner, outer]


def write_certificates(folder: Path) -> None:
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificate("slapd CA", ca_key, "slapd CA", ca_key, ca=True)
    server = certificate("localhost", key, "slapd CA", ca_key, ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def certificate(name, key, issuer, issuer_key, *, ca: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        address = x509.IPAddress(IPv4Address("127.0.0.1"))
        names = x509.SubjectAlternativeName([address])
        made = made.add_extension(names, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
