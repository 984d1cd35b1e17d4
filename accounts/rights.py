"""Whether a person may still do what was requested: the rights of now, not of then."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User

from accounts.cluster_limits import limit_of
from accounts.models import ApiToken
from accounts.roles import Role, covers_role, role_of

_token: ContextVar[UUID | None] = ContextVar("token", default=None)


@dataclass(frozen=True)
class Refusal:
    """Why somebody may not: a stable code, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True)
class RightsRequest:
    """Who requested something, and what it needs."""

    username: str
    user: int | None
    token: UUID | None
    role: Role
    clusters: Collection[UUID] = ()


def token_in_use() -> UUID | None:
    """The API token of the present request or job; None without one."""
    return _token.get()


@contextmanager
def using_token(token: UUID | None) -> Iterator[None]:
    before = _token.set(token)
    try:
        yield
    finally:
        _token.reset(before)


def note_token(token: UUID) -> None:
    """From here to the end of the request: a token was recognized."""
    _token.set(token)


def refusal_of(request: RightsRequest) -> Refusal | None:
    """Why this may not be done now; None if it may. The console itself always may."""
    if request.user is None and not request.username:
        return None
    users = User.objects.select_related("limit")
    user = users.filter(pk=request.user).first() if request.user else None
    name = request.username or (user.get_username() if user else "")
    if user is None:
        return Refusal("refused-user-deleted", f"The user {name} was deleted.")
    if not user.is_active:
        return Refusal("refused-user-inactive", f"The user {name} was deactivated.")
    role, limit = role_of(user), limit_of(user)
    if request.token is not None:
        token = ApiToken.objects.filter(pk=request.token, user=user).first()
        if token is None or not token.usable:
            sentence = f"The API token of {name} was revoked or has expired."
            return Refusal("refused-token", sentence)
        token.user = user
        role, limit = token.effective_role, token.limit
    if not covers_role(role, request.role):
        sentence = f"{name} no longer has the role {request.role.value}."
        return Refusal("refused-role", sentence)
    if limit and not all(limit.admits(cluster) for cluster in request.clusters):
        sentence = f"{name} is now limited to other clusters."
        return Refusal("refused-clusters", sentence)
    return None
