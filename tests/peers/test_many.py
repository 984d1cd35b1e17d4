"""Many peers saved at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.models import AuditEntry
from base.revisions import Stale
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle
from peers.lifecycle import PeerEdit
from peers.models import Peer


def new(madrid, *numbers):
    return [
        PeerEdit(Peer(cluster=madrid, address=f"10.9.0.{n}", username="ic"), "pw")
        for n in numbers
    ]


def save(edits):
    with CaptureQueriesContext(connection) as reported:
        lifecycle.save_peers(edits, audit.CONSOLE)
    # Whose address it is, is asked for each.
    return len([one for one in reported if "clusters_node" not in one["sql"]])


def test_many_peers_take_as_many_statements_as_one(madrid):
    save(new(madrid, 0))  # begins the audit trail
    assert save(new(madrid, 1)) == save(new(madrid, *range(2, 15)))
    assert Peer.objects.count() == Job.objects.active().count() == 15
    assert Peer.objects.last().unseal("password").reveal() == "pw"
    assert AuditEntry.objects.filter(action="add peer").count() == 15
    assert list(audit.chain_faults()) == []


def test_waiting_jobs_of_edited_peers_are_withdrawn(madrid):
    save(new(madrid, 1, 2))
    peers = list(Peer.objects.all())
    for peer in peers:
        peer.username = "other"
    save([PeerEdit(peer, fields=("username",)) for peer in peers])
    assert Job.objects.active().count() == 2
    assert Job.objects.filter(state=Job.State.CANCELLED).count() == 2
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.changes) == ("edit peer", {"username": ["ic", "other"]})


def test_one_that_a_job_works_on_keeps_all_out(madrid):
    save(new(madrid, 1))
    Job.objects.update(state=Job.State.RUNNING)
    with pytest.raises(Busy):
        save([*new(madrid, 2), PeerEdit(Peer.objects.get())])
    assert Peer.objects.count() == 1


@pytest.mark.parametrize("gone", [False, True])
def test_one_that_somebody_else_edited_or_deleted_keeps_all_out(madrid, gone):
    save(new(madrid, 1))
    peer = Peer.objects.get()
    if gone:
        Peer.objects.all().delete()
    else:
        Peer.objects.update(revision=7)
    with pytest.raises(Stale):
        save([*new(madrid, 2), PeerEdit(peer, fields=("username",))])
    assert not Peer.objects.filter(address="10.9.0.2").exists()
