"""Digest authentication of SIP: RFC 7616, and RFC 2617 for old proxies."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from wire import Secret

_FIELD = re.compile(
    r'([a-z-]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,1000})"|([^\s,"]{1,200}))', re.I
)
_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass(frozen=True)
class Challenge:
    """What a proxy wants to be answered."""

    realm: str
    nonce: str
    algorithm: str
    qop: tuple[str, ...]
    opaque: str
    stale: bool


def read_challenge(value: str) -> Challenge | None:
    """Read a challenge; None where it is no Digest or asks for what is not known."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.casefold() != "digest":
        return None
    fields: dict[str, str] = {}
    for name, quoted, plain in _FIELD.findall(rest[:4000]):
        fields.setdefault(name.casefold(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    algorithm = fields.get("algorithm", "MD5").upper()
    qop = tuple(one.strip().casefold() for one in fields.get("qop", "").split(","))
    known = algorithm.removesuffix("-SESS") in _ALGORITHMS
    if not known or "nonce" not in fields or (any(qop) and "auth" not in qop):
        return None
    return Challenge(
        fields.get("realm", ""),
        fields["nonce"],
        algorithm,
        tuple(filter(None, qop)),
        fields.get("opaque", ""),
        fields.get("stale", "").casefold() == "true",
    )


def authorization_header(
    challenge: Challenge, method: str, uri: str, username: str, password: Secret
) -> str:
    """Give the value of the header that answers a challenge."""
    cnonce, count = secrets.token_hex(8), "00000001"
    response = _response(challenge, method, uri, username, password, cnonce, count)
    fields = [
        f'username="{_quoted(username)}"',
        f'realm="{_quoted(challenge.realm)}"',
        f'nonce="{_quoted(challenge.nonce)}"',
        f'uri="{_quoted(uri)}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.opaque:
        fields.append(f'opaque="{_quoted(challenge.opaque)}"')
    if challenge.qop or challenge.algorithm.endswith("-SESS"):
        fields.append(f'cnonce="{cnonce}"')
    if challenge.qop:
        fields += ["qop=auth", f"nc={count}"]
    return f"Digest {', '.join(fields)}"


def _response(
    challenge: Challenge,
    method: str,
    uri: str,
    username: str,
    password: Secret,
    cnonce: str,
    count: str,
) -> str:
    name = _ALGORITHMS[challenge.algorithm.removesuffix("-SESS")]

    def digest(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    first = digest(username, challenge.realm, password.reveal())
    if challenge.algorithm.endswith("-SESS"):
        first = digest(first, challenge.nonce, cnonce)
    second = digest(method, uri)
    if not challenge.qop:
        return digest(first, challenge.nonce, second)
    return digest(first, challenge.nonce, count, cnonce, "auth", second)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
