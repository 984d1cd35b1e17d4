"""Writing what a collection found to the rows that pages and API show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from clusters import contacts
from clusters.contacts import ANSWERED, NOT_QUERIED
from clusters.editions import editions_of
from clusters.models import Cluster, Node
from diagnostics.addressing import scheme_of_users
from diagnostics.facts import ClusterFacts, Facts, NodeFacts
from diagnostics.judge.cluster import health_of
from diagnostics.judge.entry import STUCK
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.status import judge_entries, outcome_of
from diagnostics.judge.verdict import KnownBy, Outcome
from diagnostics.models import PeerCheck
from diagnostics.service_readings import share_readings
from diagnostics.signals import clusters_recorded, peers_recorded
from diagnostics.suggested_actions import url_of
from diagnostics.user_trail import UserTrail
from pages import PageCode
from peers.attestation import take_back
from peers.drift import drift_of
from peers.models import Peer
from wire import plain_host, platforms

WRONG = (Outcome.FAILED, Outcome.WARNING)
# What a person and the Sync Agent have not finished in the first minutes of a peering.
TAKES_TIME = {"reverse_peer", "protocol_match", "provisioned", "associated_users"}


@dataclass(frozen=True)
class CheckStatus:
    """What is now known of one peer."""

    view: PeerView
    entries: list[dict[str, Any]]
    outcome: str
    associated_users: int | None
    remote_users: int | None

    @classmethod
    def of(cls, view: PeerView) -> "CheckStatus":
        entries = with_urls(judge_entries(view))
        return cls(
            view,
            entries,
            outcome_of(entries),
            view.users_here,
            view.users_there,
        )

    @property
    def trail(self) -> UserTrail:
        """Go on with the numbers of before."""
        before = self.view.peer.trail
        return before.after(self.associated_users, self.remote_users, self.view.at)

    @property
    def waits(self) -> bool:
        """Whether all that fails is what a new peering needs time for."""
        peer = self.view.peer
        if peer.added_at is None or self.trail.equal_at:
            return False
        wrong = {one["code"] for one in self.entries if one["outcome"] in WRONG}
        return wrong <= TAKES_TIME and self.view.at - peer.added_at < STUCK

    @property
    def entry_itself(self) -> dict[str, Any]:
        """What is known of the entry on the home cluster."""
        return next(one for one in self.entries if one["code"] == "provisioned")

    @property
    def counts(self) -> dict[str, int | None]:
        return {
            "associated_users": self.associated_users,
            "remote_users": self.remote_users,
        }


def store_facts(facts: Facts) -> dict[str, str]:
    """Store what is known of clusters, nodes and peers; return outcomes by peer id."""
    record_clusters(facts)
    return record_peers(facts)


def outdated_clusters(clusters: Iterable[ClusterFacts]) -> set[str]:
    """Find clusters that were edited or trusted since they were asked.

    What they answered to another account, address or certificate says nothing of them,
    and the next check is near.
    """
    asked = {one.id: one.edition for one in clusters if one.edition}
    present = editions_of(asked)
    return {pk for pk, edition in asked.items() if edition != present.get(pk)}


@transaction.atomic
def record_clusters(facts: Facts) -> None:
    outdated = outdated_clusters(facts.clusters.values())
    kept = {id: one for id, one in facts.clusters.items() if id not in outdated}
    facts = replace(facts, clusters=kept)
    for cluster in facts.clusters.values():
        for node in cluster.nodes:
            record_node(node, facts.at)
        record_cluster(cluster, facts)
    share_readings(facts)
    clusters_recorded.send(sender=Cluster, facts=facts)


def record_cluster(cluster: ClusterFacts, facts: Facts) -> None:
    seen: dict[str, Any] = {}
    if version := cluster.version.value:
        seen["version"] = version[:60]
        if generation := generation_of(version):
            seen["generation"] = generation
    if settings := cluster.sync_agent.value:
        seen |= {"user_sync": settings.status[:255], "user_sync_at": facts.at}
    if cluster.im_addresses.known:
        scheme = scheme_of_users(cluster)
        seen |= {"inferred_scheme": scheme, "inferred_scheme_at": facts.at}
    if cluster.by_pages:
        seen |= reading_of_pages(cluster)
    row = Cluster.objects.filter(pk=cluster.id)
    row.remember_check(facts.at, health_of(cluster), **seen)
    if cluster.peers.known and not cluster.by_pages:
        row.remember_profile_table(facts.at)


def reading_of_pages(cluster: ClusterFacts) -> dict[str, str]:
    """Why its pages could not be read; nothing while another visit uses the account."""
    answer = cluster.peers
    if answer.known:
        return {"pages_error_code": "", "pages_error": ""}
    if answer.code == PageCode.BUSY:
        return {}
    if answer.late:
        text = f"The pages of {cluster.name} were not read in time."
        return {"pages_error_code": "late", "pages_error": text}
    text = f"{answer.reason} {answer.remedy}".strip()
    return {"pages_error_code": answer.code, "pages_error": text[:600]}


def generation_of(version: str) -> str:
    try:
        return platforms.generation_of(version)
    except ValueError:
        return ""


def record_node(node: NodeFacts, at: datetime) -> None:
    """Remember what the node speaks and presents; a changed certificate stops calls."""
    certificate = node.certificate.value
    expires = None
    if certificate and node.confirmed in ("", certificate.fingerprint):
        expires = certificate.not_after
    Node.objects.filter(pk=node.id).remember_found(
        axl_version=node.axl_version or "",
        control_center=node.control_center or "",
        certificate_not_after=expires,
    )
    record_contact(node, at)
    if certificate and node.confirmed:
        notice_certificate(node, certificate.fingerprint)


def record_contact(node: NodeFacts, at: datetime) -> None:
    """Store why AXL of the node cannot be used.

    A publisher that refuses the simplest question answers no other about its cluster.
    """
    answer = node.axl if node.axl.failure else node.connect
    if node.connect.failure and node.axl.code in NOT_QUERIED:
        answer = node.connect
    if node.axl.known or (answer.code in ANSWERED and not node.publisher):
        contacts.store_contact(node.id, at)
    elif answer.failure:
        text = f"{answer.failure.message} {answer.failure.remedy}".strip()
        contacts.store_contact(node.id, at, answer.code, text)
    elif (node.axl.late or node.connect.late) and not node.axl.absent:
        contacts.store_contact(
            node.id, at, "late", f"{node.name} was not checked in time."
        )


def notice_certificate(node: NodeFacts, presented: str) -> None:
    row = Node.objects.select_related("cluster").filter(pk=node.id).first()
    if row is None or node.confirmed != row.certificate_fingerprint:
        return  # another one was confirmed in the meantime
    if presented == node.confirmed:
        contacts.notice_return(row)
    else:
        contacts.notice_change(row, presented)


def record_peers(facts: Facts) -> dict[str, str]:
    """Judge first, so that the transaction is short; return outcomes by peer id.

    Where a cluster was edited in the meantime, its peers are unknown and stay as they
    are stored.
    """
    asked = [peer for peer in facts.peers.values() if peer.home in facts.clusters]
    touched = {pk for peer in asked for pk in (peer.home, peer.remote)}
    outdated = outdated_clusters(
        one for one in facts.clusters.values() if one.id in touched
    )
    unknown = {one.id for one in asked if outdated & {one.home, one.remote}}
    statuses = [
        CheckStatus.of(PeerView.of(facts, peer))
        for peer in asked
        if peer.id not in unknown
    ]
    with transaction.atomic():
        written = [status for status in statuses if write_status(status)]
        PeerCheck.objects.bulk_create(as_check(status) for status in written)
    PeerCheck.prune([status.view.peer.id for status in written])
    peers_recorded.send(sender=Peer)
    outcomes = {status.view.peer.id: status.outcome for status in statuses}
    return outcomes | dict.fromkeys(unknown, Outcome.UNKNOWN.value)


def write_status(status: CheckStatus) -> bool:
    """Write the status of a peer, unless it was edited or checked later."""
    view = status.view
    rows = Peer.objects.filter(pk=view.peer.id)
    if view.peer.revision:
        rows = rows.filter(revision=view.peer.revision)
    if not rows.mark_checked(
        view.at,
        status.outcome,
        entries=status.entries,
        user_trail=status.trail.to_dict(),
        **status.counts,
        **observed_on_cluster(view),
    ):
        return False
    notice_drift(view)
    notice_without_table(status)
    return True


def observed_on_cluster(view: PeerView) -> dict[str, Any]:
    """Give what the own peer page of the cluster shows; unread pages change nothing."""
    home = view.home
    if not home.by_pages:
        return {"cluster_status": None}
    if not home.peers.known:
        return {}
    entry = view.entry or view.moved
    status = home.page_status.get(plain_host(entry.address)) if entry else None
    if status is None:
        return {"cluster_status": None}
    entries = [
        {"label": one.label, "outcome": one.outcome.value, "text": one.text}
        for one in status.entries
    ]
    observed = {"seen_at": status.seen_at.isoformat(), "entries": entries}
    return {"cluster_status": observed | {"associated_users": status.associated_users}}


def as_check(status: CheckStatus) -> PeerCheck:
    """Make the row of the history; waiting for the first sync is no failure there."""
    return PeerCheck(
        peer_id=status.view.peer.id,
        at=status.view.at,
        outcome=Outcome.UNKNOWN if status.waits else status.outcome,
        entries=[entry for entry in status.entries if entry["outcome"] != "passed"],
        **status.counts,
    )


def notice_drift(view: PeerView) -> None:
    """Remember what the cluster has otherwise than wanted, or not at all any more."""
    if not view.home.peers.known:
        return
    state = Peer.ProvisioningState
    # What was edited or written since the clusters were read is judged next time.
    rows = Peer.objects.filter(pk=view.peer.id, updated_at__lte=view.at)
    entry = view.entry or view.moved
    if entry is None:
        rows.mark_gone()
        return
    desired = {
        "address": view.peer.address,
        "username": view.peer.username,
        "protocol": view.peer.protocol,
        "external_phone_number_mask": view.peer.mask,
    }
    known = rows.filter(provisioning_state__in=(state.APPLIED, state.ABSENT))
    known.mark_seen(entry.address, drift_of(desired, entry, view.machines))


def notice_without_table(status: CheckStatus) -> None:
    """Draw the consequences of users that came, or are gone, and of a broken word."""
    view, entry = status.view, status.entry_itself
    state = Peer.ProvisioningState
    if view.peer.attested and entry["outcome"] == Outcome.FAILED:
        take_back(view.peer.id, entry["problem"])
    if view.home.peers.known or entry["evidence"] != KnownBy.USERS:
        return
    rows = Peer.objects.filter(pk=view.peer.id, updated_at__lte=view.at)
    if entry["outcome"] == Outcome.PASSED:
        # Users do not show that an edit has reached an entry which was there before.
        new = Q(provisioning_state=state.PENDING, applied_address="")
        unseen = rows.filter(new | Q(provisioning_state=state.ABSENT))
        unseen.mark_seen(view.peer.address)
    elif entry["outcome"] == Outcome.FAILED:
        rows.mark_gone()


def with_urls(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each entry the address of the page that fixes it."""
    linked = []
    for entry in entries:
        fix = entry.pop("fix")
        linked.append(entry | {"fix_url": url_of(*fix) if fix else ""})
    return linked
