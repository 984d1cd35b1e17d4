"""Forms of subscriptions and maintenance windows."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models.functions import Now

from jobs.models import from_now
from notifications.delivery import policy
from notifications.models import Maintenance, Subscriber, Topic
from peers.models import Cluster
from wire import WireError, parse_host


def topics(required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=Topic.choices,
        required=required,
        widget=forms.CheckboxSelectMultiple,
        label="Tell of",
    )


class MineForm(forms.Form):
    """What a person wants to hear of, here and by mail."""

    topics = topics()
    email = forms.EmailField(
        required=False, label="Mail address", help_text="Optional: also by mail."
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        self.user = user
        page, mail = self.of(Subscriber.Channel.PAGE), self.of(Subscriber.Channel.MAIL)
        told = page or mail
        initial = {
            "topics": told.topics if told else [],
            "email": mail.email if mail else "",
        }
        super().__init__(data, initial=initial)

    def of(self, channel: str) -> Subscriber | None:
        return Subscriber.objects.filter(user=self.user, channel=channel).first()

    def save(self) -> None:
        chosen, email = self.cleaned_data["topics"], self.cleaned_data["email"]
        self._keep(Subscriber.Channel.PAGE, True, topics=chosen)
        mail = Subscriber.Channel.MAIL
        self._keep(mail, bool(email and chosen), topics=chosen, email=email)

    def _keep(self, channel: str, wanted: bool, **values: Any) -> None:
        if wanted:
            Subscriber.objects.update_or_create(
                user=self.user, channel=channel, defaults=values
            )
        else:
            Subscriber.objects.filter(user=self.user, channel=channel).delete()


class WebhookForm(forms.ModelForm[Subscriber]):
    """A new webhook; what can be refused without asking DNS is refused here."""

    topics = topics(required=True)

    class Meta:
        model = Subscriber
        fields = ("name", "url", "topics")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = self.fields["url"].required = True

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise ValidationError("Leave out user name and password.")
        try:
            host = parse_host(parts.hostname or "")
            allowed = policy(parts.scheme)
            if host.ip:
                allowed.check(str(ip_address(host.text)))
        except WireError as error:
            raise ValidationError(error.message) from None
        if parts.scheme == "http" and not allowed.networks:
            raise ValidationError(
                "Use https; http is for addresses in CUPADMIN_WEBHOOK_NETWORKS."
            )
        return url


class MaintenanceForm(forms.ModelForm[Maintenance]):
    """A window that begins now."""

    hours = forms.IntegerField(
        min_value=1, max_value=14 * 24, initial=2, help_text="From now on."
    )

    class Meta:
        model = Maintenance
        fields = ("reason",)

    def open_for(self, cluster: Cluster, user: User) -> Maintenance:
        window = self.instance
        window.cluster, window.created_by = cluster, user
        # By the database's clock, as everything that compares with them.
        window.begins_at = Now()
        window.ends_at = from_now(timedelta(hours=self.cleaned_data["hours"]))
        window.save()
        window.refresh_from_db()
        return window
