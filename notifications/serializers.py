"""What REST reads and writes of notifications."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils import timezone
from rest_framework import serializers

from clusters.models import Cluster
from notifications.models import Maintenance, Message, Subscriber, Topic
from notifications.validation import (
    LONGEST_SECRET,
    SHORTEST_SECRET,
    format_by_scheme,
    format_problems,
    secret_problem,
    validate_beginning,
    validate_end,
    validate_webhook,
)


class TopicsField(serializers.ListField):
    """Topics without repetition, in their own order."""

    child = serializers.ChoiceField(choices=Topic.choices)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        given = set(super().to_internal_value(data))
        return [topic for topic in Topic.values if topic in given]


class SubscriptionSerializer(serializers.ModelSerializer[Subscriber]):
    """What a person wants to be notified of, on the page or by mail."""

    channel = serializers.ChoiceField(
        choices=[Subscriber.Channel.PAGE, Subscriber.Channel.MAIL]
    )
    topics = TopicsField()

    class Meta:
        model = Subscriber
        fields = ("id", "channel", "email", "topics", "created_at")
        read_only_fields = ("created_at",)

    def validate_channel(self, channel: str) -> str:
        if self.instance is not None and channel != self.instance.channel:
            raise serializers.ValidationError("The channel cannot be changed.")
        return channel

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = self.instance
        channel = attrs.get("channel", row.channel if row else "")
        email = attrs.get("email", row.email if row else "")
        if channel == Subscriber.Channel.MAIL and not email:
            raise serializers.ValidationError({"email": ["A mail needs an address."]})
        if channel == Subscriber.Channel.PAGE and email:
            raise serializers.ValidationError({"email": ["Only mails have one."]})
        return attrs


class WebhookSerializer(serializers.ModelSerializer[Subscriber]):
    """A webhook; its secret is written, never read."""

    name = serializers.CharField(max_length=100)
    topics = TopicsField(min_length=1)
    secret = serializers.CharField(
        write_only=True,
        required=False,
        max_length=LONGEST_SECRET,
        trim_whitespace=False,
        help_text="Signs the messages; at least"
        f" {SHORTEST_SECRET} characters. Without it the answer to POST shows a new one."
        " Of SNMP traps: the community.",
    )
    secret_set = serializers.BooleanField(read_only=True)

    class Meta:
        model = Subscriber
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "name",
            "url",
            "format",
            "template",
            "topics",
            "secret",
            "secret_set",
            "created_at",
        )
        read_only_fields = ("created_at",)
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "url": {"required": True, "allow_blank": False}
        }

    def validate_url(self, url: str) -> str:
        validate_webhook(url)
        return url

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = self.instance
        url = attrs.get("url", row.url if row else "")
        by_scheme = format_by_scheme(url)
        if row is None and "format" not in attrs and by_scheme:
            attrs["format"] = by_scheme
        chosen = attrs.get("format", row.format if row else Subscriber.Format.JSON)
        template = attrs.get("template", row.template if row else "")
        problems = format_problems(url, chosen, template)
        old = (row.url, row.format) if row else None
        if sentence := secret_problem(url, chosen, attrs.get("secret", ""), old):
            problems["secret"] = sentence
        if problems:
            raise serializers.ValidationError(
                {name: [sentence] for name, sentence in problems.items()}
            )
        return attrs


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook; a secret that the console made is shown only now."""

    secret = serializers.CharField(required=False)


class WindowSerializer(serializers.ModelSerializer[Maintenance]):
    """A time in which nobody is notified of a cluster's trouble."""

    cluster = serializers.PrimaryKeyRelatedField(queryset=Cluster.objects.all())
    begins_at = serializers.DateTimeField(
        required=False, help_text="Default: now, when the window is added."
    )
    state = serializers.ChoiceField(choices=Maintenance.State.choices, read_only=True)
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = Maintenance
        fields = (
            "id",
            "cluster",
            "begins_at",
            "ends_at",
            "reason",
            "state",
            "created_by",
        )

    def get_created_by(self, window: Maintenance) -> str | None:
        return window.created_by.username if window.created_by else None

    def validate_cluster(self, cluster: Cluster) -> Cluster:
        if self.instance is not None and self.instance.cluster_id != cluster.pk:
            raise serializers.ValidationError("A window stays with its cluster.")
        return cluster

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = self.instance
        begins_at = attrs.get("begins_at", row.begins_at if row else None)
        ends_at = attrs.get("ends_at", row.ends_at if row else None)
        if "begins_at" in attrs and (row is None or begins_at != row.begins_at):
            check_field("begins_at", validate_beginning, begins_at)
        if "begins_at" in attrs or "ends_at" in attrs:
            check_field("ends_at", validate_end, begins_at or timezone.now(), ends_at)
        return attrs


def check_field(field: str, rule: Callable[..., None], *values: Any) -> None:
    try:
        rule(*values)
    except DjangoValidationError as error:
        raise serializers.ValidationError({field: error.messages}) from None


class EventSerializer(serializers.Serializer[Any]):
    """One thing that happened."""

    topic = serializers.CharField()
    key = serializers.CharField()
    state = serializers.CharField()
    text = serializers.CharField()
    url = serializers.CharField()
    at = serializers.DateTimeField()


class DeliverySerializer(serializers.ModelSerializer[Message]):
    """A message, and whether it arrived."""

    subscriber = serializers.UUIDField(source="subscriber_id", read_only=True)
    channel = serializers.ChoiceField(
        choices=Subscriber.Channel.choices, source="subscriber.channel", read_only=True
    )
    state = serializers.ChoiceField(choices=Message.State.choices, read_only=True)
    subject = serializers.CharField(read_only=True)
    events = EventSerializer(many=True, read_only=True, source="visible_events")

    class Meta:
        model = Message
        fields = (
            "id",
            "subscriber",
            "channel",
            "state",
            "subject",
            "events",
            "error",
            "created_at",
            "sent_at",
            "read_at",
        )
