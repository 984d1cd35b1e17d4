"""REST: changing and deleting many peers by one plan."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.roles import Role
from clusters.api.serializers import PasswordSerializerField
from clusters.validation import validate_credential
from peers.api.selection import PeerSelectionSerializer
from peers.bulk.changes import (
    MASK,
    BulkChange,
    SelectionChanged,
    in_one_piece,
    read_peers,
)
from peers.bulk.deletion import Deletion
from peers.bulk.plan import Plan, PlannedAction
from peers.bulk.selection import MOST_PEERS
from peers.forms import SCOPES
from peers.mask import validate_mask
from peers.models import Peer
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import Secret


class BulkChangeSerializer(serializers.Serializer[Any]):
    """New values for all selected peers; what is missing stays as it is."""

    protocol = serializers.ChoiceField(choices=Peer.Protocol.choices, required=False)
    both_sides = serializers.BooleanField(
        default=True, help_text="Change the protocol of the matching entries too."
    )
    external_phone_number_mask = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=50,
        validators=[validate_mask],
        help_text="Empty: remove the masks.",
    )
    username = serializers.CharField(
        required=False, max_length=128, validators=[validate_credential]
    )
    password = PasswordSerializerField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not set(attrs) - {"both_sides"}:
            raise serializers.ValidationError("Give at least one new value.")
        return attrs


class BulkDeletionSerializer(serializers.Serializer[Any]):
    """How much of each peering is deleted."""

    scope = serializers.ChoiceField(choices=SCOPES)


class BulkSerializer(PeerSelectionSerializer):
    """Ids or filters, and either `change` or `delete`."""

    beside = frozenset({"change", "delete", "plan_hash"})

    change = BulkChangeSerializer(required=False)
    delete = BulkDeletionSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if ("change" in attrs) == ("delete" in attrs):
            raise serializers.ValidationError({"change": ["Give change or delete."]})
        if not self.selecting(attrs):
            raise serializers.ValidationError({"ids": ["Give ids or a filter."]})
        return attrs

    @property
    def intent(self) -> BulkChange | Deletion:
        data = self.validated_data
        if "delete" in data:
            return Deletion(data["delete"]["scope"])
        change = data["change"]
        names = ("protocol", MASK, "username")
        return BulkChange(
            {name: change[name] for name in names if name in change},
            Secret(change.get("password", "")),
            change["both_sides"],
        )

    def chosen(self) -> list[str]:
        """The ids of the peers that are meant."""
        found = [str(peer.pk) for peer in self.peers()]
        if len(found) > MOST_PEERS:
            sentence = f"At most {MOST_PEERS:,} peers at once; {len(found):,} match."
            raise serializers.ValidationError({"ids": [sentence]})
        return found


class ApplyBulkSerializer(BulkSerializer):
    """The same, with the hash of the plan that was read."""

    plan_hash = serializers.CharField()


class BulkStepSerializer(serializers.Serializer[Any]):
    """What becomes of one peer."""

    peer = serializers.UUIDField(source="peer.pk")
    cluster = serializers.UUIDField(source="peer.cluster_id")
    address = serializers.CharField(source="peer.address")
    action = serializers.ChoiceField(choices=[str(action) for action in PlannedAction])
    reason = serializers.CharField(help_text="Why it is left out; empty otherwise.")
    matching = serializers.BooleanField(
        help_text="It was not selected; it is the matching entry of one that was."
    )
    before = serializers.DictField(child=serializers.CharField())
    after = serializers.DictField(child=serializers.CharField())
    new_password_set = serializers.BooleanField(
        source="password", help_text="It gets a new password."
    )
    warnings = serializers.ListField(child=serializers.CharField())


class BulkPlanSerializer(serializers.Serializer[Plan]):
    """What would happen to each peer."""

    plan_hash = serializers.CharField(source="hash")
    counts = serializers.DictField(child=serializers.IntegerField())
    steps = BulkStepSerializer(many=True, source="items")
    warnings = serializers.ListField(child=serializers.CharField())


class BulkJobsSerializer(serializers.Serializer[Any]):
    """The jobs that were submitted."""

    jobs = serializers.ListField(child=serializers.UUIDField())


class BulkPlanView(IdempotentMixin, APIView):
    """Plan a change or a deletion of many peers; changes nothing."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(
        operation_id="peers_bulk_plan",
        request=BulkSerializer,
        responses=BulkPlanSerializer,
    )
    def post(self, request: Request) -> Response:
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan = form.intent.plan(read_peers(form.chosen()))
        return Response(BulkPlanSerializer(plan).data)


class BulkApplyView(IdempotentMixin, APIView):
    """Apply such a plan while it is still what it was."""

    access = {"post": Role.ADMINISTRATOR}
    recent_proof = ("post",)

    @extend_schema(
        operation_id="peers_bulk_apply",
        request=ApplyBulkSerializer,
        responses={202: BulkJobsSerializer},
    )
    def post(self, request: Request) -> Response:
        form = ApplyBulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        actor, plan_hash = audit.actor_of(request), form.validated_data["plan_hash"]
        try:
            jobs = in_one_piece(form.intent, form.chosen(), plan_hash, actor)
        except SelectionChanged as error:
            raise Conflict(str(error)) from error
        return Response({"jobs": [str(job.pk) for job in jobs]}, status=202)
