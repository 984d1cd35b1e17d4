"""What shall change on many peers; a field that is left empty changes nothing."""

from typing import Any

from django import forms

from clusters.forms import PasswordField
from clusters.validation import validate_credential
from peers.bulk.changes import MASK
from peers.mask import validate_mask
from peers.models import Peer

NOTHING = "Choose at least one change."


class ChangeForm(forms.Form):
    """New values for all of them."""

    protocol = forms.ChoiceField(
        label="Preferred protocol",
        required=False,
        choices=[("", "No change"), *Peer.Protocol.choices],
    )
    both_sides = forms.BooleanField(
        label="Change the protocol of the matching entries too",
        required=False,
        initial=True,
        help_text="Both entries of a peering must use the same protocol.",
    )
    external_phone_number_mask = forms.CharField(
        required=False,
        max_length=50,
        validators=[validate_mask],
        help_text="As in +1408902XXXX. Leave empty to keep the masks.",
    )
    remove_mask = forms.BooleanField(label="Remove the masks", required=False)
    username = forms.CharField(
        label="Application user",
        required=False,
        max_length=128,
        validators=[validate_credential],
        help_text="Of the remote clusters. Leave empty to keep the users.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    password = PasswordField(
        label="New password",
        required=False,
        help_text="Change it on the remote clusters first. "
        "Leave empty to keep the passwords.",
    )
    confirm_password = PasswordField(label="Confirm the new password", required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("password", "") != data.get("confirm_password", ""):
            self.add_error("confirm_password", "The two passwords differ.")
        if data.get(MASK) and data.get("remove_mask"):
            self.add_error("remove_mask", "Either enter a mask or remove the masks.")
        if not self.errors and not (self.values or data["password"]):
            raise forms.ValidationError(NOTHING, "nothing")
        return data

    @property
    def values(self) -> dict[str, str]:
        """The new values, by the names of fields of a peer."""
        data = self.cleaned_data
        names = ("protocol", MASK, "username")
        found = {name: data[name] for name in names if data.get(name)}
        return found | ({MASK: ""} if data.get("remove_mask") else {})

    @property
    def options(self) -> dict[str, Any]:
        """What a draft keeps of it, besides the password."""
        return {"values": self.values, "both_sides": self.cleaned_data["both_sides"]}
