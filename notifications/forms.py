"""Forms of subscriptions and maintenance windows."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.models import Maintenance, Subscriber, Topic
from notifications.validation import (
    LONGEST_SECRET,
    LONGEST_WINDOW,
    format_by_scheme,
    format_problems,
    secret_problem,
    validate_beginning,
    validate_webhook,
)


def topics_field(label: str, required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=Topic.choices,
        required=required,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "many"}),
        label=label,
    )


class MineForm(forms.Form):
    """What a person wants to hear of, here and by mail."""

    topics = topics_field("Notify me about")
    email = forms.EmailField(
        required=False,
        label="Email address",
        help_text="Optional: notifications are also sent by email.",
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        self.user = user
        theirs = Subscriber.objects.filter(user=user)
        self.subscribers = {one.channel: one for one in theirs}
        mail = self.subscribers.get(Subscriber.Channel.MAIL)
        subscribed = {topic for one in theirs for topic in one.topics}
        initial = {
            "topics": [topic for topic in Topic.values if topic in subscribed],
            "email": mail.email if mail else "",
        }
        super().__init__(data, initial=initial)

    def save(self) -> None:
        page, mail = Subscriber.Channel.PAGE, Subscriber.Channel.MAIL
        self._keep(page, True, topics=self.topics_of(page))
        topics, email = self.topics_of(mail), self.cleaned_data["email"]
        self._keep(mail, bool(email and topics), topics=topics, email=email)

    def topics_of(self, channel: str) -> list[str]:
        """Change only what was changed here: by REST the channels may differ."""
        chosen, initial = set(self.cleaned_data["topics"]), set(self.initial["topics"])
        subscriber = self.subscribers.get(channel)
        if subscriber is not None:
            chosen = (chosen - initial) | (chosen & set(subscriber.topics))
        return [topic for topic in Topic.values if topic in chosen]

    def _keep(self, channel: str, requested: bool, **values: Any) -> None:
        if requested:
            Subscriber.objects.update_or_create(
                user=self.user, channel=channel, defaults=values
            )
        else:
            Subscriber.objects.filter(user=self.user, channel=channel).delete()


class WebhookForm(forms.ModelForm[Subscriber]):
    """A new webhook; what can be refused without asking DNS is refused here."""

    topics = topics_field("Events", required=True)
    community = forms.CharField(
        required=False,
        max_length=LONGEST_SECRET,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="Only for SNMP traps: the community that the receiver expects.",
    )
    field_order = ("name", "url", "format", "community", "template", "topics")

    class Meta:
        model = Subscriber
        fields = ("name", "url", "format", "template", "topics")
        widgets = {"template": forms.Textarea(attrs={"rows": 6, "class": "mono"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = self.fields["url"].required = True
        self.fields["format"].required = False
        stored = not self.instance._state.adding
        self.old = (self.instance.url, self.instance.format) if stored else None

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        validate_webhook(url)
        return url

    def clean_format(self) -> str:
        """What was chosen; otherwise what it was, or what the URL says."""
        if chosen := self.cleaned_data["format"]:
            return str(chosen)
        by_url = format_by_scheme(self.cleaned_data.get("url", ""))
        return by_url or self.instance.format

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "url" in values and "format" in values:
            given = (values["url"], values["format"], values.get("template", ""))
            for name, sentence in format_problems(*given).items():
                self.add_error(name, sentence)
            if sentence := self.community_problem(*given[:2]):
                self.add_error("community", sentence)
        return values

    def community_problem(self, url: str, chosen: str) -> str:
        community = self.cleaned_data.get("community", "")
        if chosen == Subscriber.Format.SNMP:
            return secret_problem(url, chosen, community, self.old)
        return "Only SNMP traps have a community." if community else ""

    @property
    def needs_secret(self) -> bool:
        """Whether a new secret is to be made for what was entered."""
        has_one = self.old is not None and self.old[1] != Subscriber.Format.SNMP
        asked = self.cleaned_data.get("renew_secret", False)
        return not self.has_community and (asked or not has_one)

    @property
    def has_community(self) -> bool:
        """Whether the secret is one that the receiver chose."""
        return bool(self.cleaned_data.get("format") == Subscriber.Format.SNMP)


class EditWebhookForm(WebhookForm):
    """A webhook that exists; its secret can be replaced, never read."""

    renew_secret = forms.BooleanField(
        required=False,
        label="Replace the secret",
        help_text="The new one is shown once; the receiver must know it at once.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.format == Subscriber.Format.SNMP:
            help_text = (
                "Leave empty to keep the one it has; another URL needs it again."
            )
            self.fields["community"].help_text = help_text

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("renew_secret") and self.has_community:
            self.add_error("renew_secret", "Write the new community instead.")
        return values


class MaintenanceForm(forms.ModelForm[Maintenance]):
    """A window that begins now, or later."""

    begins_at = forms.DateTimeField(
        required=False,
        label="Begins",
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    hours = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_WINDOW.days * 24,
        initial=2,
        help_text=f"1 to {LONGEST_WINDOW.days * 24}.",
    )
    field_order = ("begins_at", "hours", "reason")

    class Meta:
        model = Maintenance
        fields = ("reason",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        text = f"Leave empty to start now. Times are in {zone}."
        self.fields["begins_at"].help_text = text

    def clean_begins_at(self) -> datetime | None:
        begins_at: datetime | None = self.cleaned_data["begins_at"]
        if begins_at is not None:
            validate_beginning(begins_at)
        return begins_at

    @property
    def window_values(self) -> dict[str, Any]:
        """What `changes.plan` takes."""
        data = self.cleaned_data
        length = timedelta(hours=data["hours"])
        return {
            "begins_at": data["begins_at"],
            "length": length,
            "reason": data["reason"],
        }
