"""The forms of clusters and nodes. A typed password is never shown again."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import construct_instance
from django.http import QueryDict

from accounts.models import AuditEntry
from base.revisions import Revised
from clusters import rules
from clusters.editing import CLUSTER_FIELDS, NODE_FIELDS, PORTS
from clusters.models import AddressScheme, Cluster, Node
from clusters.validation import (
    clean_host,
    validate_credential,
    validate_peer_table,
)

M = TypeVar("M", bound=Revised)


KEEP = "Leave empty to keep the present one."
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


def offer_to_keep(form: forms.ModelForm[Any]) -> None:
    """Say of each password that is stored that an empty field keeps it."""
    for name, field in form.fields.items():
        if isinstance(field, PasswordField) and getattr(form.instance, name, None):
            field.help_text = f"{field.help_text} {KEEP}".strip()


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
        offer_to_keep(self)

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
        # Checks and proofs have entries too; they change nothing.
        self.edited_by = entries.exclude(changes={}).first()
        self.conflict = [
            {
                "label": self.fields[name].label,
                "theirs": self.display_value(name, self.initial.get(name)),
                "yours": self.display_value(name, self[name].data),
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

    def display_value(self, name: str, value: Any) -> str:
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
        for name, broken in self.find_errors().items():
            self.add_error(name if name in self.fields else NON_FIELD_ERRORS, broken)

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.password_fields if self.is_bound else ():
            # Shown only if the page is: the form, or one beside it, has errors.
            if self.data.get(self.add_prefix(name)) and name not in self.errors:
                self[name].help_text = RETYPE


COLUMNS = ("address", "username", "password", "protocol")


CODES = ("tcp", "udp", "tls")


class ClusterForm(RevisedForm[Cluster]):
    """A cluster and how the console signs in to it."""

    password_fields = ("axl_password",)

    axl_password = PasswordField(label="AXL password")
    peering_password = PasswordField(
        label="Intercluster password",
        required=False,
        help_text="Used in the entries of other clusters for this one.",
    )

    pages_password = PasswordField(
        label="Password for the pages",
        required=False,
        help_text="Used only to sign in to the product's own pages.",
    )

    os_password = PasswordField(
        label="Password of the OS administrator",
        required=False,
        help_text="Used only to read certificates.",
    )

    class Meta:
        model = Cluster
        fields = (*CLUSTER_FIELDS, "peering_username")
        widgets: ClassVar = {
            "ca_certificate": forms.Textarea(attrs={"rows": 6, "class": "mono"}),
            "peer_table": forms.Textarea(attrs={"rows": 6, "class": "mono"}),
        }

    field_order = ("name", "domain", "address_scheme", "description", "site")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["axl_username"].validators.append(validate_credential)
        self.fields["axl_username"].widget.attrs["autocomplete"] = "off"
        self.fields["pages_port"].required = False
        scheme = cast(forms.ChoiceField, self.fields["address_scheme"])
        scheme.choices = [("", "Not known"), *AddressScheme.choices]

    def clean_pages_port(self) -> int:
        """Leave the port as it is where none is given."""
        return self.cleaned_data["pages_port"] or self.instance.pages_port

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        named, given = data.get("peering_username"), data.get("peering_password")
        if given and not named:
            self.add_error("peering_username", "Enter the user of this password.")
        elif named and not (given or self.instance.peering_password):
            self.add_error("peering_password", "Enter the password of this user.")
        return data

    def find_errors(self) -> rules.Errors:
        given = str(self.cleaned_data.get("pages_password") or "")
        account = rules.account_errors(self.instance, given)
        given = str(self.cleaned_data.get("os_password") or "")
        account |= rules.os_account_errors(self.instance, given)
        return rules.cluster_errors(self.instance) | account

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


class PeerTableForm(forms.Form):
    """Which table holds the peers, and which column holds what."""

    table = forms.CharField(max_length=128)
    address = forms.CharField(label="Column of the peer address", max_length=128)
    username = forms.CharField(label="Column of the user name", max_length=128)
    password = forms.CharField(
        label="Column of the password", max_length=128, help_text="Never read."
    )
    protocol = forms.CharField(label="Column of the protocol", max_length=128)
    mask = forms.CharField(
        label="Column of the phone number mask", max_length=128, required=False
    )
    tcp = forms.CharField(label="Code of TCP", max_length=20, required=False)
    udp = forms.CharField(label="Code of UDP", max_length=20, required=False)
    tls = forms.CharField(label="Code of TLS", max_length=20, required=False)

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> "PeerTableForm":
        """Fill the form with a mapping, or a part of one."""
        columns = dict(mapping.get("columns", {}))
        columns["mask"] = columns.pop("external_phone_number_mask", "")
        codes = mapping.get("protocol_values", {})
        codes = {name.lower(): code for name, code in codes.items()}
        table = str(mapping.get("table", ""))
        initial = {"table": table, **columns, **codes}
        return cls(initial=initial, auto_id=f"id_{table}_%s")

    @property
    def mapping(self) -> dict[str, Any]:
        entered = self.cleaned_data
        columns = {name: entered[name] for name in COLUMNS}
        if entered["mask"]:
            columns["external_phone_number_mask"] = entered["mask"]
        codes = {name.upper(): entered[name] for name in CODES if entered[name]}
        return {
            "table": entered["table"],
            "columns": columns,
            "protocol_values": codes,
        }

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            validate_peer_table(self.mapping)
        return self.cleaned_data


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
        usual = {name: str(self.fields[name].initial) for name in PORTS}
        # What was typed is text.
        return any(
            name in self.errors or str(self[name].value()) != usual[name]
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
