"""The nodes of a cluster, and the certificate that each must present."""

import uuid
from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.cluster_limits import HangsOnClusters, ScopedManager
from base.revisions import Revised
from clusters.models.clusters import Cluster
from clusters.validation import validate_host


class NodeQuerySet(models.QuerySet["Node"]):
    """What contacts learn of nodes; what people enter, `clusters.editing` saves."""

    def remember_found(
        self,
        *,
        axl_version: str = "",
        control_center: str = "",
        certificate_not_after: datetime | None = None,
    ) -> None:
        """Store what the nodes speak and present; what is not given stays."""
        given = {
            "axl_version": axl_version,
            "control_center": control_center,
            "certificate_not_after": certificate_not_after,
        }
        if found := {name: value for name, value in given.items() if value}:
            self.update(**found)

    def remember_contact(self, at: datetime, code: str, error: str) -> bool:
        """Store a contact unless a later one is stored; return whether it differs."""
        rows = self.filter(Q(contact_at=None) | Q(contact_at__lte=at))
        new = {"contact_code": code[:40], "contact_error": error[:500]}
        if rows.exclude(**new).update(**new, contact_at=at):
            return True
        rows.update(contact_at=at)
        return False

    def clear_contact(self, code: str) -> int:
        """Drop this reason not to use the nodes."""
        return self.filter(contact_code=code).update(contact_code="", contact_error="")


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
    # IP addresses to which its names led at the last discovery, between spaces.
    resolved = models.CharField(max_length=500, blank=True, editable=False)
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
    # Why AXL of the node could not be used at the last contact; empty when it could.
    contact_code = models.CharField(max_length=40, blank=True, editable=False)
    contact_error = models.CharField(max_length=500, blank=True, editable=False)
    contact_at = models.DateTimeField(null=True, editable=False)

    objects = ScopedManager.from_queryset(NodeQuerySet)()

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
        return reverse("clusters:show_node", args=[self.pk])

    @property
    def is_publisher(self) -> bool:
        return self.role == self.Role.PUBLISHER

    @property
    def trusted(self) -> bool:
        """Whether anything may be sent to this node."""
        if self.cluster.tls_mode == Cluster.TlsMode.CA:
            return bool(self.cluster.ca_certificate)
        return self.certificate_state == self.CertificateState.TRUSTED

    def trust(self, fingerprint: str, not_after: datetime) -> None:
        """Pin the certificate that an administrator confirmed.

        Why the node could not be used without it no longer holds.
        """
        self.certificate_fingerprint = fingerprint
        self.certificate_state = self.CertificateState.TRUSTED
        self.certificate_not_after = not_after
        self.contact_code, self.contact_error, self.contact_at = "", "", None
        self.save_edit(
            *("certificate_fingerprint", "certificate_state", "certificate_not_after"),
            *("contact_code", "contact_error", "contact_at"),
        )

    def remember_addresses(self, resolved: str) -> None:
        Node.objects.filter(pk=self.pk).update(resolved=resolved)

    def remember_change(self) -> bool:
        """Stop all calls: the node presents another certificate than confirmed."""
        # Another one may have been confirmed since the node was asked.
        trusted = Node.objects.filter(
            pk=self.pk,
            certificate_state=self.CertificateState.TRUSTED,
            certificate_fingerprint=self.certificate_fingerprint,
        )
        return bool(trusted.update(certificate_state=self.CertificateState.CHANGED))

    def remember_return(self) -> bool:
        """Allow calls again: the node presents the confirmed certificate as before."""
        changed = Node.objects.filter(
            pk=self.pk,
            certificate_state=self.CertificateState.CHANGED,
            certificate_fingerprint=self.certificate_fingerprint,
        ).exclude(certificate_fingerprint="")
        return bool(changed.update(certificate_state=self.CertificateState.TRUSTED))
