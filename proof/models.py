"""The canary user of each cluster, and what proofs of presence found."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import OuterRef, Subquery
from django.urls import reverse

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
)
from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField
from clusters.models import Cluster, Generation, Node
from clusters.validation import validate_credential
from peers.models import Peer
from presence import ProofInterface as PresenceWay
from presence import Stage
from wire import Secret


class Canary(HangsOnClusters, HoldsSecrets):
    """A user of a cluster whose presence is set and watched, and how to sign in."""

    class Way(models.TextChoices):
        AUTOMATIC = "", "By release: SIP on 7.x, the Presence Web Service since 8.0"
        PWS = "pws", "Presence Web Service"
        SIP = "sip", "SIP"
        XMPP = "xmpp", "XMPP, with a message there and back"

    secret_fields: ClassVar[tuple[str, ...]] = (
        "presence_password",
        "digest_password",
        "watcher_digest_password",
        "xmpp_password",
        "watcher_xmpp_password",
    )

    cluster = models.OneToOneField(
        Cluster, primary_key=True, on_delete=models.CASCADE, related_name="canary_row"
    )
    userid = models.CharField(
        "canary user",
        max_length=132,
        blank=True,
        validators=[validate_credential],
        help_text="The user ID of a licensed user of this cluster that nobody uses: "
        "its availability changes with each proof, and is set back.",
    )
    watcher_userid = models.CharField(
        "second canary user",
        max_length=132,
        blank=True,
        validators=[validate_credential],
        help_text="Watches the canaries of other clusters, so that the first is only "
        "watched. Leave empty to use the first for both.",
    )
    way = models.CharField(
        "interface", max_length=4, blank=True, choices=Way.choices, default=""
    )
    presence_username = models.CharField(
        "presence user name",
        max_length=128,
        blank=True,
        validators=[validate_credential],
        help_text="An application user in the group Admin-3rd Party API.",
    )
    presence_password = SecretField()
    presence_port = models.PositiveIntegerField(
        "port of the Presence Web Service",
        default=8083,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
    )
    digest_password = SecretField()
    watcher_digest_password = SecretField()
    xmpp_password = SecretField()
    watcher_xmpp_password = SecretField()
    xmpp_port = models.PositiveIntegerField(
        "port of XMPP",
        default=5222,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
    )
    # The node at which each user was signed in last: its home.
    home_node = models.ForeignKey(
        Node, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    watcher_home_node = models.ForeignKey(
        Node, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # While a state of the console may stand: since when, and what was there before.
    state_set_at = models.DateTimeField(null=True, editable=False)
    state_before = models.CharField(max_length=12, blank=True, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["cluster__name"]

    def __str__(self) -> str:
        return f"Canary of {self.cluster}"

    def get_absolute_url(self) -> str:
        return reverse("proof:canary", args=[self.pk])

    @property
    def interface(self) -> PresenceWay:
        """The interface of its proofs: the one chosen, or the one of the release."""
        if self.way:
            return PresenceWay(self.way)
        older = self.cluster.generation == Generation.CUP7
        return PresenceWay.SIP if older else PresenceWay.PWS

    @property
    def first(self) -> "CanaryUser":
        """Who is watched."""
        return CanaryUser(self, self.userid, "home_node", "")

    @property
    def watcher(self) -> "CanaryUser":
        """Who watches: the second user, or the first where there is no second."""
        if not self.watcher_userid:
            return self.first
        return CanaryUser(self, self.watcher_userid, "watcher_home_node", "watcher_")

    @property
    def lock(self) -> str:
        return f"canary:{self.pk}"


@dataclass(frozen=True)
class CanaryUser:
    """One of the users of a canary row.

    Args:
        home_field: the field of the row that remembers the user's home node.
        prefix: of the fields with the user's own passwords.
    """

    row: Canary
    userid: str
    home_field: str
    prefix: str

    @property
    def home_node_id(self) -> Any:
        return getattr(self.row, f"{self.home_field}_id")

    @property
    def digest_password(self) -> Secret:
        return self.row.unseal(f"{self.prefix}digest_password")

    @property
    def xmpp_password(self) -> Secret:
        return self.row.unseal(f"{self.prefix}xmpp_password")


class PresenceCertificate(HangsOnClusters):
    """A certificate that a node must present to proofs, in place of Tomcat's."""

    class Kind(models.TextChoices):
        """The name under which the node's certificate management lists it."""

        CUP = "cup", "Presence Web Service and SIP over TLS"
        XMPP = "cup-xmpp", "XMPP"

    scope = ClusterScope(
        "node_id",
        lambda limit: Node._base_manager.filter(cluster__in=limit.clusters),
        lambda row: {row.node.cluster_id},
    )

    node = models.ForeignKey(
        Node, on_delete=models.CASCADE, related_name="presence_certificates"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CUP)
    fingerprint = models.CharField(max_length=64)
    not_after = models.DateTimeField()
    confirmed_at = models.DateTimeField(auto_now=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["node__name", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "kind"], name="one_certificate_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"Certificate {self.kind} of {self.node}"


def peers_within(limit: Limit) -> models.QuerySet[Peer]:
    return Peer._base_manager.filter(cluster__in=limit.clusters)


class ProofQuerySet(models.QuerySet["Proof"]):
    """Proofs, as they are asked for in several places."""

    def newest(self) -> Self:
        """The newest proof of each peer."""
        # One look into the index for each peer; a peer may have hundreds of proofs.
        of_peer = Proof._base_manager.filter(peer=OuterRef("pk")).order_by("-at", "-id")
        peers = Peer._base_manager.annotate(proof=Subquery(of_peer.values("pk")[:1]))
        rows = self.filter(pk__in=peers.exclude(proof=None).values("proof"))
        return rows.select_related("peer__cluster", "peer__remote_cluster")

    def provable(self) -> Self:
        """Proofs of peers whose clusters both have a canary still."""
        named = Canary._base_manager.exclude(userid="").values("pk")
        return self.filter(
            peer__removing=False,
            peer__cluster__in=named,
            peer__remote_cluster__in=named,
        )


class Proof(HangsOnClusters):
    """One proof of a peer: does a user of its cluster see a user of the remote one?"""

    scope = ClusterScope("peer_id", peers_within, lambda row: {row.peer.cluster_id})

    class Outcome(models.TextChoices):
        PASSED = "passed"
        FAILED = "failed"
        WARNING = "warning"
        UNKNOWN = "unknown"

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="proofs")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    stage = models.CharField(
        max_length=20, choices=[(stage.value, stage.value) for stage in Stage]
    )
    way = models.CharField(
        max_length=4, choices=[(way.value, way.value) for way in PresenceWay]
    )
    latency_ms = models.FloatField(null=True)
    # How long a message there and back took, where the interface carries messages.
    message_ms = models.FloatField(null=True)
    # What it is, in a word that never changes.
    code = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=600, blank=True)
    solution = models.CharField(max_length=600, blank=True)
    # How the answer to a subscription was routed, in the words of SIP.
    route = JSONField(default=list)
    # The node of the remote cluster that Contact shows; empty where it shows none.
    rewritten_to = models.CharField(max_length=255, blank=True)

    objects = ScopedManager.from_queryset(ProofQuerySet)()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # The history of one peer, newest first.
            models.Index(fields=["peer", "-at"], name="proof_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.peer} {self.outcome}"

    @property
    def seconds(self) -> str:
        """How long presence took, in words; empty where it did not arrive."""
        return in_words(self.latency_ms)

    @property
    def message_seconds(self) -> str:
        """How long a message there and back took; empty where none came back."""
        return in_words(self.message_ms)

    @property
    def said(self) -> str:
        """One proof among several, in words."""
        took = f" after {self.seconds}" if self.seconds else ""
        return f"{self.get_outcome_display()}{took}, {self.at:%Y-%m-%d %H:%M} UTC"

    @classmethod
    def prune(cls, peer: Peer) -> None:
        """Keep the newest KEPT_PROOFS (a setting) of a peer."""
        kept = settings.KEPT_PROOFS
        newest = cls.objects.filter(peer=peer).values_list("pk", flat=True)
        if too_old := list(newest[kept : kept + 500]):
            cls.objects.filter(pk__in=too_old).delete()


def in_words(took: float | None) -> str:
    if took is None:
        return ""
    return f"{took:.0f} ms" if took < 1000 else f"{took / 1000:.1f} s"


def canary_of(cluster: Cluster | None) -> Canary | None:
    """The canary of a cluster, where one is named."""
    row: Any = getattr(cluster, "canary_row", None)
    return row if row is not None and row.userid else None
