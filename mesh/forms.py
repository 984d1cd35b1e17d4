"""Forms of setting up a peering, and of completing a mesh."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from mesh.wanted import Credentials, Wanted, standing_protocols
from peers.mask import validate_mask
from peers.models import Cluster, Peer
from wire import Secret


class PeeringForm(forms.Form):
    """Two clusters, the protocol of both sides, and what each side may vary."""

    one = forms.ModelChoiceField(
        Cluster.objects.all(), label="First cluster", empty_label="Choose a cluster"
    )
    other = forms.ModelChoiceField(
        Cluster.objects.all(), label="Second cluster", empty_label="Choose a cluster"
    )
    protocol = forms.ChoiceField(
        choices=Peer.Protocol.choices,
        initial=Peer.Protocol.TCP,
        help_text="TCP is recommended. Both sides get the same.",
    )
    one_mask = forms.CharField(
        label="External phone number mask on the first",
        required=False,
        max_length=24,
        validators=[validate_mask],
        help_text="For directory numbers of the second cluster, as in +1408902XXXX.",
    )
    other_mask = forms.CharField(
        label="External phone number mask on the second",
        required=False,
        max_length=24,
        validators=[validate_mask],
        help_text="For directory numbers of the first cluster.",
    )
    one_username = forms.CharField(
        label="Application user of the first",
        required=False,
        max_length=128,
        help_text="With which the second cluster signs in there. Empty: its AXL user.",
    )
    one_password = forms.CharField(
        label="Password for the first",
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    other_username = forms.CharField(
        label="Application user of the second",
        required=False,
        max_length=128,
        help_text="With which the first cluster signs in there. Empty: its AXL user.",
    )
    other_password = forms.CharField(
        label="Password for the second",
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("one") and data.get("one") == data.get("other"):
            self.add_error("other", "Choose two different clusters.")
        for side in ("one", "other"):
            if bool(data.get(f"{side}_username")) != bool(data.get(f"{side}_password")):
                self.add_error(
                    f"{side}_password", "Give both user name and password, or neither."
                )
        return data

    @property
    def wanted(self) -> Wanted:
        data = self.cleaned_data
        sides = {"one": data["one"], "other": data["other"]}
        return Wanted(
            pairs=((data["one"], data["other"]),),
            protocol=data["protocol"],
            masks={sides[s].pk: data[f"{s}_mask"] for s in sides if data[f"{s}_mask"]},
            credentials={
                sides[s].pk: Credentials(
                    data[f"{s}_username"], Secret(data[f"{s}_password"])
                )
                for s in sides
                if data[f"{s}_username"]
            },
        )


class MeshForm(forms.Form):
    """Which clusters shall all be peers of each other."""

    clusters = forms.ModelMultipleChoiceField(
        Cluster.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least two clusters."},
    )
    protocol = forms.ChoiceField(
        choices=Peer.Protocol.choices,
        initial=Peer.Protocol.TCP,
        help_text="TCP is recommended. A peering that stands keeps its own.",
    )
    everywhere = forms.BooleanField(
        label="Change peerings that stand to this protocol as well", required=False
    )

    def clean_clusters(self) -> Any:
        clusters = self.cleaned_data["clusters"]
        if len(clusters) < 2:
            raise forms.ValidationError("Choose at least two clusters.")
        return clusters

    @property
    def wanted(self) -> Wanted:
        clusters = self.cleaned_data["clusters"].prefetch_related("nodes")
        kept = {} if self.cleaned_data["everywhere"] else standing_protocols(clusters)
        chosen = self.cleaned_data["protocol"]
        return Wanted.whole_mesh(clusters, protocol=chosen, protocols=kept)


class AdoptForm(forms.Form):
    """The password of an entry that is taken over; no cluster tells it."""

    password = forms.CharField(
        label="Password of its user",
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="The cluster does not tell it. Without it the console can neither "
        "check the credentials nor write the entry again.",
    )


def initial_peering(query: Mapping[str, str]) -> dict[str, str]:
    """Read the two clusters that a link of the matrix names."""
    named = {"one": query.get("one", ""), "other": query.get("other", "")}
    return {side: pk for side, pk in named.items() if is_uuid(pk)}


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
