"""What REST says about snapshots, comparisons, duplicates and users."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clusters.models import Node
from directory.duplicates import KINDS, Duplicate
from directory.locator import Located, View
from directory.mask_numbers import Masked
from directory.models import Snapshot
from peers.models import PeerOutcome


class SnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    """The users of a cluster at one moment."""

    cluster_name = serializers.CharField(source="cluster.name", read_only=True)

    class Meta:
        model = Snapshot
        fields = (
            "id",
            "cluster",
            "cluster_name",
            "taken_at",
            "duration_ms",
            "users",
            "nodes",
            "absent",
            "size",
        )
        read_only_fields = fields


class HomeSerializer(serializers.Serializer[Any]):
    """Where a user lives."""

    cluster = serializers.CharField()
    node = serializers.CharField()


class EntrySerializer(serializers.Serializer[Any]):
    """A user about whom the two clusters disagree."""

    userid = serializers.CharField(source="user.userid")
    directory_uri = serializers.CharField(source="user.directory_uri")
    mail_id = serializers.CharField(source="user.mail_id")
    says = HomeSerializer(
        allow_null=True, help_text="Where the home cluster of the peer shows the user."
    )
    lives = HomeSerializer(
        allow_null=True, help_text="Where the user's own cluster has the user."
    )
    settling = serializers.BooleanField(
        help_text="It changed less than the settling time ago."
    )


class CountsSerializer(serializers.Serializer[Any]):
    """How many users stand in each list."""

    missing = serializers.IntegerField()
    extra = serializers.IntegerField()
    elsewhere = serializers.IntegerField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """A peer's home cluster against the users of its remote cluster."""

    peer = serializers.UUIDField(source="peer.pk")
    cluster = serializers.UUIDField(source="peer.cluster_id")
    remote_cluster = serializers.UUIDField(source="peer.remote_cluster_id")
    outcome = serializers.ChoiceField(
        choices=PeerOutcome.choices, source="compared.outcome"
    )
    home_count = serializers.IntegerField(
        source="compared.home_count",
        help_text="Users whom the home cluster shows as the remote cluster's.",
    )
    remote_count = serializers.IntegerField(
        source="compared.remote_count", help_text="Users whom the remote cluster has."
    )
    settling = serializers.IntegerField(source="compared.settling")
    taken_at = serializers.DateTimeField(
        source="compared.taken_at", help_text="The older of the two snapshots."
    )
    home_taken_at = serializers.DateTimeField(source="compared.home.snapshot.taken_at")
    remote_taken_at = serializers.DateTimeField(
        source="compared.remote.snapshot.taken_at"
    )
    counts = CountsSerializer()
    missing = EntrySerializer(many=True)
    extra = EntrySerializer(many=True)
    elsewhere = EntrySerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class HolderSerializer(serializers.Serializer[Any]):
    """One of the users who have the value."""

    userid = serializers.CharField(source="user.userid")
    cluster = serializers.UUIDField(source="listing.cluster.pk")
    cluster_name = serializers.CharField(source="listing.cluster.name")
    node = serializers.CharField(source="user.node")


class DuplicateSerializer(serializers.Serializer[Duplicate]):
    """A value that several users have, or one user's address that is none."""

    userid = serializers.CharField()
    clusters = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(choices=list(KINDS.items()))
    value = serializers.CharField()
    users = HolderSerializer(many=True, source="holders")

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_clusters(self, duplicate: Duplicate) -> list[str]:
        return list(dict.fromkeys(str(h.listing.cluster.pk) for h in duplicate.holders))


class LeftoverSerializer(serializers.Serializer[Any]):
    """A user whom a cluster shows although it has no peering with the user's."""

    userid = serializers.CharField(source="user.userid")
    directory_uri = serializers.CharField(source="user.directory_uri")
    mail_id = serializers.CharField(source="user.mail_id")
    node = serializers.CharField(source="user.node")
    cluster = serializers.UUIDField(source="leftovers.cluster.pk")
    cluster_name = serializers.CharField(source="leftovers.cluster.name")
    remote_cluster = serializers.UUIDField(
        source="leftovers.remote.pk", default=None, allow_null=True
    )
    remote_cluster_name = serializers.CharField(
        source="leftovers.remote.name", default=None, allow_null=True
    )


class MaskedSerializer(serializers.Serializer[Masked]):
    """A directory number under a peer's mask, step by step."""

    mask = serializers.CharField()
    result = serializers.CharField(allow_null=True)
    steps = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())


class SipSerializer(serializers.Serializer[Any]):
    """Whether the next hop answered SIP when the peer was last checked."""

    outcome = serializers.CharField()
    problem = serializers.CharField(default="")


class ViewSerializer(serializers.Serializer[View]):
    """What one cluster knows of the user, and how it would reach the user."""

    cluster = serializers.UUIDField(source="cluster.pk")
    cluster_name = serializers.CharField(source="cluster.name")
    state = serializers.CharField()
    outcome = serializers.CharField()
    reason = serializers.CharField(source="sentence")
    node = serializers.CharField(source="user.node", default=None, allow_null=True)
    peer = serializers.UUIDField(source="peer.pk", default=None, allow_null=True)
    rewritten_uri = serializers.CharField(source="rewritten")
    next_hop = serializers.CharField()
    protocol = serializers.CharField(
        source="peer.protocol", default=None, allow_null=True
    )
    sip = SipSerializer(source="entry", allow_null=True)
    checked_at = serializers.DateTimeField(
        source="peer.checked_at", default=None, allow_null=True
    )
    masked = MaskedSerializer(allow_null=True)
    taken_at = serializers.DateTimeField(
        source="listing.snapshot.taken_at", default=None, allow_null=True
    )


class LocatedSerializer(serializers.Serializer[Located]):
    """A user: home, copies, addresses and number."""

    userid = serializers.CharField(source="user.userid")
    home_cluster = serializers.UUIDField(
        source="home.cluster.pk", default=None, allow_null=True
    )
    home_cluster_name = serializers.CharField(
        source="home.cluster.name", default=None, allow_null=True
    )
    node = serializers.SerializerMethodField(help_text="The home node's id.")
    node_name = serializers.CharField(source="node")
    seen_on = serializers.SerializerMethodField(
        help_text="The clusters that have a copy of the user."
    )
    directory_uri = serializers.CharField(source="user.directory_uri")
    mail_id = serializers.CharField(source="user.mail_id")
    sip_uri = serializers.CharField()
    rewritten_uri = serializers.CharField()
    number = serializers.CharField(source="user.number")
    masked_number = serializers.CharField(
        source="masked.result",
        default=None,
        allow_null=True,
        help_text="Under the mask of the peers, where all that have one agree.",
    )
    clusters = ViewSerializer(many=True, source="views")
    also = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Other user ids that were found by the same text.",
    )

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_node(self, located: Located) -> str | None:
        if located.home is None:
            return None
        named = Node.objects.filter(
            cluster=located.home.cluster, name__iexact=located.node
        ) | Node.objects.filter(
            cluster=located.home.cluster, address__iexact=located.node
        )
        node = named.first()
        return str(node.pk) if node else None

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_seen_on(self, located: Located) -> list[str]:
        return [str(view.cluster.pk) for view in located.copies]
