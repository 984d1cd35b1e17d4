"""Forms of sign-in, tokens and users."""

from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import scope, users
from accounts.models import ApiToken
from accounts.proof import refusal
from accounts.roles import Role, role_of
from accounts.validation import validate_networks


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
        names = {str(pk): name for pk, name in scope.cluster_names().items()}
        gone = [(pk, "A deleted cluster") for pk in chosen if pk not in names]
        self.choices = [*names.items(), *gone]
        self.initial = list(chosen)


class SignInForm(AuthenticationForm):
    """User name and password; says so when too many attempts were made."""

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError(refusal(self.request))


class CodeForm(forms.Form):
    """A code of the authenticator app, or one for recovery: digits, both."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "class": "mono",
            }
        ),
    )


class TokenForm(forms.ModelForm[ApiToken]):
    """A new token: its role is at most its owner's."""

    networks = forms.CharField(
        required=False,
        max_length=1000,
        help_text="Optional: addresses or networks that may use it, by commas.",
    )
    clusters = ClustersField("None chosen: all that you may see.")

    class Meta:
        model = ApiToken
        fields = ("name", "role", "expires_at", "networks", "clusters")
        widgets = {"expires_at": forms.DateInput(attrs={"type": "date"})}
        help_texts = {"expires_at": "Optional; at the beginning of that day, UTC."}

    def __init__(self, *args: Any, held: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role.value, role.label) for role in Role if held.covers(role)]
        self.fields["role"] = forms.ChoiceField(choices=choices, initial=held.value)
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


ALL = "None chosen: all clusters, those added later too."
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
        help_text="Without it all sessions and tokens of the user stop at once.",
    )
    clusters = ClustersField(ALL)

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = role_of(self.instance)
        offer_clusters(self, users.limit_of(self.instance))
