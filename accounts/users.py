"""Changes to users: their role, whether they may sign in, their password."""

from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit, cluster_limits
from accounts.audit import Actor
from accounts.models import ClusterLimit
from accounts.roles import Role, role_of


class LastAdministrator(Exception):
    """Nobody could administer the console any more."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__(
            "This is the last administrator of all clusters that may sign in."
        )


def administrators() -> QuerySet[User]:
    """Those who administer all clusters, and everybody else."""
    holds = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    return User.objects.filter(holds, is_active=True, limit=None).distinct()


def describe_user(user: User) -> dict[str, object]:
    return {
        "name": user.get_full_name(),
        "email": user.email,
        "role": role_of_fresh(user),
        "may sign in": user.is_active,
        "clusters": cluster_names(limit_of(user)),
    }


def limit_of(user: User) -> list[str]:
    """The ids of the clusters that the user is limited to, as stored now."""
    rows = ClusterLimit.objects.filter(user=user).values_list("clusters", flat=True)
    return next(iter(rows), [])


def cluster_names(clusters: Collection[str]) -> str:
    """The names of chosen clusters; a deleted one goes by its id."""
    names = {str(pk): name for pk, name in cluster_limits.cluster_names().items()}
    return ", ".join(sorted(names.get(pk, pk) for pk in clusters)) or "all"


def role_of_fresh(user: User) -> str | None:
    user.__dict__.pop("_cupadmin_role", None)
    held = role_of(user) if user.is_active else None
    return str(held) if held else None


@transaction.atomic
def save_user(
    user: User,
    role: Role,
    actor: Actor,
    clusters: Collection[str] | None = None,
    *,
    by_groups: bool = False,
) -> None:
    """Store a new or edited user with its role.

    Args:
        clusters: the ids of those that the user is limited to; none of them means
            all, None leaves it as it is.
        by_groups: the limit comes from the user's groups, not from an administrator.

    Raises:
        LastAdministrator: nobody else could administer the console.
    """
    creating = user.pk is None
    stored = None if creating else User.objects.get(pk=user.pk)
    old = describe_user(stored) if stored else {}
    user.save()
    user.groups.set([Group.objects.get_or_create(name=role.value)[0]])
    if user.is_superuser and role != Role.ADMINISTRATOR:
        user.is_superuser = False
        user.save(update_fields=["is_superuser"])
    if clusters is not None:
        limit_user(user, clusters, by_groups=by_groups)
    guard_last_administrator()
    if not user.is_active:
        user.sessions.all().delete()
    action = "add user" if creating else "edit user"
    audit.append_entry(actor, action, user, audit.differences(old, describe_user(user)))


def limit_user(
    user: User, clusters: Collection[str], *, by_groups: bool = False
) -> None:
    if clusters:
        values = {"clusters": sorted(clusters), "by_groups": by_groups}
        ClusterLimit.objects.update_or_create(user=user, defaults=values)
    else:
        ClusterLimit.objects.filter(user=user).delete()


@transaction.atomic
def withdraw_role(user: User, actor: Actor) -> bool:
    """Take the role away, so that sessions and tokens of the user end.

    Returns whether there was one.

    Raises:
        LastAdministrator: nobody else could administer the console.
    """
    old = role_of_fresh(user)
    if old is None:
        return False
    user.groups.clear()
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    user.is_superuser = False
    guard_last_administrator()
    user.sessions.all().delete()
    audit.append_entry(actor, "withdraw role", user, {"role": [old, None]})
    return True


def guard_last_administrator() -> None:
    # Locked in id order, so that two who demote each other meet here.
    locked = User.objects.select_for_update().order_by("pk")
    list(locked.filter(groups__name=Role.ADMINISTRATOR).values_list("pk"))
    if not administrators().exists():
        raise LastAdministrator


@transaction.atomic
def password_fault(password: str, user: User) -> str:
    """Why the pages would not take this password; empty where they would."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def set_password(user: User, password: str, actor: Actor) -> None:
    """Give another password; all sessions of the user end, tokens stay."""
    user.set_password(password)
    user.save(update_fields=["password"])
    user.sessions.all().delete()
    changed = {"password": ["changed", "changed"]}
    audit.append_entry(actor, "set password", user, changed)


@transaction.atomic
def revoke_tokens(user: User, actor: Actor) -> int:
    """Revoke all API tokens of a user and tell how many there were."""
    deleted = user.tokens.all().delete()[0]
    if deleted:
        audit.append_entry(actor, "revoke tokens", user, {"tokens": [deleted, 0]})
    return deleted
