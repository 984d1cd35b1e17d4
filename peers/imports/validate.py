"""What each entry of a file would do, or why it cannot. Nothing is written here."""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from django import forms

from accounts.audit import Actor
from accounts.cluster_limits import current_limit
from clusters import editing
from clusters.forms import ClusterForm, NodeForm
from clusters.models import Cluster, Node
from jobs.locks import Busy
from peers import rules
from peers.forms import PeerForm
from peers.imports.inventory import ImportBook
from peers.imports.parse import CLUSTER, NODE_COLUMNS, FileEntry
from peers.lifecycle import PeerEdit
from peers.models import Peer

ADD, CHANGE, NOTHING = "add", "change", "nothing"
NO_PUBLISHER = "A new cluster needs the address of its publisher."
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
class EntryEffect:
    """What an entry does, or why it cannot.

    Args:
        saves: what saves a cluster and its publisher.
        edit: what saves a peer, together with those of other entries.
    """

    entry: FileEntry
    label: str = ""
    peer: Peer | None = None
    action: str = NOTHING
    changed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list, repr=False)
    edit: PeerEdit | None = None


def judge_entries(entries: Iterable[FileEntry], book: ImportBook) -> list[EntryEffect]:
    """Judge each entry with those before it in the book."""
    return [effect_of(entry, book) for entry in entries]


def add_warnings(effects: Iterable[EntryEffect]) -> None:
    """Ask the rules with all entries in: one may match another."""
    for effect in effects:
        if effect.edit:
            effect.warnings = list(rules.peer_warnings(effect.edit.peer).values())


def effect_of(entry: FileEntry, book: ImportBook) -> EntryEffect:
    effect = EntryEffect(entry, label_of(entry))
    if entry.problem:
        effect.errors.append(entry.problem)
    elif entry.kind == CLUSTER:
        judge_cluster(entry.values, effect, book)
    else:
        judge_peer(entry.values, effect, book)
    return effect


def label_of(entry: FileEntry) -> str:
    values = entry.values
    if entry.kind == CLUSTER:
        return values.get("name", "")
    return f"{values.get('address', '')} on {values.get('cluster', '')}"


def judge_cluster(
    values: Mapping[str, str], effect: EntryEffect, book: ImportBook
) -> None:
    known = book.cluster(values["name"].strip())
    if known is None and current_limit() is not None:
        effect.errors.append(f"{values['name'][:100]!r} is none of your clusters.")
        return
    cluster = copy.copy(known) if known else Cluster()
    spelled = {"name": known.name} if known else {}
    form = fill_form(CLUSTER_FORM, cluster, {**values, **spelled})
    publisher = publisher_form(cluster, values)
    fine = take_errors(form, effect)
    if known is None and not values.get("publisher_address"):
        title = effect.entry.title("publisher_address")
        effect.errors.append(f"{title}: {NO_PUBLISHER}")
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
    given = {
        field: values[column]
        for column, field in NODE_COLUMNS.items()
        if column in values
    }
    node = rules.known_publisher(cluster)
    if node is not None:
        return fill_form(NODE_FORM, copy.copy(node), given)
    if not (cluster._state.adding or any(given.values())):
        return None
    given["name"] = given.get("name") or given.get("address", "")
    return fill_form(NODE_FORM, Node(role=Node.Role.PUBLISHER, cluster=cluster), given)


def judge_peer(
    values: Mapping[str, str], effect: EntryEffect, book: ImportBook
) -> None:
    home = book.cluster(values["cluster"].strip())
    if home is None:
        effect.errors.append(f"There is no cluster {values['cluster'][:100]!r}.")
        return
    known = book.peer(home, values["address"].strip())
    peer = copy.copy(known) if known else Peer()
    peer.cluster = home
    password = values.get("password", "")
    data = {**values, "confirm_password": password}
    form = fill_form(PEER_FORM, peer, data, without="cluster")
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


def fill_form(
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
    known = {
        name: as_stored(form.fields[name], value)
        for name, value in values.items()
        if name in form.fields
    }
    # Bound late: to make a form takes longer than to ask it.
    form.data, form.is_bound = stored | known, True
    return form


def as_stored(field: forms.Field, value: str) -> str:
    """A choice as it is stored, where a cell has other case or spaces around it."""
    if not isinstance(field, forms.ChoiceField):
        return value
    choices: Any = field.choices
    spelled = {str(choice).casefold(): str(choice) for choice, _ in choices}
    return spelled.get(value.strip().casefold(), value)


def take_errors(
    form: Any, effect: EntryEffect, columns: Mapping[str, str] = MappingProxyType({})
) -> bool:
    """Note the errors of a form under the headings of its columns."""
    title = effect.entry.title
    for name, sentences in form.errors.items():
        if name == "confirm_password":
            continue
        where = "" if name == "__all__" else f"{title(columns.get(name, name))}: "
        effect.errors += [f"{where}{sentence}" for sentence in sentences]
    return form.is_valid()  # type: ignore[no-any-return]
