"""People whom somebody else vouches for, and the accounts that are theirs here."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, grants, users
from accounts.audit import Actor
from accounts.cluster_limits import all_clusters
from accounts.grants import Grant
from accounts.identity_settings import Admission
from accounts.models import Identity
from accounts.roles import Role

# What the column of a subject takes; a longer one is stored as its hash.
LONGEST_UID = 191
NOT_NAMED = "The provider does not say who you are."


class SignInRefused(Exception):
    """Somebody may not come in; the text is for that person, the code for programs."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Person:
    """Who somebody is for the system that vouches; `subject` never changes there."""

    kind: str
    issuer: str
    subject: str
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    groups: Collection[str] = field(default_factory=list)

    @property
    def provider(self) -> str:
        return provider_key(self.kind, self.issuer)

    @property
    def uid(self) -> str:
        if len(self.subject) <= LONGEST_UID:
            return self.subject
        return f"sha256:{hashlib.sha256(self.subject.encode()).hexdigest()}"

    @property
    def stored_groups(self) -> list[str]:
        """The groups as the database can hold them."""
        return sorted({group.replace("\0", "")[:255] for group in self.groups})


def provider_key(kind: str, issuer: str) -> str:
    return f"{kind}:{issuer}" if issuer else kind


def of_kind(kind: str) -> QuerySet[Identity]:
    found: QuerySet[Identity] = Identity.objects.filter(provider__startswith=kind)
    return found


def admit_person(person: Person, rules: Admission, actor: Actor) -> User:
    """Return the account of this person, made or brought up to date.

    Raises:
        Refused: there is none, or its groups give no role.
    """
    if not person.subject:
        raise SignInRefused(NOT_NAMED, "not_named")
    grant = grant_by_groups(person, rules, actor)
    try:
        # The request of a sign-in sees no cluster yet; the trail names them.
        with all_clusters(), transaction.atomic():
            identity = of_person(person)
            if identity is None:
                return create_account(person, rules, grant, actor)
            return update_account(identity, person, grant, actor)
    except users.LastAdministrator:
        raise SignInRefused(
            "With the role of your groups nobody would be administrator here.",
            "last_administrator",
        ) from None
    except IntegrityError:
        raise SignInRefused(
            "You are signing in twice at once. Try again.", "twice_at_once"
        ) from None


def of_person(person: Person) -> Identity | None:
    found = Identity.objects.select_related("user")
    row: Identity | None = found.filter(
        provider=person.provider, uid=person.uid
    ).first()
    return row


def grant_by_groups(person: Person, rules: Admission, actor: Actor) -> Grant | None:
    """Return what the person's groups give; None where groups decide nothing.

    Raises:
        Refused: they give nothing. An account that lives by its groups loses its role.
    """
    try:
        return grants.grant_of(person.kind, person.groups, rules)
    except grants.NoGrant as error:
        identity = of_person(person)
        if identity is not None:
            withdraw_identity(identity, person, actor)
        raise SignInRefused(str(error), error.code) from None


def withdraw_identity(identity: Identity, person: Person, actor: Actor) -> None:
    try:
        with transaction.atomic():
            note_sign_in(identity, person)
            grants.apply_to(identity, actor)
    except users.LastAdministrator:
        raise SignInRefused(
            "None of your groups has a role, but nobody else is administrator here.",
            "last_administrator",
        ) from None


def create_account(
    person: Person, rules: Admission, grant: Grant | None, actor: Actor
) -> User:
    if not rules.create_accounts:
        raise SignInRefused(
            "You have no account on this console. Ask an administrator.",
            "no_account",
        )
    if grant is None and rules.default_role:
        grant = Grant(Role(rules.default_role))
    if grant is None:
        raise SignInRefused("There is no role for you on this console.", "no_role")
    if User.objects.filter(username__iexact=person.username).exists():
        raise SignInRefused(
            f"Another account here is named {person.username}. If it is yours, sign in"
            " with its password and connect it on the page Second factor.",
            "name_taken",
        )
    user = User(username=person.username, **person_details(person))
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError:
        raise SignInRefused(
            "Your user name there does not fit as one here.", "unfit_name"
        ) from None
    users.save_user(user, grant.role, actor, grant.clusters, by_groups=True)
    note_sign_in(link_identity(user, person), person)
    return user


def person_details(person: Person) -> dict[str, str]:
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


def update_account(
    identity: Identity, person: Person, grant: Grant | None, actor: Actor
) -> User:
    user: User = identity.user
    if not user.is_active:
        raise SignInRefused(
            "Your account on this console is deactivated.", "deactivated"
        )
    if grant is not None:
        grants.apply_grant(user, grant, actor)
    note_sign_in(identity, person)
    return user


def note_sign_in(identity: Identity, person: Person) -> None:
    """Store when somebody signed in, and with which groups."""
    identity.extra_data = {"groups": person.stored_groups}
    identity.last_login = timezone.now()
    identity.save(update_fields=["extra_data", "last_login"])


def link_identity(user: User, person: Person) -> Identity:
    row: Identity = Identity.objects.create(
        user=user, provider=person.provider, uid=person.uid
    )
    return row


@transaction.atomic
def connect_identity(user: User, person: Person, actor: Actor) -> None:
    """Let this person sign in to an account that is here already.

    Raises:
        Refused: the person, or the account, is connected otherwise.
    """
    if of_person(person) is not None:
        raise SignInRefused(
            "You are connected with an account of this console already.",
            "connected",
        )
    if of_kind(person.kind).filter(user=user).exists():
        raise SignInRefused(
            "This account is connected with somebody else there.",
            "connected_otherwise",
        )
    link_identity(user, person)
    audit.append_entry(
        actor, "connect account", user, {person.kind: [None, "connected"]}
    )


@transaction.atomic
def disconnect_identity(user: User, kind: str, actor: Actor) -> bool:
    """Take the connection away and tell whether there was one."""
    if not user.has_usable_password():
        return False
    deleted = of_kind(kind).filter(user=user).delete()[0]
    if deleted:
        audit.append_entry(
            actor, "disconnect account", user, {kind: ["connected", None]}
        )
    return bool(deleted)
