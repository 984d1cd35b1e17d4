"""Forms of sign-in, tokens and users."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import cluster_limits, grants, time_zones, users
from accounts.models import ApiToken, GroupMapping, Identity
from accounts.roles import Role, role_of
from accounts.validation import validate_networks

# How long a new token is proposed to be valid.
PROPOSED = timedelta(days=90)


class TimeZoneForm(forms.Form):
    """The zone in which a person reads times."""

    time_zone = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = ("", f"That of the console ({settings.TIME_ZONE})")
        choices = [own, *((name, name) for name in time_zones.zone_names())]
        cast(forms.ChoiceField, self.fields["time_zone"]).choices = choices


class ClustersField(forms.MultipleChoiceField):
    """Some clusters, or all: none chosen."""

    def __init__(self, help_text: str) -> None:
        super().__init__(
            required=False,
            label="Limited to these clusters",
            help_text=help_text,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "many"}),
        )

    def offer(self, chosen: Collection[str] = ()) -> None:
        """Offer all clusters in sight; a deleted one stays chosen until it is not."""
        names = {str(pk): name for pk, name in cluster_limits.cluster_names().items()}
        gone = [(pk, "A deleted cluster") for pk in chosen if pk not in names]
        self.choices = [*names.items(), *gone]
        self.initial = list(chosen)


class TokenForm(forms.ModelForm[ApiToken]):
    """A new token: its role is at most its owner's."""

    networks = forms.CharField(
        required=False,
        max_length=1000,
        help_text="Optional: allowed addresses or networks, separated by commas.",
    )
    clusters = ClustersField("If none is selected: all clusters you can access.")

    class Meta:
        model = ApiToken
        fields = ("name", "role", "expires_at", "networks", "clusters")
        widgets = {"expires_at": forms.DateInput(attrs={"type": "date"})}
        help_texts = {"expires_at": "Optional; at the beginning of that day, UTC."}

    def __init__(self, *args: Any, held: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role.value, role.label) for role in Role if held.covers(role)]
        least = choices[0][0]
        self.fields["role"] = forms.ChoiceField(choices=choices, initial=least)
        # A form that was not sent proposes an end; leave it empty for none.
        self.fields["expires_at"].initial = (timezone.now() + PROPOSED).date()
        offer_clusters(self)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    def clean_networks(self) -> list[str]:
        parts = self.cleaned_data["networks"].split(",")
        networks = [part.strip() for part in parts if part.strip()]
        validate_networks(networks)
        return networks

    def clean_expires_at(self) -> Any:
        at = self.cleaned_data["expires_at"]
        if at is not None and at <= timezone.now():
            raise ValidationError("This is in the past.")
        return at


def offer_clusters(form: forms.BaseForm, chosen: Collection[str] = ()) -> None:
    """Leave the field out while there is no cluster to choose."""
    field = cast(ClustersField, form.fields["clusters"])
    field.offer(chosen)
    if not field.choices:
        del form.fields["clusters"]


ALL = "If none is selected: all clusters, including those added later."
ROLES = [("", "Choose a role"), *Role.choices]


class AddUserForm(BaseUserCreationForm[User]):
    """A new user with a first password."""

    role = forms.ChoiceField(choices=ROLES)
    clusters = ClustersField(ALL)

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_clusters(self)


class EditUserForm(forms.ModelForm[User]):
    """Name, role and whether the user may sign in at all."""

    role = forms.ChoiceField(choices=ROLES)
    is_active = forms.BooleanField(
        label="May sign in",
        required=False,
        help_text="If cleared, sessions and tokens of the user stop immediately.",
    )
    clusters = ClustersField(ALL)

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = role_of(self.instance)
        offer_clusters(self, users.limit_of(self.instance))
        decided = grants.by_groups_of(self.instance)
        if decided is not None:
            self.leave_to_groups(decided[1])

    def leave_to_groups(self, grant: grants.Grant) -> None:
        """Show what the groups decide, without a way to change it here."""
        names = [
            "role",
            *(["clusters"] if grant.clusters and "clusters" in self.fields else []),
        ]
        for name in names:
            self.fields[name].disabled = True
            self.fields[name].help_text = "Set by the groups of this user."

    @property
    def chosen_clusters(self) -> list[str] | None:
        """The clusters to limit the user to; None where they are not decided here."""
        field = self.fields.get("clusters")
        if field is None or field.disabled:
            return None if field else []
        found: list[str] = self.cleaned_data["clusters"]
        return found


class GroupMappingForm(forms.ModelForm[GroupMapping]):
    """A group, and what its people get."""

    clusters = ClustersField(ALL)

    class Meta:
        model = GroupMapping
        fields = ("provider", "group", "role")
        help_texts = {
            "group": "As the provider sends it, or the cn of the group in LDAP;"
            " upper and lower case count.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {*grants.configured_rules(), self.instance.provider}
        choices = [pair for pair in Identity.Provider.choices if pair[0] in known]
        self.fields["provider"] = forms.ChoiceField(choices=choices)
        self.fields["role"] = forms.ChoiceField(choices=ROLES)
        offer_clusters(self, self.instance.clusters)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if reason := grants.why_no_groups(cleaned.get("provider", "")):
            self.add_error("provider", reason)
        return cleaned

    def mapping(self) -> GroupMapping:
        """Return the mapping, not stored yet."""
        row = self.save(commit=False)
        row.clusters = sorted(self.cleaned_data.get("clusters", []))
        return row
