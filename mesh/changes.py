"""Applying a plan: rows, audit entries and one job, in one transaction."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from diagnostics.checks import submit_check
from jobs.models import Job
from mesh.plan import plan
from mesh.rounds import rounds
from mesh.shown import Stranger
from mesh.steps import Plan, Step
from mesh.wanted import Wanted
from peers import changes, rules
from peers.models import Cluster, Peer


class PlanChanged(Exception):
    """The plan is no longer what it was."""


class PlanBlocked(Exception):
    """The plan has errors; nothing of it is applied."""


def apply(wanted: Wanted, plan_hash: str, actor: Actor) -> Job:
    """Write what the plan wants and submit the job that brings it to the clusters.

    A plan that changes nothing leads to a job that verifies, so that applying twice is
    harmless and ends with the same certainty.

    Raises:
        PlanChanged: its hash differs now.
        PlanBlocked: one of its steps has an error.
        jobs.locks.Busy: an unfinished job works on one of its clusters.
    """
    with transaction.atomic():
        # Locks the clusters in one order, so that two plans cannot interleave.
        ids = sorted({cluster.pk for pair in wanted.pairs for cluster in pair})
        list(Cluster.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        current = plan(wanted)
        if current.hash != plan_hash:
            raise PlanChanged("Something changed since this plan was made. Look again.")
        if current.errors:
            raise PlanBlocked(" ".join(current.errors))
        stored = [store(step) for step in current.changes]
        audit.record_all(actor, [event for _, event in stored])
        peers = {
            side(step): peer
            for step, (peer, _) in zip(current.changes, stored, strict=True)
        }
        return submit(current, peers, actor)


def adopt(stranger: Stranger, password: str, actor: Actor) -> Peer:
    """Take an entry that is on a cluster into the console, as it stands there.

    Raises:
        django.core.exceptions.ValidationError: it breaks a rule of peers.
    """
    peer = Peer(
        cluster=stranger.home,
        remote_cluster=stranger.remote,
        provisioning_state=Peer.ProvisioningState.APPLIED,
        applied_address=stranger.entry.address,
        **stranger.values,
    )
    peer.seal("password", password)
    if errors := rules.peer_errors(peer):
        raise ValidationError(list(errors.values()))
    peer.clean_fields()
    with transaction.atomic():
        peer.save(force_insert=True)
        found = audit.differences({}, stranger.values)
        if password:
            found["password"] = [None, "changed"]
        audit.record(actor, "adopt peer", peer, found)
        submit_check([peer], actor)
    return peer


def side(step: Step) -> tuple[UUID, UUID]:
    return step.home.pk, step.remote.pk


def store(step: Step) -> tuple[Peer, audit.Event]:
    """Write one side to the console's rows; return it with what the trail says."""
    peer = step.peer or Peer(cluster=step.home)
    old = changes.values_of(peer)
    for name in changes.PEER_FIELDS:
        setattr(peer, name, (step.after or {})[name])
    peer.remote_cluster = step.remote
    peer.provisioning_state = Peer.ProvisioningState.PENDING
    if step.password:
        peer.seal("password", step.password.reveal())
    fields = [*changes.PEER_FIELDS, "password", "provisioning_state"]
    if step.peer is None:
        peer.save(force_insert=True)
    else:
        peer.save_edit(*fields, "remote_cluster_id")
    found = audit.differences({} if step.peer is None else old, changes.values_of(peer))
    if step.password:
        found["password"] = [None, "changed"]
    action = "add peer" if step.peer is None else "edit peer"
    return peer, audit.Event(action, peer, found)


def submit(current: Plan, peers: dict[tuple[UUID, UUID], Peer], actor: Actor) -> Job:
    """Submit the job; pairs in the order of rounds, so that many go at once."""
    touched = [
        (one, other)
        for one, other in current.wanted.pairs
        if not peers or (one.pk, other.pk) in peers or (other.pk, one.pk) in peers
    ]
    clusters = sorted({c for pair in touched for c in pair}, key=lambda c: c.name)
    steps = [("results", "List the peerings")]
    steps += [(f"ready:{c.pk}", f"Check that {c} is ready for peers") for c in clusters]
    steps += [
        (f"agents:{c.pk}", f"Start the Intercluster Sync Agent on every node of {c}")
        for c in clusters
    ]
    order = rounds(touched)
    for pairs in order:
        steps += [step for pair in pairs for step in pair_steps(pair, peers)]
    steps.append(("troubleshoot", "Run the System Troubleshooter over these clusters"))
    return Job.objects.submit(
        "set-up-peerings",
        steps,
        target=next(iter(peers.values()), None) if len(touched) == 1 else None,
        label=" and ".join(map(str, touched[0]))
        if len(touched) == 1
        else f"{len(touched)} peerings of {len(clusters)} clusters",
        clusters=[c.pk for c in clusters],
        arguments={
            "clusters": [str(c.pk) for c in clusters],
            "rounds": [
                [pair_arguments(pair, peers, current) for pair in pairs]
                for pairs in order
            ],
        },
        locks=[
            *[f"mesh:{c.pk}" for c in clusters],
            *[changes.lock_of(peer) for peer in peers.values()],
        ],
        user=actor.user,
        address=actor.address,
    )


def pair_steps(
    pair: tuple[Cluster, Cluster], peers: dict[tuple[UUID, UUID], Peer]
) -> list[tuple[str, str]]:
    one, other = pair
    steps = []
    for home, remote in ((one, other), (other, one)):
        peer = peers.get((home.pk, remote.pk))
        if peer is None:
            continue
        if not home.direct:
            label = f"Configure {peer.address} on {home} by hand"
            steps.append((f"{peer.pk}:instruct", label))
        steps.append((f"{peer.pk}:write", f"{home}: the entry for {remote}"))
    verify = f"Verify {one} and {other} until the users agree"
    return [*steps, (f"verify:{one.pk}:{other.pk}", verify)]


def pair_arguments(
    pair: tuple[Cluster, Cluster],
    peers: dict[tuple[UUID, UUID], Peer],
    current: Plan,
) -> dict[str, object]:
    """What the job needs of a pair: ids, and which entries would be new."""
    one, other = pair
    sides = [(one.pk, other.pk), (other.pk, one.pk)]
    made = {side(step) for step in current.changes if step.action == "create"}
    return {
        "key": f"{one.pk}:{other.pk}",
        "peers": [str(peers[key].pk) for key in sides if key in peers],
        "created": [
            str(peers[key].pk) for key in sides if key in peers and key in made
        ],
        "protocol": current.wanted.protocol_of(one, other),
    }
