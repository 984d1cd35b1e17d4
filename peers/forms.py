"""The forms of clusters, nodes and peers. A typed password is never shown again."""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import construct_instance
from django.http import QueryDict

from accounts.models import AuditEntry
from peers import rules
from peers.changes import PEER_FIELDS
from peers.editing import CLUSTER_FIELDS, NODE_FIELDS, PORTS
from peers.models import Cluster, Node, Peer
from peers.validation import clean_host, validate_credential
from rest.models import Revised

M = TypeVar("M", bound=Revised)

RETYPE = "It is not kept while errors are corrected: enter it again."


class HostField(forms.CharField):
    """An address or a name, as it is stored."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return clean_host(text) if text else text


class PasswordField(forms.CharField):
    """A password; the page never holds the one that is stored."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(max_length=128, strip=False, widget=widget, **kwargs)
        self.validators.append(validate_credential)


class RevisedForm(forms.ModelForm[M]):
    """A form that notices when somebody else edited the row in the meantime."""

    password_fields: ClassVar[tuple[str, ...]] = ()

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adding = self.instance._state.adding
        self.before = {name: self.value_of(name) for name in self._meta.fields or ()}
        self.conflict: list[dict[str, Any]] = []
        self.edited_by: AuditEntry | None = None
        if self.adding:
            del self.fields["revision"]
        else:
            self.initial["revision"] = self.instance.revision
        for name in self.password_fields:
            self.fields[name].required = self.adding

    def value_of(self, name: str) -> Any:
        field = self.instance._meta.get_field(name)
        return field.value_from_object(self.instance)  # type: ignore[union-attr]

    def find_errors(self) -> rules.Errors:
        """The rules that are more than one field's own."""
        return {}

    @property
    def edited(self) -> list[str]:
        """The fields that the form changed."""
        return [
            name for name in self.before if self.before[name] != self.value_of(name)
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = data.pop("revision", None)
        if not self.adding and given != self.instance.revision:
            self.show_conflict()
        return data

    def show_conflict(self) -> None:
        """Refuse once and show the difference; saving again then means it."""
        entries = AuditEntry.objects.filter(
            object_type=self.instance._meta.model_name, object_id=str(self.instance.pk)
        )
        self.edited_by = entries.first()
        self.conflict = [
            {
                "label": self.fields[name].label,
                "theirs": self.shown(name, self.initial.get(name)),
                "yours": self.shown(name, self[name].data),
            }
            for name in self.before
            if name in self.fields
            and self.fields[name].has_changed(self.initial.get(name), self[name].data)
        ]
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix("revision")] = str(self.instance.revision)
        self.data = data
        self.add_error(
            None,
            "Somebody else changed this while you were editing. Compare below, then "
            "save again to replace their values with yours.",
        )

    def shown(self, name: str, value: Any) -> str:
        """Say a value as the page does: a choice by its label."""
        choices = dict(getattr(self.fields[name], "choices", ()))
        return str(choices.get(value, "" if value is None else value))

    def _post_clean(self) -> None:
        """Ask the rules instead of the constraints: they name the field and the row."""
        construct_instance(self, self.instance, self._meta.fields)
        exclude = self._get_validation_exclusions()  # type: ignore[attr-defined]
        try:
            self.instance.full_clean(exclude=exclude, validate_constraints=False)
        except ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]
        for name, sentence in self.find_errors().items():
            self.add_error(name if name in self.fields else NON_FIELD_ERRORS, sentence)

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.password_fields if self.is_bound else ():
            # Shown only if the page is: the form, or one beside it, has errors.
            if self.data.get(self.add_prefix(name)) and name not in self.errors:
                self[name].help_text = RETYPE


class ClusterForm(RevisedForm[Cluster]):
    """A cluster and how the console signs in to it."""

    password_fields = ("axl_password",)

    axl_password = PasswordField(label="AXL password")

    class Meta:
        model = Cluster
        fields = CLUSTER_FIELDS
        widgets: ClassVar = {
            "ca_certificate": forms.Textarea(attrs={"rows": 6, "class": "mono"}),
            "peer_table": forms.Textarea(attrs={"rows": 6, "class": "mono"}),
        }

    field_order = ("name", "domain", "description", "site", "axl_username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["axl_username"].validators.append(validate_credential)
        self.fields["axl_username"].widget.attrs["autocomplete"] = "off"
        if not self.adding:
            self.fields[
                "axl_password"
            ].help_text = "Leave it empty to keep the present one."

    def find_errors(self) -> rules.Errors:
        return rules.cluster_errors(self.instance)

    @property
    def unusual(self) -> list[forms.BoundField]:
        """The fields that most clusters leave alone; the page folds them."""
        names = ("tls_mode", "ca_certificate", "legacy_tls", "peer_table")
        return [self[name] for name in names]

    @property
    def has_unusual(self) -> bool:
        """Whether the folded part holds something that must be seen."""
        cluster = self.instance
        return any(field.errors for field in self.unusual) or bool(
            cluster.ca_certificate or cluster.legacy_tls or cluster.peer_table
        )


class NodeForm(RevisedForm[Node]):
    """A node of a known cluster."""

    class Meta:
        model = Node
        fields: ClassVar[tuple[str, ...]] = NODE_FIELDS
        field_classes: ClassVar = {"name": HostField, "address": HostField}

    def find_errors(self) -> rules.Errors:
        return rules.node_errors(self.instance)

    @property
    def ports(self) -> list[forms.BoundField]:
        return [self[name] for name in PORTS]

    @property
    def has_unusual(self) -> bool:
        return any(
            name in self.errors or self[name].value() != self.fields[name].initial
            for name in PORTS
        )


class PublisherForm(NodeForm):
    """The publisher, on the page that adds its cluster."""

    class Meta(NodeForm.Meta):
        fields: ClassVar[tuple[str, ...]] = ("address", "name", *PORTS)
        labels: ClassVar = {"name": "Publisher name", "address": "Publisher address"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix="publisher", **kwargs)
        self.fields["name"].required = False
        self.fields[
            "name"
        ].help_text = (
            "As in System > Topology; empty when the node is named by its address."
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if "name" in data:
            data["name"] = data["name"] or data.get("address", "")
        return data


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
        self.fields["cluster"].help_text = "Where the peer is configured."
        if not self.adding:
            home = cast(forms.ModelChoiceField[Cluster], self.fields["cluster"])
            home.disabled = True
            # It stays, so the others need not be read.
            home.choices = [(self.instance.cluster_id, str(self.instance.cluster))]
            self.fields[
                "password"
            ].help_text = "Leave it empty to keep the present one."

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        both = {"password", "confirm_password"} <= data.keys()
        if both and data["password"] != data["confirm_password"]:
            self.add_error("confirm_password", "The two passwords differ.")
        return data

    def find_errors(self) -> rules.Errors:
        return rules.peer_errors(self.instance)


KEEP, HOME, BOTH = "forget", "home", "both"
SCOPES = [
    (HOME, "from its home cluster only"),
    (BOTH, "from its home cluster, and the matching peer from the remote one"),
    (KEEP, "from the console only; the clusters keep their entries"),
]


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
        """The form: both sides, as the product demands, where any peer has two."""
        both = any(peer.reverse is not None for peer in peers)
        form = cls(data, initial={"scope": BOTH} if both else None)
        if not both:
            field = cast(forms.ChoiceField, form.fields["scope"])
            field.choices = [one for one in SCOPES if one[0] != BOTH]
        return form
