"""Writing and deleting the entry of a peer, and what a person is told to do instead.

An interrupted write is read back before anything is done again.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse

from accounts import audit
from clusters import page_visits
from clusters.discovery import require_publisher
from clusters.peer_tables import writable_table_of
from jobs.failpoints import failpoint
from jobs.leases import LeaseBusy, lease
from jobs.models import Job
from jobs.run import Ended, Step
from peers import page_entries
from peers.entries import (
    ask_table,
    change_table,
    entry_image,
    entry_of,
    entry_text,
    matches_peer,
    wire_values,
)
from peers.models import Peer
from peers.signals import peer_removed
from wire import PeerEntry, PeerTableClient, WireError, address_of, plain_host

# The wire gives a write 30 seconds.
WRITE_DEADLINE = 30.0

FOUND_AFTERWARDS = "The answer was lost, but the cluster shows the entry."


@dataclass(frozen=True)
class ObservedEntry:
    """The cluster's own entry as this attempt read it just now, or that it has none."""

    entry: PeerEntry | None

    def __str__(self) -> str:
        if self.entry:
            return "There is an entry, it will be changed."
        return "There is no entry."


def verify_table(peer: Peer) -> str:
    if peer.cluster.by_pages:
        return "The pages are recognised before anything is entered."
    change_table(peer, PeerTableClient.verify)
    table = writable_table_of(peer.cluster)
    return f"The table {table.table} has every mapped column."


def save_before(step: Step, peer: Peer) -> ObservedEntry:
    """Commit what the cluster has before anything is written."""
    seen = ObservedEntry(entry_of(peer))
    step.save_memo(before=entry_image(seen.entry))
    return seen


@contextlib.contextmanager
def only_write(peer: Peer) -> Iterator[None]:
    """One AXL write in flight on a publisher, whichever worker it comes from."""
    name = f"axl-write:{require_publisher(peer.cluster).pk}"
    try:
        with lease(name, seconds=2 * WRITE_DEADLINE, patience=2 * WRITE_DEADLINE):
            yield
    except LeaseBusy:
        raise Ended(
            Job.State.FAILED,
            f"Other writes kept the publisher of {peer.cluster} busy. Try again.",
        ) from None


def write_entry(step: Step, peer: Peer, seen: ObservedEntry | None = None) -> str:
    """Insert or change the entry once; an unclear outcome is settled by reading.

    Args:
        seen: what this attempt read already; an interrupted step is read again.
    """
    failpoint("provision:before-write")
    unread = seen is None or step.interrupted
    existing = entry_of(peer) if unread else seen.entry  # type: ignore[union-attr]
    if peer.cluster.by_pages:
        return page_entries.write_by_pages(step, peer, existing)
    if is_up_to_date(existing, peer):
        return (
            "Written by an earlier attempt."
            if step.interrupted
            else "Already up to date."
        )
    values = wire_values(peer)
    if existing is None and values.password is None:
        sentence = (
            f"The password of {peer.username} is not known. Enter it, then retry."
        )
        raise Ended(Job.State.FAILED, sentence, "no_password")
    try:
        with only_write(peer):
            if existing:
                old, new = existing.address, renamed_address(existing, peer)
                change_table(peer, lambda t: t.update(old, values, renamed=new))
            else:
                change_table(peer, lambda t: t.insert(peer.address, values))
    except WireError as error:
        if not error.outcome_unknown:
            raise
        return read_after(step, peer, error)
    failpoint("provision:after-write")
    step.save_memo(wrote=True)
    return "Changed." if existing else "Added."


def renamed_address(entry: PeerEntry, peer: Peer) -> str:
    """Give the new address of an entry; an IP address keeps the cluster's spelling."""
    kept = address_of(entry.address) == plain_host(peer.address)
    return "" if kept else peer.address


def read_after(step: Step, peer: Peer, error: WireError) -> str:
    """Read back after a write whose answer was lost."""
    step.save_memo(wrote=True)
    if is_up_to_date(entry_of(peer), peer):
        return FOUND_AFTERWARDS
    raise error


def is_up_to_date(entry: PeerEntry | None, peer: Peer) -> bool:
    """Whether the cluster has all of it, the password too; the cluster compares."""
    if entry is None or not matches_peer(entry, peer):
        return False
    if not peer.password:
        return True
    password = peer.unseal("password")
    return ask_table(peer, lambda t: t.password_matches(entry.address, password))


def read_back(peer: Peer) -> str:
    entry = entry_of(peer)
    if matches_peer(entry, peer):
        return "The cluster shows the entry as desired."
    shown = "no entry" if entry is None else entry_text(entry)
    if peer.cluster.by_pages:
        raise page_entries.not_saved(peer, shown)
    raise Ended(
        Job.State.NEEDS_ATTENTION,
        f"The cluster shows something other than what was written: {shown}",
    )


def instruct_step(step: Step, peer: Peer, text: str) -> str:
    """Say what to do, and where the values can be copied."""
    url = reverse("peers:guide", args=[peer.pk])
    step.save_memo(url=url, link="Show the steps with all values")
    return text


def page_of(peer: Peer) -> str:
    return f"{peer.cluster.profile.administration} > Presence > Inter-Clustering"


def instruction_for(peer: Peer) -> str:
    page = page_of(peer)
    known = peer.applied_address
    choice = f"open the peer {known}" if known else "Add New"
    mask = peer.external_phone_number_mask
    return (
        f"On {require_publisher(peer.cluster)}: {page}, {choice}. "
        f"Peer Address {peer.address}, Username {peer.username}, its password, "
        f"Preferred Protocol {peer.protocol}"
        + (f", External Phone Number Mask {mask}" if mask else "")
        + ". Save."
    )


def delete_entry(peer: Peer) -> str:
    failpoint("remove:before-write")
    existing = entry_of(peer)
    if existing is None:
        return "The cluster has no such entry."
    address = existing.address
    try:
        remove_entry(peer, address)
    except WireError as error:
        if not error.outcome_unknown or entry_of(peer) is not None:
            raise
    failpoint("remove:after-write")
    if entry_of(peer) is not None:
        raise Ended(Job.State.NEEDS_ATTENTION, "The cluster still shows the entry.")
    return "Deleted."


def remove_entry(peer: Peer, address: str) -> None:
    if peer.cluster.by_pages:
        page_visits.visit_cluster(peer.cluster, lambda pages: pages.delete(address))
        return
    with only_write(peer):
        change_table(peer, lambda table: table.delete(address))


def removal_instruction(peer: Peer) -> str:
    page = page_of(peer)
    return (
        f"On {require_publisher(peer.cluster)}: {page}, find {peer.address}, "
        "select it, Delete Selected."
    )


@transaction.atomic
def drop_row(peer: Peer) -> str:
    """Delete the row and record it."""
    peer_removed.send(sender=Peer, peer=peer)
    audit.append_entry(audit.CONSOLE, "forget peer", peer)
    peer.drop()
    return "Deleted."
