"""What each entry of a file would do, or why it cannot. Nothing is written here."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from django import forms

from accounts.audit import Actor
from accounts.scope import current
from jobs.locks import Busy
from peers import editing, rules
from peers.changes import PeerEdit
from peers.exchange.book import Book
from peers.exchange.reading import CLUSTER, NODE_COLUMNS, Entry
from peers.forms import ClusterForm, NodeForm, PeerForm
from peers.models import Cluster, Node, Peer

ADD, CHANGE, NOTHING = "add", "change", "nothing"
NO_PUBLISHER = "publisher_address: A new cluster needs the address of its publisher."
COLUMN_OF = {field: column for column, field in NODE_COLUMNS.items()}

Save = Callable[[Actor], object]


class Flat(dict[str, forms.Field]):
    """Fields of a form that copies them flat, which takes it half the time.

    A page may change the widgets of its form; of thousands of rows nobody sees any.
    """

    def __deepcopy__(self, memo: object) -> dict[str, forms.Field]:
        copies = {name: copy.copy(one) for name, one in self.items()}
        for one in copies.values():
            one.validators = one.validators[:]
        return copies


def for_rows(form: type[Any]) -> Any:
    """The form of a page, for the rows of a file."""
    own: Any = type(form.__name__, (form,), {})
    own.base_fields = Flat(copy.deepcopy(own.base_fields))
    return own


CLUSTER_FORM, NODE_FORM, PEER_FORM = map(for_rows, (ClusterForm, NodeForm, PeerForm))


@dataclass
class Effect:
    """What an entry does, or why it cannot.

    Args:
        saves: what saves a cluster and its publisher.
        edit: what saves a peer, together with those of other entries.
    """

    entry: Entry
    label: str = ""
    peer: Peer | None = None
    action: str = NOTHING
    changed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list, repr=False)
    edit: PeerEdit | None = None


def judge(entries: Iterable[Entry], book: Book) -> list[Effect]:
    """Judge each entry with those before it in the book."""
    return [effect_of(entry, book) for entry in entries]


def warn(effects: Iterable[Effect]) -> None:
    """Ask the rules with all entries in: one may be the other side of another."""
    for effect in effects:
        if effect.edit:
            effect.warnings = rules.peer_warnings(effect.edit.peer)


def effect_of(entry: Entry, book: Book) -> Effect:
    effect = Effect(entry, label_of(entry))
    if entry.problem:
        effect.errors.append(entry.problem)
    elif entry.kind == CLUSTER:
        judge_cluster(entry.values, effect, book)
    else:
        judge_peer(entry.values, effect, book)
    return effect


def label_of(entry: Entry) -> str:
    values = entry.values
    if entry.kind == CLUSTER:
        return values.get("name", "")
    return f"{values.get('address', '')} on {values.get('cluster', '')}"


def judge_cluster(values: Mapping[str, str], effect: Effect, book: Book) -> None:
    known = book.cluster(values["name"].strip())
    if known is None and current() is not None:
        effect.errors.append(f"{values['name'][:100]!r} is none of your clusters.")
        return
    cluster = copy.copy(known) if known else Cluster()
    form = filled(CLUSTER_FORM, cluster, values)
    publisher = publisher_form(cluster, values)
    fine = take_errors(form, effect)
    if known is None and not values.get("publisher_address"):
        effect.errors.append(NO_PUBLISHER)
        return
    if publisher and not take_errors(publisher, effect, COLUMN_OF) or not fine:
        return
    password = form.cleaned_data["axl_password"]
    node = publisher.instance if publisher and publisher.edited else None
    save_cluster = partial(editing.save_cluster, cluster, password=password)
    if known is None:
        effect.action = ADD
        effect.saves = [partial(save_cluster, publisher=node)]
    else:
        effect.changed = [*form.edited, *(["axl_password"] if password else [])]
        if effect.changed:
            effect.saves.append(partial(save_cluster, fields=form.edited))
        if node:
            fields = () if publisher.adding else publisher.edited
            effect.changed += [f"publisher {name}" for name in publisher.edited]
            effect.saves.append(partial(editing.save_node, node, fields=fields))
        effect.action = CHANGE if effect.changed else NOTHING
    if known is None or form.edited or password:
        book.accept_cluster(cluster)
    if node:
        book.accept_node(node)


def publisher_form(cluster: Cluster, values: Mapping[str, str]) -> Any:
    """The form of the publisher; None where a known cluster goes on without one."""
    told = {
        field: values[column]
        for column, field in NODE_COLUMNS.items()
        if column in values
    }
    node = rules.publisher_of(cluster)
    if node is not None:
        return filled(NODE_FORM, copy.copy(node), told)
    if not (cluster._state.adding or any(told.values())):
        return None
    told["name"] = told.get("name") or told.get("address", "")
    return filled(NODE_FORM, Node(role=Node.Role.PUBLISHER, cluster=cluster), told)


def judge_peer(values: Mapping[str, str], effect: Effect, book: Book) -> None:
    home = book.cluster(values["cluster"].strip())
    if home is None:
        effect.errors.append(f"There is no cluster {values['cluster'][:100]!r}.")
        return
    known = book.peer(home, values["address"].strip())
    peer = copy.copy(known) if known else Peer()
    peer.cluster = home
    password = values.get("password", "")
    data = {**values, "confirm_password": password}
    form = filled(PEER_FORM, peer, data, without="cluster")
    if not take_errors(form, effect):
        return
    effect.peer = peer
    edit = PeerEdit(peer, password, tuple(form.edited) if known else ())
    effect.changed = [*edit.fields, *(["password"] if known and password else [])]
    if known and not effect.changed:
        return
    if held := book.held.get(str(peer.pk)):
        effect.errors.append(str(Busy(held)))
        return
    effect.action = CHANGE if known else ADD
    effect.edit = edit
    edit.link()
    book.accept_peer(peer)


def filled(
    kind: type[Any], instance: Any, values: Mapping[str, str], *, without: str = ""
) -> Any:
    """The page's own form, with what is stored where the file says nothing.

    Args:
        without: a field that is settled already; it asks the database.
    """
    form = kind(instance=instance)
    form.fields.pop(without, None)
    stored = {
        name: form[name].value()
        for name, one in form.fields.items()
        if not isinstance(one.widget, forms.PasswordInput)
    }
    known = {name: value for name, value in values.items() if name in form.fields}
    # Bound late: to make a form takes longer than to ask it.
    form.data, form.is_bound = stored | known, True
    return form


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
