"""A cluster, and how the console signs in to its nodes."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    ScopedManager,
)
from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField
from base.revisions import Revised
from clusters.choices import AddressScheme, Generation
from clusters.validation import (
    validate_credential,
    validate_peer_table,
    validate_pem,
)
from jobs.sites import queue_of_site
from wire import platforms

if TYPE_CHECKING:
    from clusters.models.nodes import Node


class ClusterQuerySet(models.QuerySet["Cluster"]):
    """What a check learns of clusters; what people enter, `clusters.editing` saves."""

    def remember_check(self, at: datetime, health: str, **seen: Any) -> int:
        """Store a check unless a later one is stored; `seen` is what it learned."""
        earlier = self.filter(Q(checked_at=None) | Q(checked_at__lte=at))
        return earlier.update(health=health, checked_at=at, **seen)

    def remember_profile_table(self, at: datetime) -> int:
        """The profile's table was read; without effect where another one is known."""
        rows = self.filter(peer_table__isnull=True, recognised_table__isnull=True)
        return rows.update(profile_table_at=at)


class Cluster(HangsOnClusters, HoldsSecrets, Revised):
    """A cluster, and how the console signs in to its nodes."""

    scope = ClusterScope("pk", clusters_of=lambda cluster: {cluster.pk})

    class Provisioning(models.TextChoices):
        GUIDED = "guided", "Guided: the console shows the steps"
        DIRECT = "direct", "Direct: the console writes the peer table through AXL"
        PAGES = "pages", "Pages: the console fills in the product's own pages"

    class TlsMode(models.TextChoices):
        PINNED = "pinned", "Each node's certificate, confirmed by an administrator"
        CA = "ca", "Certificates signed by an uploaded CA"

    class Health(models.TextChoices):
        OK = "ok"
        WARNING = "warning"
        FAILED = "failed"
        UNKNOWN = "unknown"

    secret_fields: ClassVar[tuple[str, ...]] = (
        "axl_password",
        "peering_password",
        "pages_password",
        "os_password",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    domain = models.CharField(
        max_length=253, blank=True, help_text="The presence domain, as in example.com."
    )
    address_scheme = models.CharField(
        "IM address scheme",
        max_length=20,
        choices=AddressScheme.choices,
        blank=True,
        help_text="As in Presence > Settings > Advanced Configuration; the same on all "
        "clusters of a mesh.",
    )
    # What the IM addresses of its users follow, where all that tell agree.
    inferred_scheme = models.CharField(
        max_length=20, choices=AddressScheme.choices, blank=True, editable=False
    )
    inferred_scheme_at = models.DateTimeField(null=True, editable=False)
    description = models.CharField(max_length=255, blank=True)
    site = models.SlugField(
        max_length=40,
        blank=True,
        help_text="A site has workers of its own near its clusters; leave it empty "
        "to use any worker.",
    )
    # Null, not empty, until it is detected: the REST contract says null.
    generation = models.CharField(  # noqa: DJ001
        max_length=10, choices=Generation.choices, null=True, blank=True
    )
    version = models.CharField(max_length=60, blank=True, editable=False)
    axl_username = models.CharField(
        "AXL user name",
        max_length=128,
        help_text="An application user with the role Standard AXL API Access.",
    )
    axl_password = SecretField()
    peering_username = models.CharField(
        "intercluster user name",
        max_length=128,
        blank=True,
        help_text="The application user with which other clusters sign in to this one; "
        "empty: the AXL user.",
    )
    peering_password = SecretField()
    provisioning = models.CharField(
        max_length=10, choices=Provisioning.choices, default=Provisioning.GUIDED
    )
    pages_username = models.CharField(
        "user name for the pages",
        max_length=128,
        blank=True,
        help_text="An application user for the console alone, which may change the "
        "inter-clustering pages.",
    )
    pages_password = SecretField()
    pages_port = models.PositiveIntegerField(
        "port of the pages",
        default=443,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
    )
    os_username = models.CharField(
        "OS administrator",
        max_length=128,
        blank=True,
        validators=[validate_credential],
        help_text="The operating system administrator of the nodes, to read their "
        "certificates from release 14 on; the lowest privilege level is enough. It "
        "uses the port of the pages.",
    )
    os_password = SecretField()
    # What the last visit to the pages found, as `clusters.page_structure` writes it.
    pages_seen = JSONField(default=dict, editable=False)
    # Why the last check could not read its pages; empty where it did.
    pages_error_code = models.CharField(max_length=40, blank=True, editable=False)
    pages_error = models.CharField(max_length=600, blank=True, editable=False)
    tls_mode = models.CharField(
        "TLS mode", max_length=10, choices=TlsMode.choices, default=TlsMode.PINNED
    )
    ca_certificate = models.TextField(
        "CA certificate", blank=True, validators=[validate_pem], help_text="As PEM."
    )
    legacy_tls = models.BooleanField(
        "legacy TLS",
        default=False,
        help_text="Allow TLS 1.0 and small keys; only with confirmed certificates.",
    )
    peer_table = JSONField(
        null=True,
        blank=True,
        validators=[validate_peer_table],
        help_text="Where this cluster keeps its peers; empty for the platform's own.",
    )
    # A mapping that the console recognised and nobody has confirmed: read, not written.
    recognised_table = JSONField(null=True, editable=False)
    # The outcome of the last search for the peer table, with its candidates.
    table_search = JSONField(default=dict, editable=False)
    # When the profile's own table was last read on the cluster.
    profile_table_at = models.DateTimeField(null=True, editable=False)
    health = models.CharField(
        max_length=10, choices=Health.choices, default=Health.UNKNOWN, editable=False
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    # What the Sync Agent said last of its users, in its own words.
    user_sync = models.CharField(max_length=255, blank=True, editable=False)
    user_sync_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager.from_queryset(ClusterQuerySet)()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("clusters:show_cluster", args=[self.pk])

    @property
    def publisher(self) -> "Node | None":
        return next((node for node in self.nodes.all() if node.is_publisher), None)

    @property
    def queue(self) -> str:
        """The queue of the workers near it; empty for any worker's."""
        return queue_of_site(self.site)

    @property
    def profile(self) -> platforms.Profile:
        """The platform profile; the newest generation's until it is detected."""
        return platforms.profile_of(self.generation or Generation.IMP)

    @property
    def direct(self) -> bool:
        return self.provisioning == self.Provisioning.DIRECT

    @property
    def by_pages(self) -> bool:
        return self.provisioning == self.Provisioning.PAGES

    @property
    def written(self) -> bool:
        """Whether the console changes entries itself, whichever way."""
        return self.direct or self.by_pages

    @property
    def peer_table_state(self) -> str:
        """What is known of the peer table, in a word of the REST contract."""
        if self.peer_table:
            return "confirmed"
        if self.recognised_table:
            return "recognised"
        if self.profile_table_at:
            return "profile"
        return str(self.table_search.get("state", "unknown"))

    @property
    def users_synced(self) -> bool | None:
        """Whether the Sync Agent has finished its users; None where it did not say."""
        if not self.user_sync:
            return None
        return self.user_sync.casefold().startswith("completed")

    def remember_health(self, health: str, at: datetime) -> None:
        Cluster.objects.filter(pk=self.pk).remember_check(at, health)

    def doubt_health(self) -> None:
        """Take back what was seen to be good: not all of it was looked at."""
        ok = Cluster.objects.filter(pk=self.pk, health=self.Health.OK)
        ok.update(health=self.Health.WARNING)

    def remember_release(self, version: str, generation: str) -> None:
        self._remember(version=version, generation=generation)

    def remember_search(
        self, search: dict[str, Any], table: dict[str, Any] | None
    ) -> None:
        """Store a search for the peer table, and the table that it recognised."""
        self._remember(table_search=search, recognised_table=table)

    def remember_pages(self, seen: dict[str, Any]) -> None:
        self._remember(pages_seen=seen)

    def _remember(self, **seen: Any) -> None:
        """Store what was observed; the revision stays, since nobody edited."""
        for name, value in seen.items():
            setattr(self, name, value)
        Cluster.objects.filter(pk=self.pk).update(**seen)
