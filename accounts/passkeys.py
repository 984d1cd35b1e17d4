"""Where browsers allow passkeys, and how they reach our script."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.contrib.auth.models import User
from django.http import HttpRequest


def why_unusable(request: HttpRequest) -> str:
    """Say why no browser makes a passkey for this address; empty where they do."""
    host = urlsplit(f"//{request.get_host()}").hostname or ""
    if is_address(host):
        return "Passkeys need a host name: open the console by its name, not its IP."
    local = host == "localhost" or host.endswith(".localhost")
    if not request.is_secure() and not local:
        return "Passkeys need HTTPS."
    return ""


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def passkey_question(user: User) -> dict[str, Any]:
    """Return what a passkey of this user is to sign; the session keeps it too."""
    return {"request_options": begin_authentication(user)}
