"""REST: users, their roles and limits, and what an administrator takes from them."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts import audit, grants, second_factor, users
from accounts.access import Role
from accounts.api_limits import LimitField
from accounts.models import Identity
from accounts.roles import held_role
from rest.etags import EtagMixin, content_etag
from rest.headers import IF_MATCH
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict

BY_GROUPS = "Set by the groups of this user."
ELSEWHERE = "This user signs in elsewhere and has no password on this console."
LONGEST_PASSWORD = 1000
LIMITED_TO = "The ids of the clusters that the user is limited to; null for all."
A_USER = OpenApiExample(
    "An operator of one cluster",
    {
        "username": "otto.example",
        "password": "a phrase that nobody guesses",
        "role": "operator",
        "clusters": ["6f1e0c0e-6f6c-4d5e-9a56-3f1f5b8f7c10"],
    },
    request_only=True,
)


class UserSerializer(serializers.ModelSerializer[User]):
    """A user of the console."""

    # Not an address field: it may be empty.
    email = serializers.CharField(read_only=True)
    role = serializers.SerializerMethodField()
    clusters = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    password_set = serializers.BooleanField(source="has_usable_password")
    second_factor = serializers.BooleanField(source="has_factor")
    tokens = serializers.IntegerField(source="n_tokens", help_text="How many.")

    class Meta:
        model = User
        fields = (
            "id",
            "username",
            "first_name",
            "last_name",
            "email",
            "role",
            "clusters",
            "groups",
            "is_active",
            "password_set",
            "second_factor",
            "tokens",
            "last_login",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(Role.choices, allow_null=True))
    def get_role(self, user: User) -> str | None:
        """The role; of a user that is not active the one it would have again."""
        role = held_role(user)
        return role.value if role else None

    @extend_schema_field(LimitField(help_text=LIMITED_TO))
    def get_clusters(self, user: User) -> list[str] | None:
        limit = getattr(user, "limit", None)
        return limit.clusters if limit and limit.clusters else None

    def get_groups(self, user: User) -> list[str] | None:
        """The groups that decide role and clusters; null where none do."""
        if not user.has_identity:  # type: ignore[attr-defined]
            return None
        decided = grants.by_groups_of(user)
        return list(decided[1].groups) if decided else None


class NewPasswordSerializer(serializers.Serializer[Any]):
    """A password, by the rules of the page."""

    password = serializers.CharField(
        write_only=True,
        max_length=LONGEST_PASSWORD,
        trim_whitespace=False,
        style={"input_type": "password"},
    )

    def check_password(self, password: str, user: User) -> None:
        try:
            password_validation.validate_password(password, user)
        except ValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None:
            self.check_password(attrs["password"], self.instance)
        return attrs


class EditUserSerializer(serializers.ModelSerializer[User]):
    """What may be changed of a user; what is left out stays."""

    role = serializers.ChoiceField(choices=Role.choices)
    clusters = LimitField(required=False, help_text=LIMITED_TO)

    class Meta:
        model = User
        fields: tuple[str, ...] = (
            "first_name",
            "last_name",
            "email",
            "role",
            "clusters",
            "is_active",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.instance
        decided = grants.by_groups_of(user) if user else None
        if user is None or decided is None:
            return attrs
        grant = decided[1]
        held: dict[str, Any] = {"role": grant.role}
        if grant.clusters:
            held["clusters"] = sorted(grant.clusters)
        other = [name for name in held if attrs.get(name, held[name]) != held[name]]
        if other:
            raise serializers.ValidationError({name: [BY_GROUPS] for name in other})
        return attrs


class AddUserSerializer(NewPasswordSerializer, EditUserSerializer):
    """A new user, with a first password."""

    class Meta(EditUserSerializer.Meta):
        fields = (
            "username",
            "password",
            "first_name",
            "last_name",
            "email",
            "role",
            "clusters",
        )

    def validate_username(self, name: str) -> str:
        return User.normalize_username(name)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        beside = {"password", "role", "clusters"}
        named = {name: value for name, value in attrs.items() if name not in beside}
        self.check_password(attrs["password"], User(**named))
        return attrs


class RevokedTokensSerializer(serializers.Serializer[Any]):
    """How many tokens were revoked."""

    revoked = serializers.IntegerField()


def factors_exist() -> Exists:
    counted = Authenticator.objects.filter(user=OuterRef("pk"))
    return Exists(counted.exclude(type=Authenticator.Type.RECOVERY_CODES))


@extend_schema_view(
    create=extend_schema(
        request=AddUserSerializer,
        responses={201: UserSerializer},
        examples=[A_USER],
    ),
    partial_update=extend_schema(
        parameters=[IF_MATCH], request=EditUserSerializer, responses=UserSerializer
    ),
)
class UserViewSet(
    IdempotentMixin,
    EtagMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[User],
):
    """The users of the console, for administrators without a limit to clusters."""

    serializer_class = UserSerializer
    queryset = (
        User.objects.select_related("limit")
        .prefetch_related("groups")
        .annotate(
            n_tokens=Count("tokens", distinct=True),
            has_identity=Exists(Identity.objects.filter(user=OuterRef("pk"))),
            has_factor=factors_exist(),
        )
        .order_by("username")
    )
    filterset_fields = ("username", "email", "is_active")
    ordering_fields = ("username", "last_name", "last_login")
    access = dict.fromkeys(
        (
            "list",
            "retrieve",
            "create",
            "partial_update",
            "password",
            "revoke_tokens",
            "reset_second_factor",
        ),
        Role.ADMINISTRATOR,
    )
    all_clusters = tuple(access)
    recent_proof = tuple(name for name in access if name not in ("list", "retrieve"))

    def etag_of(self, row: Any) -> str:
        return content_etag(UserSerializer(row).data)

    def create(self, request: Request) -> Response:
        """Add a user with a first password."""
        form = AddUserSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        user = User()
        user.set_password(values.pop("password"))
        body = self.store(user, values)
        where = reverse("api:users-detail", args=[user.pk], request=request)
        return Response(body, status=201, headers={"Location": where})

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change role, limits or names; `is_active: false` ends sessions and tokens."""
        user = self.get_object()
        form = EditUserSerializer(user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        values = {"role": held_role(user), **form.validated_data}
        if values["role"] is None:
            raise serializers.ValidationError({"role": ["This user has no role."]})
        return Response(self.store(user, values))

    def store(self, user: User, values: dict[str, Any]) -> Any:
        """Save the user by the writer of the page; return what is read of it now."""
        role = Role(values.pop("role"))
        unlimited = values.get("clusters", ()) is None
        clusters = values.pop("clusters", None)
        for name, value in values.items():
            setattr(user, name, value)
        try:
            user.full_clean(exclude=["password"])
            actor = audit.actor_of(self.request)
            users.save_user(user, role, actor, [] if unlimited else clusters)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from None
        except users.LastAdministrator as error:
            raise Conflict(str(error), code=error.code) from error
        self.row = self.get_queryset().get(pk=user.pk)
        return UserSerializer(self.row).data

    @extend_schema(request=NewPasswordSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def password(self, request: Request, pk: str) -> Response:
        """Set another password; all sessions of the user end, tokens stay."""
        user = self.get_object()
        identities = Identity.objects.filter(user=user)
        if identities.exists() and not user.has_usable_password():
            raise Conflict(ELSEWHERE, code="password_elsewhere")
        form = NewPasswordSerializer(user, data=request.data)
        form.is_valid(raise_exception=True)
        users.set_password(
            user, form.validated_data["password"], audit.actor_of(request)
        )
        return Response(status=204)

    @extend_schema(request=None, responses=RevokedTokensSerializer)
    @action(detail=True, methods=["post"], url_path="revoke-tokens")
    def revoke_tokens(self, request: Request, pk: str) -> Response:
        """Revoke all API tokens of the user."""
        user = self.get_object()
        revoked = users.revoke_tokens(user, audit.actor_of(request))
        return Response({"revoked": revoked})

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], url_path="reset-second-factor")
    def reset_second_factor(self, request: Request, pk: str) -> Response:
        """Take the second factor of somebody who lost it; all sessions end."""
        second_factor.reset_factors(self.get_object(), audit.actor_of(request))
        return Response(status=204)
