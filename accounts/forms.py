"""Forms of sign-in and tokens."""

from typing import Any

from django import forms

from accounts.access import Role
from accounts.models import ApiToken


class TokenForm(forms.ModelForm[ApiToken]):
    """A new token: its role is at most its owner's."""

    class Meta:
        model = ApiToken
        fields = ("name", "role", "expires_at")
        widgets = {"expires_at": forms.DateInput(attrs={"type": "date"})}

    def __init__(self, *args: Any, held: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(role.value, role.label) for role in Role if held.covers(role)]
        self.fields["role"] = forms.ChoiceField(choices=choices, initial=held.value)
