"""Changes to users: their role, whether they may sign in, their password."""

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role, role_of


class LastAdministrator(Exception):
    """Nobody could administer the console any more."""

    def __init__(self) -> None:
        super().__init__("This is the last administrator that may sign in.")


def administrators() -> QuerySet[User]:
    holds = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    return User.objects.filter(holds, is_active=True).distinct()


def describe(user: User) -> dict[str, object]:
    return {
        "name": user.get_full_name(),
        "email": user.email,
        "role": role_of_fresh(user),
        "may sign in": user.is_active,
    }


def role_of_fresh(user: User) -> str | None:
    user.__dict__.pop("_cupadmin_role", None)
    held = role_of(user) if user.is_active else None
    return str(held) if held else None


@transaction.atomic
def save(user: User, role: Role, actor: Actor) -> None:
    """Store a new or edited user with its role.

    Raises:
        LastAdministrator: nobody else could administer the console.
    """
    creating = user.pk is None
    stored = None if creating else User.objects.get(pk=user.pk)
    old = describe(stored) if stored else {}
    user.save()
    user.groups.set([Group.objects.get_or_create(name=role.value)[0]])
    if user.is_superuser and role != Role.ADMINISTRATOR:
        user.is_superuser = False
        user.save(update_fields=["is_superuser"])
    guard_last_administrator()
    if not user.is_active:
        user.sessions.all().delete()
    action = "add user" if creating else "edit user"
    audit.record(actor, action, user, audit.differences(old, describe(user)))


def guard_last_administrator() -> None:
    # Locked in id order, so that two who demote each other meet here.
    locked = User.objects.select_for_update().order_by("pk")
    list(locked.filter(groups__name=Role.ADMINISTRATOR).values_list("pk"))
    if not administrators().exists():
        raise LastAdministrator


@transaction.atomic
def set_password(user: User, password: str, actor: Actor) -> None:
    """Give another password; all sessions of the user end, tokens stay."""
    user.set_password(password)
    user.save(update_fields=["password"])
    user.sessions.all().delete()
    changed = {"password": ["changed", "changed"]}
    audit.record(actor, "set password", user, changed)


@transaction.atomic
def revoke_tokens(user: User, actor: Actor) -> int:
    """Revoke all API tokens of a user and tell how many there were."""
    deleted = user.tokens.all().delete()[0]
    if deleted:
        audit.record(actor, "revoke tokens", user, {"tokens": [deleted, 0]})
    return deleted
