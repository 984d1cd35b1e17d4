"""The three roles and who holds them."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import models


class Role(models.TextChoices):
    """The three roles; each is a Django group of the same name."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, needed: "Role") -> bool:
        return self.rank >= needed.rank


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """Return the highest role of an active user; None means no access at all."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if not hasattr(user, "_cupadmin_role"):
        user._cupadmin_role = held_role(user)  # type: ignore[attr-defined]
    role: Role | None = user._cupadmin_role  # type: ignore[attr-defined]
    return role


def has_role(user: AbstractBaseUser | AnonymousUser, needed: Role) -> bool:
    """Whether a user may do what needs this role."""
    return covers_role(role_of(user), needed)


def covers_role(held: Role | None, needed: Role) -> bool:
    return held is not None and held.covers(needed)


def held_role(user: User) -> Role | None:
    """Return the role that a user has, or would have again once active."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    names = {group.name for group in user.groups.all()}
    held = [role for role in Role if role.value in names]
    return held[-1] if held else None
