"""Who is asking: Basic credentials, and the session cookie that replaces them."""

import base64
import binascii
import http.cookies
import secrets
import time
from dataclasses import dataclass, field

from .http import LabRequest, Response
from .http_faults import refusal_page

COOKIE = "JSESSIONIDSSO"
IDLE = 30 * 60
FULL, READ_ONLY, NONE = "full", "read-only", "none"


@dataclass(frozen=True)
class Caller:
    """An application user that has shown who it is."""

    name: str
    role: str
    cookie: str = ""


@dataclass
class RestSessions:
    """The sessions of one node."""

    credentials: dict[str, tuple[str, str]]
    domain: str
    open: dict[str, tuple[str, float]] = field(default_factory=dict)

    def identify(self, request: LabRequest) -> Caller | Response:
        """Return who sent a request, or the refusal that it gets."""
        cookie = cookie_of(request)
        known = self.open.get(cookie)
        if known and time.time() - known[1] > IDLE:
            del self.open[cookie]
            return refusal_page(404, "The session is no longer valid.")
        if known:
            self.open[cookie] = (known[0], time.time())
            return self._caller(known[0], self.credentials.get(known[0], ("", ""))[1])
        return self._by_credentials(request)

    def age(self, seconds: float) -> None:
        """Make every session older, as if it had been idle."""
        self.open = {c: (name, at - seconds) for c, (name, at) in self.open.items()}

    def _by_credentials(self, request: LabRequest) -> Caller | Response:
        name, password = basic_credentials(request)
        stored, role = self.credentials.get(name, ("", ""))
        if not secrets.compare_digest(stored.encode(), password.encode()) or not role:
            return refusal_page(401, "This request requires HTTP authentication ().")
        caller = self._caller(name, role, secrets.token_hex(16).upper())
        if isinstance(caller, Caller):
            self.open[caller.cookie] = (name, time.time())
        return caller

    def _caller(self, name: str, role: str, cookie: str = "") -> Caller | Response:
        if not role:
            return refusal_page(401, "This request requires HTTP authentication ().")
        if role == NONE:
            return refusal_page(403, "Access to the requested resource has been denied")
        return Caller(name, role, cookie)

    def welcome(self, caller: Caller, response: Response) -> None:
        """Hand a caller its cookie, if it is a new one."""
        if caller.cookie:
            value = (
                f"{COOKIE}={caller.cookie}; Domain={self.domain}; Path=/; "
                "Secure; HttpOnly"
            )
            response.headers.append(("Set-Cookie", value))


def cookie_of(request: LabRequest) -> str:
    try:
        jar = http.cookies.SimpleCookie(request.headers.get("cookie", ""))
    except http.cookies.CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def basic_credentials(request: LabRequest) -> tuple[str, str]:
    """Return name and password of Basic authentication; empty when there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, password = text.partition(":")
    return name, password
