"""Clusters and their nodes, and how the console signs in to them."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.scope import HangsOnClusters, Scope, ScopedManager
from accounts.secrets import HoldsSecrets, SecretField
from peers.validation import validate_host, validate_peer_table, validate_pem
from rest.models import Revised
from wire import platforms


class Generation(models.TextChoices):
    """The product generations that a platform profile describes."""

    CUP7 = "cup7", "Cisco Unified Presence 7.x"
    CUP8 = "cup8", "Cisco Unified Presence 8.x"
    IMP = "imp", "Cisco IM and Presence Service 9-15"


class Cluster(HangsOnClusters, HoldsSecrets, Revised):
    """A cluster, and how the console signs in to its nodes."""

    scope = Scope("pk", clusters_of=lambda cluster: {cluster.pk})

    class Provisioning(models.TextChoices):
        GUIDED = "guided", "Guided: the console shows the steps"
        DIRECT = "direct", "Direct: the console writes the peer table through AXL"

    class TlsMode(models.TextChoices):
        PINNED = "pinned", "Each node's certificate, confirmed by an administrator"
        CA = "ca", "Certificates signed by an uploaded CA"

    class Health(models.TextChoices):
        OK = "ok"
        WARNING = "warning"
        FAILED = "failed"
        UNKNOWN = "unknown"

    secret_fields: ClassVar[tuple[str, ...]] = ("axl_password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    domain = models.CharField(
        max_length=253, blank=True, help_text="The presence domain, as in example.com."
    )
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
    provisioning = models.CharField(
        max_length=10, choices=Provisioning.choices, default=Provisioning.GUIDED
    )
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
    peer_table = models.JSONField(
        null=True,
        blank=True,
        validators=[validate_peer_table],
        help_text="Where this cluster keeps its peers; empty for the platform's own.",
    )
    health = models.CharField(
        max_length=10, choices=Health.choices, default=Health.UNKNOWN, editable=False
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    # What the Sync Agent said last of its users, in its own words.
    user_sync = models.CharField(max_length=255, blank=True, editable=False)
    user_sync_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("peers:show_cluster", args=[self.pk])

    @property
    def publisher(self) -> "Node | None":
        return next((node for node in self.nodes.all() if node.is_publisher), None)

    @property
    def profile(self) -> platforms.Profile:
        """The platform profile; the newest generation's until it is detected."""
        return platforms.profile(self.generation or Generation.IMP)

    @property
    def direct(self) -> bool:
        return self.provisioning == self.Provisioning.DIRECT

    @property
    def users_synced(self) -> bool | None:
        """Whether the Sync Agent has finished its users; None where it did not say."""
        if not self.user_sync:
            return None
        return self.user_sync.casefold().startswith("completed")

    def remember_health(self, health: str, at: datetime) -> None:
        Cluster.objects.filter(pk=self.pk).update(health=health, checked_at=at)


class Node(HangsOnClusters, Revised):
    """A publisher or subscriber of a cluster, and the certificate it must present."""

    class Role(models.TextChoices):
        PUBLISHER = "publisher"
        SUBSCRIBER = "subscriber"

    class CertificateState(models.TextChoices):
        UNKNOWN = "unknown", "Not confirmed"
        TRUSTED = "trusted", "Confirmed"
        CHANGED = "changed", "Changed"

    PORTS = (MinValueValidator(1), MaxValueValidator(65535))

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    name = models.CharField(
        max_length=253,
        validators=[validate_host],
        help_text="As in System > Topology, usually a fully qualified name.",
    )
    address = models.CharField(
        max_length=253,
        validators=[validate_host],
        help_text="The IP address or name that the console connects to.",
    )
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.PUBLISHER)
    axl_port = models.PositiveIntegerField("AXL port", default=8443, validators=PORTS)
    sip_port = models.PositiveIntegerField("SIP port", default=5060, validators=PORTS)
    sip_tls_port = models.PositiveIntegerField(
        "SIP TLS port", default=5061, validators=PORTS
    )
    sip_peer_tls_port = models.PositiveIntegerField(
        "SIP TLS port for peers", default=5062, validators=PORTS
    )
    certificate_fingerprint = models.CharField(
        max_length=64, blank=True, editable=False
    )
    certificate_state = models.CharField(
        max_length=10,
        choices=CertificateState.choices,
        default=CertificateState.UNKNOWN,
        editable=False,
    )
    certificate_not_after = models.DateTimeField(null=True, editable=False)
    # What the node was found to speak, so that it need not be asked again.
    axl_version = models.CharField(max_length=10, blank=True, editable=False)
    control_center = models.CharField(max_length=10, blank=True, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name", "role", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "name"], name="node_name_once_per_cluster"
            ),
            models.UniqueConstraint(
                fields=["address", "axl_port"],
                name="node_address_once",
                violation_error_message="Another node has this address and port.",
            ),
            models.UniqueConstraint(
                fields=["cluster"],
                condition=Q(role="publisher"),
                name="one_publisher_per_cluster",
                violation_error_message="This cluster has a publisher already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("peers:show_node", args=[self.pk])

    @property
    def is_publisher(self) -> bool:
        return self.role == self.Role.PUBLISHER

    @property
    def trusted(self) -> bool:
        """Whether anything may be sent to this node."""
        if self.cluster.tls_mode == Cluster.TlsMode.CA:
            return bool(self.cluster.ca_certificate)
        return self.certificate_state == self.CertificateState.TRUSTED

    def goes_by(self, host: str) -> bool:
        return host.casefold() in {self.name.casefold(), self.address.casefold()}

    def trust(self, fingerprint: str, not_after: datetime) -> None:
        """Pin the certificate that an administrator confirmed."""
        self.certificate_fingerprint = fingerprint
        self.certificate_state = self.CertificateState.TRUSTED
        self.certificate_not_after = not_after
        self.save_edit(
            "certificate_fingerprint", "certificate_state", "certificate_not_after"
        )

    def remember_change(self) -> bool:
        """Stop all calls: the node presents another certificate than confirmed."""
        trusted = Node.objects.filter(
            pk=self.pk, certificate_state=self.CertificateState.TRUSTED
        )
        return bool(trusted.update(certificate_state=self.CertificateState.CHANGED))
