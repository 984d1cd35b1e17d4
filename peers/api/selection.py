"""REST: which peers a request for many means."""

from typing import Any

from rest_framework import serializers

from clusters.models import Cluster
from peers.models import Peer, PeerOutcome
from rest.serializers import StrictSerializer


class PeerSelectionSerializer(StrictSerializer):
    """Which peers are meant: ids, or filters, or all."""

    # Fields of subclasses that select nothing.
    beside: frozenset[str] = frozenset()

    ids = serializers.PrimaryKeyRelatedField(
        queryset=Peer.objects.all(), many=True, required=False
    )
    cluster = serializers.PrimaryKeyRelatedField(
        queryset=Cluster.objects.all(), required=False
    )
    remote_cluster = serializers.PrimaryKeyRelatedField(
        queryset=Cluster.objects.all(), required=False
    )
    outcome = serializers.ChoiceField(choices=PeerOutcome.choices, required=False)
    protocol = serializers.ChoiceField(choices=Peer.Protocol.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "ids" in attrs and len(self.selecting(attrs)) > 1:
            raise serializers.ValidationError({"ids": ["Give ids or filters."]})
        return attrs

    def selecting(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: attrs[name] for name in attrs if name not in self.beside}

    def peers(self) -> list[Peer]:
        chosen = self.selecting(self.validated_data)
        if "ids" in chosen:
            return list(dict.fromkeys(chosen["ids"]))
        return list(Peer.objects.filter(**chosen).select_related("cluster"))
