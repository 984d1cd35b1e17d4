"""How the peer that an administrator wants reaches its cluster, and leaves it.

Direct: the entry is written through AXL on the publisher, in a table that the
cluster's own catalogue confirms. Guided: the administrator does it, and the console
notices when the cluster shows the result. Either way an interrupted step is read back
before anything is done again.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from jobs.failpoints import failpoint
from jobs.leases import LeaseTaken, lease
from jobs.models import Job
from jobs.run import Ended, Run, Step
from peers import changes, looking
from peers.connections import peer_table_of
from peers.conversation import ask
from peers.discovery import publisher_of
from peers.drift import drift_of
from peers.models import Outcome, Peer
from peers.signals import peer_applied, peer_removed
from wire import AxlClient, PeerEntry, PeerTableClient, PeerValues, WireError

T = TypeVar("T")
Conversation = Callable[[PeerTableClient], Awaitable[T]]

# The wire gives a write 30 seconds.
WRITE_DEADLINE = 30.0


def ask_table(peer: Peer, conversation: Conversation[T]) -> T:
    """Talk to the peer table of the home cluster, on its publisher."""
    table = peer_table_of(peer.cluster)

    async def question(axl: AxlClient) -> T:
        return await conversation(PeerTableClient(axl, table))

    return ask(publisher_of(peer.cluster), question)


def entry_of(peer: Peer) -> PeerEntry | None:
    """Return the cluster's own entry for the peer, as it is now."""
    addresses = {peer.address.casefold(), peer.applied_address.casefold()}
    entries = ask_table(peer, PeerTableClient.read)
    found = [entry for entry in entries if entry.address.casefold() in addresses]
    return found[0] if found else None


def values_of(peer: Peer) -> PeerValues:
    return PeerValues(
        username=peer.username,
        protocol=peer.protocol,
        external_phone_number_mask=peer.external_phone_number_mask,
        password=peer.unseal("password"),
    )


def matches(entry: PeerEntry | None, peer: Peer) -> bool:
    """Whether the cluster shows the peer as wanted, the password left aside."""
    return entry is not None and not drift_of(changes.values_of(peer), entry)


def image(entry: PeerEntry | None) -> dict[str, str] | None:
    """The entry as a step may remember it: everything but the password."""
    return None if entry is None else changes.values_of(entry)


@dataclass(frozen=True)
class Seen:
    """The cluster's own entry as this attempt read it just now, or that it has none."""

    entry: PeerEntry | None

    def __str__(self) -> str:
        if self.entry:
            return "There is an entry, it will be changed."
        return "There is no entry."


def provision_directly(run: Run, peer: Peer) -> None:
    seen: Seen | None = None

    def before(step: Step) -> str:
        nonlocal seen
        seen = remember_before(step, peer)
        return str(seen)

    run.do("catalogue", lambda step: verify_table(peer))
    run.do("before", before)
    run.do("write", lambda step: write(step, peer, seen))
    run.do("read-back", lambda step: read_back(peer))
    applied(peer)


def verify_table(peer: Peer) -> str:
    ask_table(peer, PeerTableClient.verify)
    table = peer_table_of(peer.cluster)
    return f"The table {table.table} has every mapped column."


def remember_before(step: Step, peer: Peer) -> Seen:
    """Commit what the cluster has before anything is written."""
    seen = Seen(entry_of(peer))
    step.remember(before=image(seen.entry))
    return seen


@contextlib.contextmanager
def only_write(peer: Peer) -> Iterator[None]:
    """One AXL write in flight on a publisher, whichever worker it comes from."""
    name = f"axl-write:{publisher_of(peer.cluster).pk}"
    try:
        with lease(name, seconds=2 * WRITE_DEADLINE, patience=2 * WRITE_DEADLINE):
            yield
    except LeaseTaken:
        raise Ended(
            Job.State.FAILED,
            f"Other writes kept the publisher of {peer.cluster} busy. Try again.",
        ) from None


def write(step: Step, peer: Peer, seen: Seen | None = None) -> str:
    """Insert or change the entry once; an unclear outcome is settled by reading.

    Args:
        seen: what this attempt read already; an interrupted step is read again.
    """
    failpoint("provision:before-write")
    unread = seen is None or step.interrupted
    existing = entry_of(peer) if unread else seen.entry  # type: ignore[union-attr]
    if stands(existing, peer):
        return "An earlier attempt wrote it." if step.interrupted else "It stands."
    values = values_of(peer)
    try:
        with only_write(peer):
            if existing:
                old = existing.address
                ask_table(peer, lambda t: t.update(old, values, renamed=peer.address))
            else:
                ask_table(peer, lambda t: t.insert(peer.address, values))
    except WireError as error:
        if not error.outcome_unknown:
            raise
        return settle(step, peer, error)
    failpoint("provision:after-write")
    step.remember(wrote=True)
    return "Changed." if existing else "Added."


def settle(step: Step, peer: Peer, error: WireError) -> str:
    """Read back after a write whose answer was lost."""
    step.remember(wrote=True)
    if stands(entry_of(peer), peer):
        return "The answer was lost, but the cluster shows the entry."
    raise error


def stands(entry: PeerEntry | None, peer: Peer) -> bool:
    """Whether the cluster has all of it, the password too; the cluster compares."""
    if entry is None or not matches(entry, peer):
        return False
    password = peer.unseal("password")
    return ask_table(peer, lambda t: t.password_matches(entry.address, password))


def read_back(peer: Peer) -> str:
    entry = entry_of(peer)
    if not matches(entry, peer):
        raise Ended(
            Job.State.NEEDS_ATTENTION,
            "The cluster shows something other than what was written: "
            + ("no entry" if entry is None else str(image(entry))),
        )
    return "The cluster shows the entry as wanted."


def mark_applied(peer: Peer) -> None:
    """The cluster has it: remember under which address."""
    # What was read of the cluster before this time is no longer true.
    Peer.objects.filter(pk=peer.pk).update(
        provisioning_state=Peer.ProvisioningState.APPLIED,
        applied_address=peer.address,
        drift={},
        updated_at=timezone.now(),
    )


def applied(peer: Peer) -> None:
    """The cluster has it, so it is worth a check now."""
    mark_applied(peer)
    peer_applied.send(sender=Peer, peer=peer)


def provision_guided(run: Run, peer: Peer) -> None:
    run.do("instruct", lambda step: instruct(step, peer, instruction(peer)))
    run.do("notice", lambda step: looking.notice(run, peer, step))
    applied(peer)


def instruct(step: Step, peer: Peer, text: str) -> str:
    """Say what to do, and where the values can be copied."""
    url = reverse("peers:guide", args=[peer.pk])
    step.remember(url=url, link="Show the steps with all values")
    return text


def page_of(peer: Peer) -> str:
    return f"{peer.cluster.profile.administration} > Presence > Inter-Clustering"


def instruction(peer: Peer) -> str:
    page = page_of(peer)
    mask = peer.external_phone_number_mask
    return (
        f"On {publisher_of(peer.cluster)}: {page}, Add New. "
        f"Peer Address {peer.address}, Username {peer.username}, its password, "
        f"Preferred Protocol {peer.protocol}"
        + (f", External Phone Number Mask {mask}" if mask else "")
        + ". Save."
    )


def remove_directly(run: Run, peer: Peer) -> None:
    key = f"{peer.pk}:"
    run.do(key + "catalogue", lambda step: verify_table(peer))
    run.do(key + "write", lambda step: delete(peer))
    run.do(key + "forget", lambda step: forget(peer))


def delete(peer: Peer) -> str:
    failpoint("remove:before-write")
    existing = entry_of(peer)
    if existing is None:
        return "The cluster has no such entry."
    address = existing.address
    try:
        with only_write(peer):
            ask_table(peer, lambda table: table.delete(address))
    except WireError as error:
        if not error.outcome_unknown or entry_of(peer) is not None:
            raise
    failpoint("remove:after-write")
    if entry_of(peer) is not None:
        raise Ended(Job.State.NEEDS_ATTENTION, "The cluster still shows the entry.")
    return "Deleted."


def remove_guided(run: Run, peer: Peer) -> None:
    key = f"{peer.pk}:"
    run.do(
        key + "instruct", lambda step: instruct(step, peer, removal_instruction(peer))
    )
    run.do(key + "notice", lambda step: looking.notice_removal(run, peer, step))
    run.do(key + "forget", lambda step: forget(peer))


def removal_instruction(peer: Peer) -> str:
    page = page_of(peer)
    return (
        f"On {publisher_of(peer.cluster)}: {page}, find {peer.address}, "
        "select it, Delete Selected."
    )


@transaction.atomic
def forget(peer: Peer) -> str:
    """Delete the row; what was last seen of the other side is no longer true."""
    if back := peer.reverse:
        Peer.objects.filter(pk=back.pk).update(outcome=Outcome.UNKNOWN)
    peer_removed.send(sender=Peer, peer=peer)
    audit.record(audit.CONSOLE, "forget peer", peer)
    Peer.objects.filter(pk=peer.pk).delete()
    return "Deleted."
