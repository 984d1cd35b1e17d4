"""The forms of peers. A typed password is never shown again."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict

from clusters.forms import HostField, PasswordField, RevisedForm
from clusters.models import Cluster
from clusters.rules import Errors
from clusters.validation import (
    validate_credential,
)
from peers import rules
from peers.models import Peer
from peers.values import PEER_FIELDS


class PeerForm(RevisedForm[Peer]):
    """Every field of the guide's Intercluster Peer Configuration."""

    password_fields = ("password", "confirm_password")

    password = PasswordField()
    confirm_password = PasswordField()

    class Meta:
        model = Peer
        fields = ("cluster", *PEER_FIELDS)
        field_classes: ClassVar = {"address": HostField}

    field_order = (
        "cluster",
        "address",
        "username",
        "password",
        "confirm_password",
        "protocol",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].validators.append(validate_credential)
        self.fields["username"].widget.attrs["autocomplete"] = "off"
        home = cast(forms.ModelChoiceField[Cluster], self.fields["cluster"])
        home.help_text = "Where the peer is configured."
        home.empty_label = "Choose a cluster"
        if not self.adding:
            home.disabled = True
            # It stays, so the others need not be read.
            home.choices = [(self.instance.cluster_id, str(self.instance.cluster))]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        both = {"password", "confirm_password"} <= data.keys()
        if both and data["password"] != data["confirm_password"]:
            error = forms.ValidationError("The two passwords differ.", "differs")
            self.add_error("confirm_password", error)
        return data

    def find_errors(self) -> Errors:
        return rules.peer_errors(self.instance)


KEEP, HOME, BOTH = "forget", "home", "both"
SCOPES = [
    (HOME, "from its home cluster only"),
    (BOTH, "from its home cluster, and the matching peer from the remote one"),
    (KEEP, "from the console only; the clusters keep their entries"),
]


class ManualSyncForm(forms.Form):
    """What the product's own page asks before a manual sync."""

    certificates = forms.BooleanField(
        label="Also resync peer's Tomcat certificates", required=False
    )


class RemovalForm(forms.Form):
    """What a deletion does on the clusters."""

    scope = forms.ChoiceField(
        label="Delete it",
        widget=forms.RadioSelect,
        initial=HOME,
        choices=SCOPES,
    )

    @classmethod
    def of(cls, peer: Peer, data: QueryDict | None) -> "RemovalForm":
        return cls.of_many([peer], data)

    @classmethod
    def of_many(cls, peers: Iterable[Peer], data: QueryDict | None) -> "RemovalForm":
        """The form: both entries, as the product demands, where any peer has two."""
        both = any(peer.reverse is not None for peer in peers)
        form = cls(data, initial={"scope": BOTH} if both else None)
        if not both:
            field = cast(forms.ChoiceField, form.fields["scope"])
            field.choices = [one for one in SCOPES if one[0] != BOTH]
        return form
