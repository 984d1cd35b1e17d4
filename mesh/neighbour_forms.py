"""Adding many neighbours at once: their names, and the accounts that they share."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from clusters import rules
from clusters.forms import RETYPE, PasswordField
from clusters.models import Cluster, Node
from clusters.validation import clean_host, validate_credential
from mesh.neighbours import Neighbour
from mesh.node_names import role_of
from wire import address_of

NAME_LENGTH = 100
WORDS = ("username", "password")
ACCOUNT_FIELDS = [f"{user}_{word}" for user in ("axl", "peering") for word in WORDS]


INCOMPLETE = "Enter both user name and password."


def user_field(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=128,
        required=False,
        validators=[validate_credential],
        help_text=help_text,
    )


class AccountForm(forms.Form):
    """The application users that the clusters share."""

    axl_username = user_field(
        "AXL user name", "For every cluster below that has no account of its own."
    )
    axl_password = PasswordField(label="AXL password", required=False)
    peering_username = user_field(
        "Intercluster user name",
        "With which the entries of other clusters sign in. Optional.",
    )
    peering_password = PasswordField(label="Intercluster password", required=False)


class NeighbourForm(forms.Form):
    """One neighbour: whether it is added, under which name, and its own accounts."""

    include = forms.BooleanField(required=False, initial=True)
    name = forms.CharField(
        max_length=NAME_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    axl_username = user_field("Own AXL user name")
    axl_password = PasswordField(label="Own AXL password", required=False)
    peering_username = user_field("Own intercluster user name")
    peering_password = PasswordField(label="Own intercluster password", required=False)

    def __init__(self, one: Neighbour, name: str, data: QueryDict | None) -> None:
        digest = hashlib.sha256(one.address.encode(errors="surrogatepass"))
        prefix = f"n{digest.hexdigest()[:16]}"
        super().__init__(data, prefix=prefix, initial={"name": name})
        self.neighbour = one
        for field, label in (("include", "Add"), ("name", "Name of")):
            self.fields[field].widget.attrs["aria-label"] = f"{label} {one.address}"

    @property
    def chosen(self) -> bool:
        return bool(self.cleaned_data.get("include"))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("include"):
            self.refuse(self.cluster, {"name"}, {})
            node = self.publisher
            self.refuse(node, set(), rules.node_errors(node))
        return data

    @property
    def accounts(self) -> list[forms.BoundField]:
        return [self[name] for name in ACCOUNT_FIELDS]

    @property
    def has_accounts(self) -> bool:
        return any(field.errors or field.value() for field in self.accounts)

    def has_own(self, user: str) -> bool:
        return any(self.cleaned_data.get(f"{user}_{word}") for word in WORDS)

    def account(self, user: str, shared: dict[str, str]) -> tuple[str, str]:
        """User name and password: its own, the shared ones where it has none.

        An own password alone goes with the shared user name.
        """
        own_name = self.cleaned_data.get(f"{user}_username", "")
        own_password = self.cleaned_data.get(f"{user}_password", "")
        name = own_name or shared.get(f"{user}_username", "")
        if self.has_own(user):
            return name, own_password
        return name, shared.get(f"{user}_password", "")

    @property
    def cluster(self) -> Cluster:
        return Cluster(
            name=self.cleaned_data.get("name", ""),
            provisioning=Cluster.Provisioning.GUIDED,
            axl_username=self.cleaned_data.get("axl_username", ""),
        )

    @property
    def publisher(self) -> Node:
        address = self.neighbour.address
        try:
            address = clean_host(address)
        except ValidationError as error:
            self.add_error(None, error.messages)
        return Node(name=address, address=address, role=Node.Role.PUBLISHER)

    def refuse(
        self, row: Cluster | Node, fields: set[str], errors: rules.Errors
    ) -> None:
        """Show what is wrong with a row that is not saved yet."""
        skip = {"cluster", *ACCOUNT_FIELDS, *errors}
        try:
            row.clean_fields(exclude=skip)
            row.validate_unique(exclude=skip)
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                self.add_error(name if name in fields else None, texts)
        for broken in errors.values():
            self.add_error(None, broken)


def add_once(form: forms.Form, field: str, error: str) -> None:
    if not form.has_error(field):
        form.add_error(field, error)


class NeighboursForm:
    """All neighbours and their accounts; valid when every chosen one is."""

    def __init__(self, found: Iterable[Neighbour], data: QueryDict | None) -> None:
        self.data = data
        self.accounts = AccountForm(data)
        used = set(Cluster.objects.values_list("name", flat=True))
        self.rows = [NeighbourForm(one, name_for(one, used), data) for one in found]

    def is_valid(self) -> bool:
        # All are asked, so that all mistakes show at once.
        wrong = [one for one in self.all if not one.is_valid()]
        if self.data is None or wrong:
            self.say_retype()
            return False
        if not self.chosen:
            self.accounts.add_error(None, "Choose at least one cluster.")
        self.refuse_twins()
        for row in self.chosen:
            self.refuse_incomplete(row)
        self.say_retype()
        return not any(one.errors for one in self.all)

    @property
    def all(self) -> list[forms.Form]:
        return [self.accounts, *self.rows]

    def refuse_incomplete(self, row: NeighbourForm) -> None:
        """Show, once and where it is entered, what an account lacks."""
        for user in ("axl", "peering"):
            name, password = row.account(user, self.accounts.cleaned_data)
            if user == "axl" and not (name or password):
                add_once(self.accounts, "axl_username", "Enter the AXL user name.")
            elif bool(name) != bool(password):
                field = f"{user}_password" if name else f"{user}_username"
                form = row if row.has_own(user) else self.accounts
                add_once(form, field, INCOMPLETE)

    def refuse_twins(self) -> None:
        names: set[str] = set()
        for row in self.chosen:
            name = row.cleaned_data["name"]
            if name in names:
                row.add_error("name", "Another cluster below has this name.")
            names.add(name)

    def say_retype(self) -> None:
        for form in self.all if self.data is not None else ():
            for name in ("axl_password", "peering_password"):
                if name in form.fields and form.data.get(form.add_prefix(name)):
                    form[name].help_text = RETYPE

    @property
    def chosen(self) -> list[NeighbourForm]:
        return [row for row in self.rows if row.chosen]


def name_for(one: Neighbour, used: set[str]) -> str:
    """A name for the cluster of a neighbour that no cluster has; it is taken then."""
    names = [n for n in (one.address, *one.nodes) if not address_of(n)]
    host = names[0].partition(".")[0] if names else one.address
    stem = found[0] if names and (found := role_of(names[0])) else host
    name, number = stem[: NAME_LENGTH - 4], 1
    while name in used:
        number += 1
        name = f"{stem[: NAME_LENGTH - 4]}-{number}"
    used.add(name)
    return name
