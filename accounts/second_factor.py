"""The second factor: codes of an authenticator app, and recovery codes."""

import hashlib
import hmac
import json
import os
import secrets
import time
from base64 import b32decode, b32encode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts import audit, lockout
from accounts.audit import Actor
from accounts.backends import PROVIDER_BACKEND, address_of
from accounts.models import SecondFactor
from accounts.roles import role_of
from cupadmin.identity import Oidc

# What every authenticator app understands (RFC 6238).
DIGITS = 6
SECONDS = 30
# Codes of the step before and after are right too: clocks differ a little.
DRIFT = (-1, 0, 1)
RECOVERY_CODES = 10
RECOVERY_DIGITS = 16


def of(user: User) -> SecondFactor | None:
    """Return the second factor that this user is asked for."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()


def is_missing(user: User, request: HttpRequest | None = None) -> bool:
    """Whether the role of this user demands a second factor that is not there."""
    if not settings.REQUIRE_SECOND_FACTOR:
        return False
    backend = request.session.get(BACKEND_SESSION_KEY, "") if request else ""
    if is_asked_elsewhere(backend):
        return False
    return role_of(user) in settings.REQUIRE_SECOND_FACTOR and of(user) is None


def is_asked_elsewhere(backend: str) -> bool:
    """Whether who comes through this backend typed a second factor at the provider."""
    provider: Oidc | None = settings.OIDC
    return bool(backend == PROVIDER_BACKEND and provider and provider.second_factor)


@transaction.atomic
def begin(user: User) -> None:
    """Make a fresh secret, unless a confirmed one is in use."""
    factor, _ = SecondFactor.objects.select_for_update().get_or_create(user=user)
    if factor.confirmed_at is None:
        factor.seal("secret", b32encode(os.urandom(20)).decode())
        factor.save(update_fields=["secret"])


def address(factor: SecondFactor) -> str:
    """Return what the QR code says: whose account, and the secret."""
    name = factor.user.get_username()
    return totp(factor).get_provisioning_uri(name, "cupadmin")


def qr_code(factor: SecondFactor) -> SafeString:
    import segno  # no process needs it but for this page

    drawing = segno.make(address(factor), error="m").svg_inline(
        omitsize=True, border=4, light="#fff", dark="#000", svgclass=None
    )
    return mark_safe(drawing)  # noqa: S308 - numbers and our own attributes


def totp(factor: SecondFactor) -> TOTP:
    key = b32decode(factor.unseal("secret").reveal())
    # SHA-1 is what the apps speak; HMAC does not suffer from its collisions.
    return TOTP(key, DIGITS, SHA1(), SECONDS)  # noqa: S303


@transaction.atomic
def confirm(factor: SecondFactor, typed: str, actor: Actor) -> list[str] | None:
    """Switch it on with a first code; return the recovery codes, None if wrong."""
    if not accept_app_code(factor, digits_of(typed)):
        return None
    factor.confirmed_at = timezone.now()
    factor.save(update_fields=["confirmed_at"])
    audit.record(actor, "set up second factor", factor.user)
    return fresh_recovery_codes(factor)


@transaction.atomic
def renew_recovery_codes(factor: SecondFactor, actor: Actor) -> list[str]:
    audit.record(actor, "renew recovery codes", factor.user)
    return fresh_recovery_codes(factor)


@transaction.atomic
def remove(user: User, action: str, actor: Actor) -> bool:
    """Delete the second factor and tell whether there was one."""
    deleted = SecondFactor.objects.filter(user=user).delete()[0]
    if deleted:
        audit.record(actor, action, user)
    return bool(deleted)


@transaction.atomic
def reset(user: User, actor: Actor) -> bool:
    """Take it from somebody who lost it; all sessions of the user end."""
    removed = remove(user, "reset second factor", actor)
    if removed:
        user.sessions.all().delete()
    return removed


def fresh_recovery_codes(factor: SecondFactor) -> list[str]:
    """Store hashes of new codes in place of the old ones and return the codes."""
    codes = [
        f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}"
        for _ in range(RECOVERY_CODES)
    ]
    factor.seal("recovery", json.dumps([hash_of(code) for code in codes]))
    factor.save(update_fields=["recovery"])
    return [grouped(code) for code in codes]


def grouped(code: str) -> str:
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def recovery_codes_left(factor: SecondFactor) -> int:
    return len(hashes(factor))


def hashes(factor: SecondFactor) -> list[str]:
    found: list[str] = json.loads(factor.unseal("recovery").reveal() or "[]")
    return found


def attempt(request: HttpRequest, factor: SecondFactor, typed: str) -> str:
    """Try a code, counted like a password; return why it was refused, or nothing."""
    name = factor.user.get_username()
    try:
        lockout.reserve(name, address_of(request))
    except lockout.Locked as locked:
        if locked.first:
            audit.record(audit.stranger(request), "lock sign-in", factor.user)
        return locked.sentence
    if accept(factor, typed):
        lockout.forgive(name, address_of(request))
        return ""
    audit.record(audit.stranger(request), "refuse second factor", factor.user)
    return "The code is wrong or was used already. Wait for the next one."


def accept(factor: SecondFactor, typed: str) -> bool:
    """Use up a code of the app or for recovery; each is right only once."""
    code = digits_of(typed)
    if len(code) == RECOVERY_DIGITS:
        return accept_recovery_code(factor, code)
    return accept_app_code(factor, code)


def digits_of(typed: str) -> str:
    """Return the digits without the spaces and dashes between them."""
    code = "".join(typed.split()).replace("-", "")
    return code if code.isascii() and code.isdigit() else ""


def accept_app_code(factor: SecondFactor, code: str) -> bool:
    step = step_of(factor, code)
    # The database decides which of two that send the same code was first.
    newer = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
    return bool(step and newer.update(last_step=step))


def step_of(factor: SecondFactor, code: str) -> int:
    """Return the time step that this code belongs to; 0 if it is wrong."""
    now, app = int(time.time()) // SECONDS, totp(factor)
    for step in (now + drift for drift in DRIFT):
        if hmac.compare_digest(app.generate(step * SECONDS), code.encode()):
            return step
    return 0


def accept_recovery_code(factor: SecondFactor, code: str) -> bool:
    before, left = factor.recovery, hashes(factor)
    if hash_of(code) not in left:
        return False
    left.remove(hash_of(code))
    factor.seal("recovery", json.dumps(left))
    same = SecondFactor.objects.filter(pk=factor.pk, recovery=before)
    return bool(same.update(recovery=factor.recovery))
