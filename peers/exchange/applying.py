"""Entries of a file applied to the console, all or nothing; a preview undoes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django import forms
from django.db import DatabaseError, transaction

from accounts.audit import Actor
from accounts.scope import current
from jobs.locks import Busy
from peers import editing, rules
from peers.exchange.reading import CLUSTER, NODE_COLUMNS, Entry
from peers.forms import ClusterForm, NodeForm, PeerForm
from peers.models import Cluster, Node, Peer
from rest.models import Stale

ADD, CHANGE, NOTHING = "add", "change", "nothing"
NO_PUBLISHER = "publisher_address: A new cluster needs the address of its publisher."
COLUMN_OF = {field: column for column, field in NODE_COLUMNS.items()}


@dataclass
class Effect:
    """What an entry does, or why it cannot."""

    entry: Entry
    label: str = ""
    peer: Peer | None = None
    action: str = NOTHING
    changed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """The effects of all entries of a file."""

    effects: list[Effect]

    @property
    def errors(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.errors]

    @property
    def changes(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.action != NOTHING]

    def count(self, action: str) -> int:
        return sum(effect.action == action for effect in self.effects)

    @property
    def added(self) -> int:
        return self.count(ADD)

    @property
    def edited(self) -> int:
        return self.count(CHANGE)


def run(entries: list[Entry], actor: Actor, *, preview: bool) -> Result:
    """Apply the entries in one transaction, which a preview or an error takes back."""
    with transaction.atomic():
        result = Result([effect_of(entry, actor) for entry in entries])
        if preview:
            warn(result)
        if preview or result.errors:
            transaction.set_rollback(True)
    return result


def warn(result: Result) -> None:
    """Ask the rules with all entries in: one may be the other side of another."""
    for effect in result.changes:
        if effect.peer:
            effect.warnings = rules.peer_warnings(effect.peer)


def effect_of(entry: Entry, actor: Actor) -> Effect:
    effect = Effect(entry, label_of(entry))
    if entry.problem:
        effect.errors.append(entry.problem)
        return effect
    try:
        # A savepoint, so that the entries after a refused one are looked at too.
        with transaction.atomic():
            apply = apply_cluster if entry.kind == CLUSTER else apply_peer
            apply(entry.values, effect, actor)
    except (Busy, Stale, DatabaseError) as error:
        said = "The database refused it." if is_database(error) else str(error)
        effect.errors.append(said)
    return effect


def is_database(error: Exception) -> bool:
    return isinstance(error, DatabaseError)


def label_of(entry: Entry) -> str:
    values = entry.values
    if entry.kind == CLUSTER:
        return values.get("name", "")
    return f"{values.get('address', '')} on {values.get('cluster', '')}"


def apply_cluster(values: dict[str, str], effect: Effect, actor: Actor) -> None:
    cluster = Cluster.objects.filter(name=values["name"].strip()).first()
    if cluster is None and current() is not None:
        effect.errors.append(f"{values['name'][:100]!r} is none of your clusters.")
        return
    form = filled(ClusterForm, cluster or Cluster(), values)
    publisher = publisher_form(cluster, values)
    fine = take_errors(form, effect)
    if cluster is None and not values.get("publisher_address"):
        effect.errors.append(NO_PUBLISHER)
        return
    if publisher and not take_errors(publisher, effect, COLUMN_OF) or not fine:
        return
    password = form.cleaned_data["axl_password"]
    if cluster is None:
        effect.action = ADD
        node = publisher.instance if publisher else None
        editing.save_cluster(form.instance, actor, password=password, publisher=node)
        return
    effect.changed = [*form.edited, *(["axl_password"] if password else [])]
    if effect.changed:
        editing.save_cluster(cluster, actor, password=password, fields=form.edited)
    if publisher and publisher.edited:
        effect.changed += [f"publisher {name}" for name in publisher.edited]
        fields = () if publisher.adding else publisher.edited
        editing.save_node(publisher.instance, actor, fields=fields)
    effect.action = CHANGE if effect.changed else NOTHING


def publisher_form(cluster: Cluster | None, values: Mapping[str, str]) -> Any:
    """The form of the publisher; None where a known cluster goes on without one."""
    told = {
        field: values[column]
        for column, field in NODE_COLUMNS.items()
        if column in values
    }
    node = cluster.publisher if cluster else None
    if node is None:
        if cluster and not any(told.values()):
            return None
        node = Node(role=Node.Role.PUBLISHER, cluster=cluster)
        told["name"] = told.get("name") or told.get("address", "")
    return filled(NodeForm, node, told)


def apply_peer(values: dict[str, str], effect: Effect, actor: Actor) -> None:
    home = Cluster.objects.filter(name=values["cluster"].strip()).first()
    if home is None:
        effect.errors.append(f"There is no cluster {values['cluster'][:100]!r}.")
        return
    address = values["address"].strip()
    peers = Peer.objects.select_related("cluster")
    peer = peers.filter(cluster=home, address__iexact=address).first()
    password = values.get("password", "")
    data = {**values, "cluster": str(home.pk), "confirm_password": password}
    form = filled(PeerForm, peer or Peer(), data)
    if not take_errors(form, effect):
        return
    effect.peer = form.instance
    edited = form.edited if peer else []
    effect.changed = [*edited, *(["password"] if peer and password else [])]
    if peer and not effect.changed:
        return
    effect.action = CHANGE if peer else ADD
    editing.save_peer(form.instance, actor, password=password, fields=edited)


def filled(kind: type[Any], instance: Any, values: Mapping[str, str]) -> Any:
    """The page's own form, with what is stored where the file says nothing."""
    shown = kind(instance=instance)
    stored = {
        name: shown[name].value()
        for name, one in shown.fields.items()
        if not isinstance(one.widget, forms.PasswordInput)
    }
    known = {name: value for name, value in values.items() if name in shown.fields}
    return kind(stored | known, instance=instance)


def take_errors(
    form: Any, effect: Effect, columns: Mapping[str, str] = MappingProxyType({})
) -> bool:
    """Note the errors of a form under the names of its columns."""
    for name, sentences in form.errors.items():
        if name == "confirm_password":
            continue
        where = "" if name == "__all__" else f"{columns.get(name, name)}: "
        effect.errors += [f"{where}{sentence}" for sentence in sentences]
    return form.is_valid()  # type: ignore[no-any-return]
