"""API tokens, sign-ins, counted attempts and the audit trail."""

import hashlib
import hmac
import ipaddress
import re
import secrets
import uuid
from typing import Any, Self

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from accounts.browsers import browser_name
from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
    limit_of,
)
from accounts.roles import Role, role_of
from accounts.validation import validate_networks
from base.fields import JSONField

TOKEN_PREFIX_LENGTH = 8
# What `issue` makes; no other text is looked up.
TOKEN = re.compile(r"cup_([0-9a-f]{8})_[A-Za-z0-9_-]{20,100}")


# What stands as the actor where nobody is signed in.
NOT_A_USER = ("cupadmin", "anonymous")


class ClusterLimit(models.Model):
    """The clusters that a user may see; a user without a row may see all.

    They are ids, not links: whose last cluster is deleted must not get all others.
    """

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="limit"
    )
    clusters = JSONField(default=list)
    # Set from the user's groups at a sign-in; a limit set manually stays otherwise.
    by_groups = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.user} is limited to {len(self.clusters)} clusters"


class ApiToken(models.Model):
    """A bearer token of a user; only a keyed hash of it is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=Role.choices)
    prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH, unique=True)
    digest = models.CharField(max_length=160)
    networks = JSONField(
        default=list,
        blank=True,
        validators=[validate_networks],
        help_text="Addresses or networks that may use it; none means any.",
    )
    clusters = JSONField(
        default=list,
        blank=True,
        help_text="Clusters that it may be used for; none means all of its owner's.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(
        cls, user: User, name: str, role: Role, **fields: Any
    ) -> tuple[Self, str]:
        """Store a new token and return it with its text, which is shown only once."""
        prefix = secrets.token_hex(TOKEN_PREFIX_LENGTH // 2)
        text = f"cup_{prefix}_{secrets.token_urlsafe(32)}"
        token = cls.objects.create(
            user=user,
            name=name,
            role=role,
            prefix=prefix,
            digest=token_digest(text),
            **fields,
        )
        return token, text

    @classmethod
    def find(cls, text: str) -> Self | None:
        """Return the usable token that `text` is, or None."""
        written = TOKEN.fullmatch(text)
        if written is None:
            return None
        tokens = cls.objects.select_related("user__limit")
        token = tokens.filter(prefix=written[1]).first()
        if token is None or not token.matches(text):
            return None
        return token if token.usable else None

    def matches(self, text: str) -> bool:
        key_id = self.digest.partition("$")[0]
        known = key_id in settings.FIELD_KEYS
        return known and hmac.compare_digest(self.digest, token_digest(text, key_id))

    @property
    def usable(self) -> bool:
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.user.is_active and not expired

    def admits(self, address: str) -> bool:
        """Whether a request from this address may use the token."""
        if not self.networks:
            return True
        try:
            sender = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(sender in ipaddress.ip_network(net) for net in self.networks)

    @property
    def effective_role(self) -> Role | None:
        """The token's role, or its owner's where that is less by now."""
        owner = role_of(self.user)
        if owner is None:
            return None
        mine = Role(self.role)
        return mine if owner.covers(mine) else owner

    @property
    def limit(self) -> Limit | None:
        """At most the clusters of its owner, as they are by now."""
        return limit_of(self.user, among=self.clusters)


def token_digest(text: str, key_id: str = "") -> str:
    """Return `key id$keyed hash` of a token: a stolen table alone opens nothing."""
    key_id = key_id or next(iter(settings.FIELD_KEYS))
    pepper = hmac.digest(settings.FIELD_KEYS[key_id], b"api tokens", "sha256")
    return f"{key_id}${hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()}"


class BrowserSession(models.Model):
    """A browser that somebody signed in with; without its row the session is over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    # When the person last typed the password; dangerous actions want it recent.
    proved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-seen_at", "-id"]

    def __str__(self) -> str:
        return f"{self.user} from {self.address or 'an unknown address'}"

    @property
    def browser(self) -> str:
        return browser_name(self.agent)


class Identity(SocialAccount):  # type: ignore[misc]
    """Who a user is for an identity provider or a directory.

    Its `provider` names kind and issuer, `oidc:https://idp.example.com`: the same `uid`
    of another issuer is somebody else.
    """

    class Provider(models.TextChoices):
        OIDC = "oidc", "OpenID Connect"
        SAML = "saml", "SAML"
        LDAP = "ldap", "LDAP"
        PROXY = "proxy", "Trusted proxy"

    class Meta:
        proxy = True

    @property
    def kind(self) -> Provider:
        return self.Provider(self.provider.partition(":")[0])

    @property
    def groups(self) -> list[str] | None:
        """The groups at the last sign-in; None while they are unknown."""
        found: list[str] | None = self.extra_data.get("groups")
        return found


class GroupMapping(models.Model):
    """What the people of one group of a provider or directory get on this console."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(max_length=10, choices=Identity.Provider.choices)
    group = models.CharField(max_length=255)
    role = models.CharField(max_length=20, choices=Role.choices)
    # Ids, as of a ClusterLimit; none means all clusters.
    clusters = JSONField(default=list, blank=True)

    class Meta:
        ordering = ["provider", "group"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "group"],
                name="group_mapped_once",
                violation_error_message="This group is mapped already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.group} ({self.get_provider_display()})"


class Attempts(models.Model):
    """Sign-ins counted against a limit: of a name, an address, or both together."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()
    told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.count} until {self.until}"


def entries_within(limit: Limit) -> models.QuerySet["AuditEntry"]:
    """What was done to these clusters, and what the person did."""
    theirs = models.Q(cluster__in=limit.clusters)
    if limit.username not in NOT_A_USER:
        theirs |= models.Q(actor=limit.username)
    return AuditEntry._base_manager.filter(theirs)


class AuditEntry(HangsOnClusters):
    """One thing that somebody did; never changed, each bound to the one before."""

    scope = ClusterScope("pk", entries_within, lambda entry: {entry.cluster} - {None})

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_label = models.CharField(max_length=255, blank=True)
    # The one cluster that the object hangs on; its administrators see the entry.
    cluster = models.UUIDField(null=True, editable=False)
    changes = JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    job_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = ScopedManager()

    class Meta:
        ordering = ["-number"]
        indexes = [
            # The time range of the page and of the retention.
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            # The history of one object on its page.
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            # What those see who are limited to some clusters.
            # The timeline of a cluster too, counted without reading the entries.
            models.Index(fields=["cluster", "-number", "action"], name="audit_cluster"),
            # What can be searched for.
            models.Index(fields=["action"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **kwargs)


class AuditHead(models.Model):
    """The end of the chain, and where it begins after old entries were pruned.

    Its row lock puts writers in order.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    pruned_number = models.BigIntegerField(default=0)
    pruned_hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.hash


class Preference(models.Model):
    """How a person wants pages to be."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE
    )
    # A name of the time zone database; empty for the console's own.
    time_zone = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"Preferences of {self.user}"
