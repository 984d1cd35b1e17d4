"""Forms of setting up a peering, and of completing a mesh."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms

from clusters.models import Cluster
from clusters.validation import validate_credential
from mesh.intent import Credentials, MeshIntent, existing_protocols
from mesh.matrix import MatrixFilter, Mesh
from peers.mask import validate_mask
from peers.models import Peer
from wire import Secret


class PeeringForm(forms.Form):
    """Two clusters, the protocol of both entries, and what may vary in each."""

    one = forms.ModelChoiceField(
        Cluster.objects.all(), label="First cluster", empty_label="Choose a cluster"
    )
    other = forms.ModelChoiceField(
        Cluster.objects.all(), label="Second cluster", empty_label="Choose a cluster"
    )
    protocol = forms.ChoiceField(
        choices=Peer.Protocol.choices,
        initial=Peer.Protocol.TCP,
        help_text="TCP is recommended. Both entries use the same protocol.",
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
            error = forms.ValidationError("Choose two different clusters.", "same")
            self.add_error("other", error)
        for name in ("one", "other"):
            if bool(data.get(f"{name}_username")) != bool(data.get(f"{name}_password")):
                error = forms.ValidationError(
                    "Give both user name and password, or neither.", "one_of_two"
                )
                self.add_error(f"{name}_password", error)
        return data

    @property
    def has_unusual(self) -> bool:
        """Whether the folded part holds something that must be seen."""
        kinds = ("mask", "username", "password")
        fields = [self[f"{side}_{kind}"] for side in ("one", "other") for kind in kinds]
        return any(field.errors or field.value() for field in fields)

    @property
    def intent(self) -> MeshIntent:
        data = self.cleaned_data
        clusters = {"one": data["one"], "other": data["other"]}
        return MeshIntent(
            pairs=((data["one"], data["other"]),),
            protocol=data["protocol"],
            masks={
                clusters[s].pk: data[f"{s}_mask"] for s in clusters if data[f"{s}_mask"]
            },
            credentials={
                clusters[s].pk: Credentials(
                    data[f"{s}_username"], Secret(data[f"{s}_password"])
                )
                for s in clusters
                if data[f"{s}_username"]
            },
        )


class MeshForm(forms.Form):
    """Which clusters shall all be peers of each other."""

    clusters = forms.ModelMultipleChoiceField(
        Cluster.objects.all(),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "many select-row"}),
        error_messages={"required": "Choose at least two clusters."},
    )
    protocol = forms.ChoiceField(
        choices=Peer.Protocol.choices,
        initial=Peer.Protocol.TCP,
        help_text="TCP is recommended. Existing peerings keep their protocol.",
    )
    everywhere = forms.BooleanField(
        label="Also change existing peerings to this protocol", required=False
    )

    def clean_clusters(self) -> Any:
        clusters = self.cleaned_data["clusters"]
        if len(clusters) < 2:
            raise forms.ValidationError("Choose at least two clusters.", "too_few")
        return clusters

    @property
    def intent(self) -> MeshIntent:
        clusters = self.cleaned_data["clusters"].prefetch_related("nodes")
        protocols = (
            {} if self.cleaned_data["everywhere"] else existing_protocols(clusters)
        )
        chosen = self.cleaned_data["protocol"]
        return MeshIntent.whole_mesh(clusters, protocol=chosen, protocols=protocols)


class RotationForm(forms.Form):
    """The new password of a cluster's intercluster user."""

    password = forms.CharField(
        label="New password",
        max_length=128,
        strip=False,
        validators=[validate_credential],
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Change it on the cluster first. The plan shows every entry that "
        "gets it.",
    )


class AdoptForm(forms.Form):
    """The password of an entry that is taken over; no cluster tells it."""

    password = forms.CharField(
        label="Password of its user",
        required=False,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Clusters never reveal passwords. Without it the console can neither "
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


class MatrixForm(forms.Form):
    """Filters of a large matrix; what is not valid filters nothing."""

    site = forms.ChoiceField(required=False)
    name = forms.CharField(
        required=False,
        max_length=100,
        label="Name contains",
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "Name contains"}
        ),
    )
    problems = forms.BooleanField(required=False, label="Problems only")
    sort = forms.ChoiceField(
        required=False,
        choices=[
            ("name", "By name"),
            ("site", "By site"),
            ("problems", "Most problems first"),
        ],
    )

    def __init__(self, *args: Any, sites: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "matrix-%s", **kwargs})
        choices = [(site, site) for site in sorted(set(sites)) if site]
        self.fields["site"].choices = [("", "All sites"), *choices]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> MatrixFilter:
        self.is_valid()
        values = {name: value for name, value in self.cleaned_data.items() if value}
        return MatrixFilter(**values)


def narrow_matrix(found: Mesh, data: Any) -> tuple[MatrixForm, Mesh]:
    """The form of the filters, and the part of the mesh that they leave."""
    form = MatrixForm(data, sites=[one.site for one in found.clusters])
    return form, form.chosen.apply(found)
