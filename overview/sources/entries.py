"""Entries on the clusters: missing, one-sided, changed, waiting or not written."""

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse

from jobs.locks import JobLock
from jobs.models import Job
from mesh.observed import UnmanagedEntry, unmanaged_entries
from overview.found import FAILED, UNKNOWN, WARNING, Found, ProblemBook
from overview.peer_rows import PeerRow, peer_rows
from peers.models import Peer

State = Peer.ProvisioningState


def report_entries(book: ProblemBook) -> None:
    book.peers = list(peer_rows())
    book.ids = {row.key: row.pk for row in book.peers}
    waiting = jobs_of_peers()
    for row in book.peers:
        if found := state_of(row, book, waiting.get(f"peer:{row.pk}")):
            found = book.report(found).affect(row.affected)
            book.entries[row.key].append(found)
            book.of_peer[row.pk].append(found)
    report_removals(book)
    report_pairs(book)


def jobs_of_peers() -> dict[str, UUID]:
    """The ids of the unfinished jobs that hold a peer, by the peer's lock."""
    held = JobLock.objects.filter(name__startswith="peer:")
    return dict(held.values_list("name", "job_id"))


def state_of(row: PeerRow, book: ProblemBook, job: UUID | None) -> Found | None:
    """Say what is wrong with the entry itself, or that it waits."""
    name = row.home_name
    drift = reverse("peers:drift", args=[row.pk])
    if row.state == State.PENDING:
        return waiting_for(row, book, job)
    if row.state == State.FAILED:
        text = f"The entry {row.address} could not be written to {name}."
        text = f"{text} {last_error(row)}".strip()
        return entry_problem(row, "entry_failed", FAILED, text, row.url)
    if row.state == State.ABSENT and row.applied_address:
        text = f"The entry {row.address} was removed on {name}."
        return entry_problem(row, "entry_removed", FAILED, text, drift)
    if row.state == State.ABSENT:
        text = f"{name} does not have the entry {row.address}."
        return entry_problem(row, "entry_absent", FAILED, text, row.url)
    if row.drifted:
        text = f"The entry {row.address} on {name} does not match the console."
        return entry_problem(row, "entry_differs", FAILED, text, drift)
    return None


def last_error(row: PeerRow) -> str:
    """Why the newest job that wrote the entry failed."""
    jobs = Job.objects.filter(target_type="peer", target_id=str(row.pk))
    newest = jobs.order_by("-created_at").values_list("error", flat=True).first()
    return newest or ""


def waiting_for(row: PeerRow, book: ProblemBook, job: UUID | None) -> Found:
    home = book.clusters[row.home]
    if not home.direct:
        text = f"The entry {row.address} must be entered on {home} manually."
        guide = reverse("peers:guide", args=[row.pk])
        return entry_problem(row, "entry_waiting", WARNING, text, guide)
    if job is None:
        text = f"The entry {row.address} is not on {home} yet, and no job writes it."
        return entry_problem(row, "entry_pending", WARNING, text, row.url)
    text = f"The entry {row.address} is waiting to be written to {home}."
    return entry_problem(
        row, "entry_pending", UNKNOWN, text, reverse("jobs:show", args=[job])
    )


def entry_problem(row: PeerRow, code: str, severity: str, text: str, url: str) -> Found:
    return Found(f"{code}:{row.pk}", code, severity, text, url, row.home)


def report_pairs(book: ProblemBook) -> None:
    """Report entries without a matching one, then pairs that have none at all."""
    have = {row.key: row for row in book.peers}
    seen = list(unmanaged_entries())
    known = {(one.home.pk, one.remote.pk): one for one in seen if one.remote}
    for row in book.peers:
        if row.remote is None or row.remote not in book.clusters:
            continue
        back = row.remote, row.home
        if back not in have and not book.entries.get(back):
            found = one_sided(row, row.remote, book, known.get(back))
            found = book.report(found).affect(row.affected)
            book.entries[back].append(found)
    report_unmanaged(book, (one for one in seen if not is_pair(one, have)))
    removing = {key for key, found in book.entries.items() if found}
    report_incomplete(book, set(have) | set(known) | removing)


def one_sided(
    row: PeerRow, pk: UUID, book: ProblemBook, unmanaged: UnmanagedEntry | None
) -> Found:
    """The remote cluster has no matching entry in the console."""
    home, remote = book.clusters[row.home], book.clusters[pk]
    key = f"entry_missing:{remote.pk}:{home.pk}"
    if unmanaged:
        text = f"{remote} has an entry for {home} that the console does not manage."
        return unmanaged_problem(unmanaged, text, key)
    url = reverse("mesh:set_up")
    url = f"{url}?one={remote.pk}&other={home.pk}"
    text = f"{remote} has no matching entry for {home}."
    return Found(key, "entry_missing", FAILED, text, url, remote.pk)


def is_pair(one: UnmanagedEntry, have: dict[tuple[UUID, UUID | None], PeerRow]) -> bool:
    """Whether it is the matching entry of one that the console has: reported there."""
    return bool(one.remote and (one.remote.pk, one.home.pk) in have)


def report_unmanaged(book: ProblemBook, seen: Iterable[UnmanagedEntry]) -> None:
    for one in seen:
        where = one.entry.address
        text = f"{one.home} has an entry {where} that the console does not manage."
        book.report(
            unmanaged_problem(one, text, f"entry_unmanaged:{one.home.pk}:{one.key}")
        )


def unmanaged_problem(one: UnmanagedEntry, text: str, key: str) -> Found:
    url = reverse("mesh:matrix")
    if one.entry.address:
        url = reverse("mesh:adopt", args=[one.home.pk, one.key])
    return Found(key, "entry_unmanaged", WARNING, text, url, one.home.pk)


def report_incomplete(book: ProblemBook, have: set[tuple[UUID, UUID | None]]) -> None:
    """Report pairs without any entry, all of them together: they may be meant so."""
    ids = list(book.clusters)
    missing = [
        (one, other)
        for n, one in enumerate(ids)
        for other in ids[n + 1 :]
        if (one, other) not in have and (other, one) not in have
    ]
    if not missing:
        return
    one, other = missing[0]
    text = f"{len(missing)} pairs of clusters have no peers in the console."
    url = reverse("mesh:complete")
    if len(missing) == 1:
        both = f"{book.clusters[one]} and {book.clusters[other]}"
        text = f"{both} have no peers in the console."
        url = f"{reverse('mesh:set_up')}?one={one}&other={other}"
    book.report(
        Found(
            "mesh_incomplete",
            "mesh_incomplete",
            WARNING,
            text,
            url,
            touches=frozenset(pk for pair in missing for pk in pair),
            whole=True,
        )
    )


def report_removals(book: ProblemBook) -> None:
    """Report entries that a person has to remove, or that a job is removing."""
    for peer in Peer.objects.filter(removing=True).select_related("cluster"):
        guided = not peer.cluster.direct
        verb = "must be removed on" if guided else "is being removed from"
        page = "peers:guide" if guided else "peers:edit_peer"
        found = Found(
            f"removal_waiting:{peer.pk}",
            "removal_waiting",
            WARNING if guided else UNKNOWN,
            f"The entry {peer.address} {verb} {peer.cluster}.",
            reverse(page, args=[peer.pk]),
            peer.cluster_id,
        )
        # What the matching entry lacks follows from it.
        book.entries[peer.cluster_id, peer.remote_cluster_id].append(book.report(found))
