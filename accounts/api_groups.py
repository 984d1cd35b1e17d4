"""REST: what the groups of identity providers and directories give."""

from typing import Any

from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts import audit, grants, users
from accounts.access import Role
from accounts.api_limits import LimitField
from accounts.models import GroupMapping, Identity
from rest.etags import EtagMixin, content_etag
from rest.filters import refuse_unknown
from rest.headers import IF_MATCH
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict


class GroupMappingSerializer(serializers.ModelSerializer[GroupMapping]):
    """A group, and what its people get."""

    clusters = LimitField(
        default=None,
        help_text="The ids of the clusters that its people are limited to; "
        "null for all.",
    )

    class Meta:
        model = GroupMapping
        fields: tuple[str, ...] = ("id", "provider", "group", "role", "clusters")

    def validate_provider(self, provider: str) -> str:
        if reason := grants.why_not_mapped(provider):
            raise serializers.ValidationError(reason)
        return provider

    def validate_clusters(self, ids: list[str] | None) -> list[str]:
        return ids or []


class SavedMappingSerializer(GroupMappingSerializer):
    """The mapping that was saved."""

    accounts_changed = serializers.IntegerField(
        read_only=True, help_text="How many accounts have another role or limit now."
    )

    class Meta(GroupMappingSerializer.Meta):
        fields = (*GroupMappingSerializer.Meta.fields, "accounts_changed")


@extend_schema_view(
    create=extend_schema(
        responses={201: SavedMappingSerializer},
    ),
    update=extend_schema(parameters=[IF_MATCH], responses=SavedMappingSerializer),
    partial_update=extend_schema(
        parameters=[IF_MATCH], responses=SavedMappingSerializer
    ),
    destroy=extend_schema(parameters=[IF_MATCH]),
)
class GroupMappingViewSet(
    IdempotentMixin, EtagMixin, viewsets.ModelViewSet[GroupMapping]
):
    """What groups give; those of the settings are under `identity-providers/`.

    A change acts on all accounts at once, by the groups of their last sign-in.
    """

    serializer_class = GroupMappingSerializer
    queryset = GroupMapping.objects.all()
    filterset_fields = ("provider", "group", "role")
    ordering_fields = ("provider", "group", "role")
    access = dict.fromkeys(
        ("list", "retrieve", "create", "update", "partial_update", "destroy"),
        Role.ADMINISTRATOR,
    )
    all_clusters = tuple(access)
    recent_proof = ("create", "update", "partial_update", "destroy")

    def etag_of(self, row: Any) -> str:
        return content_etag(GroupMappingSerializer(row).data)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        body = self.store(GroupMapping(), form.validated_data)
        where = reverse("api:group-mappings-detail", [self.row.pk], request=request)
        return Response(body, status=201, headers={"Location": where})

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row, partial = self.get_object(), kwargs.get("partial", False)
        form = self.get_serializer(row, data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        return Response(self.store(row, form.validated_data))

    def store(self, row: GroupMapping, values: dict[str, Any]) -> Any:
        for name, value in values.items():
            setattr(row, name, value)
        try:
            changed = grants.save_mapping(row, audit.actor_of(self.request))
        except users.LastAdministrator as error:
            raise last_administrator(error) from error
        except IntegrityError as error:
            raise Conflict("This group is mapped already.") from error
        self.row = row
        row.accounts_changed = changed  # type: ignore[attr-defined]
        return SavedMappingSerializer(row).data

    @transaction.atomic
    def perform_destroy(self, instance: GroupMapping) -> None:
        try:
            grants.delete_mapping(instance, audit.actor_of(self.request))
        except users.LastAdministrator as error:
            raise last_administrator(error) from error


def last_administrator(error: users.LastAdministrator) -> Conflict:
    return Conflict(str(error), code=error.code)


class ProviderSerializer(serializers.Serializer[Any]):
    """Who else may say who somebody is, by the settings."""

    provider = serializers.ChoiceField(choices=Identity.Provider.choices)
    roles = serializers.DictField(
        child=serializers.ChoiceField(choices=Role.choices),
        help_text="{group: role} of the setting; mappings of the same group go first.",
    )
    default_role = serializers.ChoiceField(
        choices=Role.choices,
        allow_null=True,
        help_text="What people get none of whose groups is mapped; null: no access.",
    )
    required_group = serializers.CharField(allow_null=True)
    create_accounts = serializers.BooleanField()


class ProvidersView(APIView):
    """Identity providers and directories that are set up; the environment sets them."""

    access = {"get": Role.ADMINISTRATOR}
    all_clusters = ("get",)

    @extend_schema(responses=ProviderSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        found = [
            {
                "provider": kind,
                "roles": rules.roles,
                "default_role": rules.default_role or None,
                "required_group": rules.required_group or None,
                "create_accounts": rules.create_accounts,
            }
            for kind, rules in sorted(grants.configured_rules().items())
        ]
        return Response(ProviderSerializer(found, many=True).data)
