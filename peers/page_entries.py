"""Saving an entry through the product's own pages: once, then read.

The pages never show a password, so that an entry which looks as desired may still have
another one: it is saved whenever a password is known, and after a crash only what can
be seen decides.
"""

from typing import Any

from clusters import page_visits
from clusters.discovery import require_publisher
from jobs.failpoints import failpoint
from jobs.models import Job
from jobs.run import Ended, Step
from pages import PageCode, PagesError
from peers.entries import entry_image, entry_of, matches_peer, wire_values
from peers.models import Peer
from wire import PeerEntry, WireError

# The page itself said that it stored nothing.
REFUSALS = (
    PageCode.REFUSED,
    PageCode.REQUIRED,
    PageCode.DUPLICATE,
    PageCode.DENIED,
    PageCode.READ_ONLY,
    PageCode.TOKEN,
)
UNSEEN = (
    "The entry is as desired, but whether the last save stored its password cannot be "
    "seen: the worker ended in the middle of it. Save the peer again."
)
OTHERWISE = "The cluster shows something other than what was saved."


def write_by_pages(step: Step, peer: Peer, entry: PeerEntry | None) -> str:
    """Add or change the entry; what an earlier attempt sent is settled by reading.

    Args:
        entry: what the cluster has now.
    """
    if (sent := step.memo.get("sent")) and (
        sentence := _earlier_save(peer, entry, sent)
    ):
        return sentence
    values = wire_values(peer)
    if values.password is None and matches_peer(entry, peer):
        return "Already up to date."
    if entry is None and values.password is None:
        sentence = (
            f"The password of {peer.username} is not known. Enter it, then retry."
        )
        raise Ended(Job.State.FAILED, sentence, "no_password")
    before = entry_image(entry)
    step.save_memo(sent={"before": before, "again": bool(sent)})
    failpoint("provision:before-save")
    existing = entry.address if entry else None
    try:
        page_visits.visit_cluster(
            peer.cluster,
            lambda pages: pages.save(peer.address, values, existing=existing),
        )
    except WireError as error:
        if not error.outcome_unknown:
            step.save_memo(sent=None)
            raise
        return _read_after(step, peer, error, before)
    failpoint("provision:after-write")
    step.save_memo(wrote=True)
    return "Changed." if entry else "Added."


def not_saved(peer: Peer, shown: str) -> Ended:
    """Say that a page reported success and the cluster shows something else."""
    node = require_publisher(peer.cluster).name
    error = PagesError(PageCode.NOT_SAVED, node=node)
    sentence = f"{error.message} It shows {shown}. {error.remedy}"
    return Ended(Job.State.NEEDS_ATTENTION, sentence, PageCode.NOT_SAVED)


def _earlier_save(peer: Peer, entry: PeerEntry | None, sent: dict[str, Any]) -> str:
    """Say what came of the save of an earlier attempt; empty: nothing was stored."""
    unchanged = entry_image(entry) == sent["before"]
    if matches_peer(entry, peer):
        if unchanged:
            raise Ended(Job.State.NEEDS_ATTENTION, UNSEEN, "page_unseen")
        return "Saved by an earlier attempt."
    if not unchanged or sent["again"]:
        raise Ended(Job.State.NEEDS_ATTENTION, OTHERWISE, PageCode.NOT_SAVED)
    return ""


def _read_after(
    step: Step, peer: Peer, error: WireError, before: dict[str, str] | None
) -> str:
    """Read back after a save whose answer was lost or unclear; never save again."""
    step.save_memo(wrote=True)
    entry = entry_of(peer)
    unchanged = entry_image(entry) == before
    if unchanged and (error.code in REFUSALS or not matches_peer(entry, peer)):
        # Seen: nothing was stored.
        step.save_memo(sent=None, wrote=False)
        error.outcome_unknown = False
        raise error
    if unchanged:
        raise Ended(Job.State.NEEDS_ATTENTION, UNSEEN, "page_unseen")
    if matches_peer(entry, peer):
        return "The answer was unclear, but the cluster shows the entry."
    raise Ended(Job.State.NEEDS_ATTENTION, OTHERWISE, PageCode.NOT_SAVED)
