"""What the last check of each peer found; a symptom hangs on its cause.

Each entry of a status that did not pass is led to the causes that other sources found:
the node, the agent, the entry on the cluster. What no other cause explains is one.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse

from clusters.models import Node
from overview.found import UNKNOWN, Found, ProblemBook, name_subject
from overview.peer_rows import PeerRow
from peers.models import PeerOutcome

Entry = dict[str, Any]

# What is tried at the remote publisher, in the order in which one failure causes the
# next ones.
REMOTE = ("address", "connect", "certificate", "axl", "credentials", "sip")
# What a table that cannot be read leaves unknown, and of which cluster.
AT_HOME = ("sync_agent_local", "provisioned")
UNREAD = {
    "provisioned": ("peers_unread", "clusters:peer_table"),
    "reverse_peer": ("peers_unread", "clusters:peer_table"),
    "sync_agent_local": ("agent_unknown", ""),
    "sync_agent_remote": ("agent_unknown", ""),
}


def report_peers(book: ProblemBook) -> None:
    """Look at the causes of each peer first, then at the numbers of users."""
    nodes = nodes_by_address(book)
    bad = [row for row in book.peers if row.outcome != PeerOutcome.PASSED]
    for row in bad:
        Causes(book, row, nodes).find()
    for row in bad:
        users_of(book, row)
    for row in bad:
        if not book.of_peer[row.pk]:
            report_cause(book, row, leftover_problem(row))
    for row in bad:
        for found in book.of_peer[row.pk]:
            found.affect(row.affected)


def nodes_by_address(book: ProblemBook) -> dict[tuple[UUID, str], Node]:
    return {
        (cluster.pk, text.casefold()): node
        for cluster in book.clusters.values()
        for node in cluster.nodes.all()
        for text in (node.address, node.name)
    }


def report_cause(book: ProblemBook, row: PeerRow, found: Found) -> None:
    """Report a cause of a peer's trouble."""
    add_problems(book.of_peer[row.pk], [book.report(found)])


def add_problems(known: list[Found], more: Iterable[Found]) -> None:
    known += [one for one in more if not any(one is other for other in known)]


class Causes:
    """The causes of one peer's trouble, found entry by entry."""

    def __init__(
        self, book: ProblemBook, row: PeerRow, nodes: dict[tuple[UUID, str], Node]
    ) -> None:
        self.book, self.row, self.nodes = book, row, nodes
        self.found = book.of_peer[row.pk]
        self.remote_cause: list[Found] = []

    def find(self) -> None:
        book, row = self.book, self.row
        if not row.checked:
            self.never_checked()
            return
        for entry in row.bad:
            if row.remote is None and entry["outcome"] == PeerOutcome.UNKNOWN:
                report_cause(book, row, unmanaged_problem(row))
            elif entry["code"] != "associated_users":
                self.explain(entry)

    def never_checked(self) -> None:
        causes = self.book.blocking(self.row.home) + self.book.blocking(self.row.remote)
        add_problems(self.found, causes)
        if not self.found:
            report_cause(self.book, self.row, unchecked_problem(self.row))

    def explain(self, entry: Entry) -> None:
        """Hang an entry on what is known to cause it, else make it a cause."""
        causes = self.known(entry)
        if not causes:
            causes = [self.book.report(self.cause(entry))]
        add_problems(self.found, causes)
        if entry["code"] in REMOTE:
            add_problems(self.remote_cause, causes)

    def known(self, entry: Entry) -> list[Found]:
        book, row, code = self.book, self.row, entry["code"]
        if code in REMOTE:
            return self.remote_cause or self.at_target(code)
        if code == "sync_agent_local":
            return book.agents[row.home] or book.blocking(row.home)
        if code == "sync_agent_remote":
            return self.agents_there()
        if code == "provisioned":
            causes = book.entries[row.key] or book.hiding_entries(row.home)
            return causes or self.no_users_carried(entry)
        if code == "reverse_peer":
            causes = self.entry_back() or book.hiding_entries(row.remote)
            return causes or self.no_users_carried(entry)
        # What is left is protocol_match.
        return (
            book.entries[row.key]
            or self.entry_back()
            or self.unread()
            or book.hiding_entries(row.home)
            or book.hiding_entries(row.remote)
        )

    def at_target(self, code: str) -> list[Found]:
        """What is wrong with the node that the address leads to."""
        if self.row.remote is None or code == "address":
            return []
        remote = self.book.clusters.get(self.row.remote)
        where = self.row.remote, self.row.address.casefold()
        node = self.nodes.get(where) or (remote and remote.publisher)
        if node is None:
            return self.book.blocking(self.row.remote)
        expiring = self.book.expiring.get(node.pk)
        if code == "certificate" and expiring:
            return [expiring]
        return self.book.at_node[node.pk]

    def agents_there(self) -> list[Found]:
        remote = self.row.remote
        if remote is None:
            return []
        return self.book.agents[remote] or self.book.blocking(remote)

    def entry_back(self) -> list[Found]:
        remote, home = self.row.back
        return self.book.entries[remote, home] if remote else []

    def no_users_carried(self, entry: Entry) -> list[Found]:
        """What keeps users from showing an entry of a table that is not known.

        They do only while both clusters answer and their agents run.
        """
        if entry["outcome"] != PeerOutcome.UNKNOWN:
            return []
        clusters = [pk for pk in self.row.key if pk]
        return [
            found
            for pk in clusters
            for found in [*self.book.agents[pk], *self.book.blocking(pk)]
        ]

    def unread(self) -> list[Found]:
        """The tables of both clusters that cannot be read."""
        keys = (f"peers_unread:{pk}" for pk in self.row.key)
        return [self.book.found[key] for key in keys if key in self.book.found]

    def cause(self, entry: Entry) -> Found:
        row, code = self.row, entry["code"]
        if entry["outcome"] == PeerOutcome.UNKNOWN and code in UNREAD:
            home = code in AT_HOME
            return unread_problem(entry, row.home if home else row.remote or row.home)
        found = Found(
            f"{code}:{subject_of(code, row)}",
            f"peer_{code}",
            entry["outcome"],
            name_subject(
                text_of(entry), f"{row.address} on {row.home_name}", row.address
            ),
            entry.get("fix_url") or row.url,
            row.home,
        )
        if code in ("connect", "certificate", "axl", "sip", "address") and row.remote:
            # It is so for every peer with this address, and the cause is there.
            found.cluster, found.touches = row.remote, frozenset([row.home])
            found.sentence = name_subject(text_of(entry), row.address)
        return found


def subject_of(code: str, row: PeerRow) -> str:
    """Name what a cause is about, so that peers with the same cause share it."""
    if code in ("address", "connect", "certificate", "axl", "sip"):
        return row.address.casefold()
    if code == "protocol_match":
        return ":".join(sorted(map(str, row.key)))
    return str(row.pk)


def text_of(entry: Entry) -> str:
    return str(entry["problem"] or entry.get("label") or entry["code"])


def unread_problem(entry: Entry, cluster: UUID) -> Found:
    code, page = UNREAD[entry["code"]]
    url = reverse(page, args=[cluster]) if page else entry.get("fix_url", "")
    url = url or reverse("clusters:show_cluster", args=[cluster])
    return Found(f"{code}:{cluster}", code, UNKNOWN, text_of(entry), url, cluster)


def unmanaged_problem(row: PeerRow) -> Found:
    text = f"The remote cluster of {row.address} is not managed by this console."
    key = f"remote_unmanaged:{row.address.casefold()}"
    url = reverse("clusters:add_cluster")
    return Found(
        key, "remote_unmanaged", UNKNOWN, text, url, touches=frozenset([row.home])
    )


def unchecked_problem(row: PeerRow) -> Found:
    text = f"Peers of {row.home_name} have not been checked yet."
    key = f"peers_unchecked:{row.home}"
    url = reverse("clusters:show_cluster", args=[row.home])
    return Found(key, "peers_unchecked", UNKNOWN, text, url, row.home)


def users_of(book: ProblemBook, row: PeerRow) -> None:
    """Hang different numbers of users on what keeps users from being carried."""
    for entry in row.bad:
        if entry["code"] != "associated_users" or row.remote is None:
            continue
        causes = book.of_peer[row.pk] or other_way(book, row)
        causes = causes or book.blocking(row.home) or book.blocking(row.remote)
        if causes:
            add_problems(book.of_peer[row.pk], causes)
            continue
        url = reverse("peers:resync", args=[row.pk])
        if entry["outcome"] == PeerOutcome.UNKNOWN:
            url = row.url
        code = "peer_associated_users"
        text = name_subject(
            text_of(entry), f"{row.address} on {row.home_name}", row.address
        )
        key = f"associated_users:{row.pk}"
        report_cause(book, row, Found(key, code, entry["outcome"], text, url, row.home))


def other_way(book: ProblemBook, row: PeerRow) -> list[Found]:
    """The causes of the matching peer's trouble, users apart: those are its own."""
    pk = book.ids.get(row.back)  # type: ignore[arg-type]
    causes = book.of_peer[pk] if pk else []
    return [one for one in causes if one.code != "peer_associated_users"]


def leftover_problem(row: PeerRow) -> Found:
    """Never leave a peer out that did not pass."""
    text = f"{row.address} on {row.home_name}: status {row.outcome}."
    key, severity = f"peer_status:{row.pk}", row.outcome
    return Found(key, "peer_status", severity, text, row.url, row.home)
