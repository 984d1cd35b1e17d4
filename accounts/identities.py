"""People whom somebody else vouches for, and the accounts that are theirs here."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit, users
from accounts.audit import Actor
from accounts.models import Identity
from accounts.roles import Role
from cupadmin.identity import Admission


class Refused(Exception):
    """Somebody may not come in; the text is for that person."""


@dataclass(frozen=True)
class Person:
    """Who somebody is for the system that vouches; `subject` never changes there."""

    provider: str
    issuer: str
    subject: str
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    groups: Collection[str] = field(default_factory=list)


def admit(person: Person, rules: Admission, actor: Actor) -> User:
    """Return the account of this person, made or brought up to date.

    Raises:
        Refused: there is none, or its groups give no role.
    """
    if not 0 < len(person.subject) <= 255:
        raise Refused("It is not said who you are there.")
    role = role_by_groups(person, rules)
    try:
        with transaction.atomic():
            identity = of_person(person)
            if identity is None:
                return create(person, rules, role, actor)
            return update(identity, rules, role, actor)
    except users.LastAdministrator:
        raise Refused(
            "With the role of your groups nobody would be administrator here."
        ) from None
    except IntegrityError:
        raise Refused("You are signing in twice at once. Try again.") from None


def of_person(person: Person) -> Identity | None:
    found = Identity.objects.select_related("user")
    return found.filter(issuer=person.issuer, subject=person.subject).first()


def role_by_groups(person: Person, rules: Admission) -> Role | None:
    """Return the highest role of the groups; None where they decide nothing."""
    if rules.required_group and rules.required_group not in person.groups:
        raise Refused("You are not in the group that may use this console.")
    if not rules.roles:
        return None
    held = {rules.roles[group] for group in person.groups if group in rules.roles}
    if rules.default_role:
        held.add(rules.default_role)
    if not held:
        raise Refused("None of your groups has a role on this console.")
    return max((Role(name) for name in held), key=lambda role: role.rank)


def create(person: Person, rules: Admission, role: Role | None, actor: Actor) -> User:
    if not rules.create_accounts:
        raise Refused("You have no account on this console. Ask an administrator.")
    role = role or (Role(rules.default_role) if rules.default_role else None)
    if role is None:
        raise Refused("There is no role for you on this console.")
    if User.objects.filter(username__iexact=person.username).exists():
        raise Refused(
            f"Another account here is named {person.username}. If it is yours, sign in"
            " with its password and connect it on the page Second factor."
        )
    user = User(username=person.username, **details(person))
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError:
        raise Refused("Your user name there does not fit as one here.") from None
    users.save(user, role, actor)
    link(user, person)
    return user


def details(person: Person) -> dict[str, str]:
    """Return names and address, as far as they fit."""
    try:
        validate_email(person.email)
        email = person.email
    except ValidationError:
        email = ""
    return {
        "first_name": person.first_name[:150],
        "last_name": person.last_name[:150],
        "email": email,
    }


def update(
    identity: Identity, rules: Admission, role: Role | None, actor: Actor
) -> User:
    user = identity.user
    if not user.is_active:
        raise Refused("Your account on this console is deactivated.")
    if role is not None and users.role_of_fresh(user) != role:
        users.save(user, role, actor)
    Identity.objects.filter(pk=identity.pk).update(used_at=timezone.now())
    return user


def link(user: User, person: Person) -> Identity:
    return Identity.objects.create(
        user=user,
        provider=person.provider,
        issuer=person.issuer,
        subject=person.subject,
        used_at=timezone.now(),
    )


@transaction.atomic
def connect(user: User, person: Person, actor: Actor) -> None:
    """Let this person sign in to an account that is here already.

    Raises:
        Refused: the person, or the account, is connected otherwise.
    """
    if of_person(person) is not None:
        raise Refused("You are connected with an account of this console already.")
    if user.identities.filter(provider=person.provider).exists():
        raise Refused("This account is connected with somebody else there.")
    link(user, person)
    audit.record(actor, "connect account", user, {person.provider: [None, "connected"]})


@transaction.atomic
def disconnect(user: User, provider: str, actor: Actor) -> bool:
    """Take the connection away and tell whether there was one."""
    if not user.has_usable_password():
        return False
    deleted = user.identities.filter(provider=provider).delete()[0]
    if deleted:
        audit.record(actor, "disconnect account", user, {provider: ["connected", None]})
    return bool(deleted)
