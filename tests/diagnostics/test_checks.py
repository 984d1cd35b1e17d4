from clusters.models import Node
from diagnostics.checks import check_peers
from diagnostics.jobs.check import CheckPeers
from diagnostics.models import PeerCheck
from tests.diagnostics.conftest import AGENT
from tests.waiting import eventually
from tests.workers import done


def entries_of(peer):
    peer.refresh_from_db()
    return {entry["code"]: entry for entry in peer.entries}


def failed_of(peer):
    check_peers([peer])
    return [
        code for code, entry in entries_of(peer).items() if entry["outcome"] == "failed"
    ]


def test_a_healthy_peering_has_twelve_check_marks(peering):
    outcomes = check_peers(peering)
    assert set(outcomes.values()) == {"passed"}
    for peer in peering:
        problems = [e["problem"] for e in entries_of(peer).values() if e["problem"]]
        assert (len(peer.entries), problems) == (12, [])


def test_both_counts_are_kept_with_the_status(peering):
    check_peers(peering)
    home, _ = peering
    home.refresh_from_db()
    assert (home.associated_users, home.remote_users) == (8, 8)
    assert PeerCheck.objects.filter(peer=home).get().remote_users == 8


def test_a_check_remembers_what_it_learnt_of_clusters_and_nodes(peering):
    check_peers(peering)
    cluster = peering[0].cluster
    cluster.refresh_from_db()
    assert (cluster.health, cluster.generation) == ("ok", "cup8")
    assert all(node.axl_version for node in Node.objects.all())


def test_a_check_of_one_peer_renews_the_status_of_the_other_side(peering, mesh_lab):
    here, there = peering
    check_peers(peering)
    mesh_lab.clusters[0].remove_peer(here.address)
    job = done(CheckPeers.submit([here]))
    assert entries_of(there)["reverse_peer"]["outcome"] == "failed"
    assert there.outcome == "failed"
    assert job.steps.get().detail == "1 failed"


def test_wrong_password_fails_the_credentials_only(peering):
    peering[0].seal("password", "wrong")
    peering[0].save()
    assert failed_of(peering[0]) == ["credentials"]


def test_a_user_without_its_role_is_told_from_a_wrong_password(peering, mesh_lab):
    peer = peering[0]
    peer.username = "nobody"
    peer.seal("password", "cup2-nobody-secret")
    peer.save()
    check_peers([peer])
    assert "role" in entries_of(peer)["credentials"]["solution"]


def test_a_stopped_agent_is_found_on_its_side(peering, mesh_lab):
    mesh_lab.clusters[1].nodes[1].service(AGENT).set("Stopped")
    assert failed_of(peering[0]) == ["sync_agent_remote"]
    assert failed_of(peering[1]) == ["sync_agent_local"]


def test_a_dead_node_is_not_said_to_have_stopped_services(peering, mesh_lab):
    mesh_lab.clusters[1].nodes[1].set_fault("node", "down")
    check_peers([peering[0]])
    entry = entries_of(peering[0])["sync_agent_remote"]
    assert entry["outcome"] == "unknown"
    peering[0].refresh_from_db()
    assert peering[0].outcome == "unknown"


def test_a_one_sided_peering_is_named(peering, mesh_lab):
    back = peering[1]
    mesh_lab.clusters[1].remove_peer(back.address)
    assert failed_of(peering[0])[0] == "reverse_peer"
    problem = entries_of(peering[0])["reverse_peer"]["problem"]
    assert problem.startswith(f"{back.cluster.name} ")
    assert peering[0].cluster.name in problem


def test_a_protocol_that_differs_is_a_mismatch_and_a_drift(peering, mesh_lab):
    peer, remote = peering[1], mesh_lab.clusters[1]
    remote.remove_peer(peer.address)
    remote.add_peer(
        peer.address,
        peer.username,
        mesh_lab.clusters[0].intercluster_password,
        "UDP",
    )
    assert "protocol_match" in failed_of(peering[0])
    assert "provisioned" in failed_of(peering[1])


def test_a_peer_that_left_its_cluster_is_absent(peering, mesh_lab):
    mesh_lab.clusters[0].remove_peer(peering[0].address)
    assert "provisioned" in failed_of(peering[0])
    assert peering[0].provisioning_state == "absent"


def test_a_changed_certificate_stops_what_would_be_sent(peering, mesh_lab):
    publisher = mesh_lab.clusters[1].publisher
    mesh_lab.set_fault("agent", "frozen")
    publisher.set_fault("tls", "changed")
    assert failed_of(peering[0]) == ["certificate"]
    node = Node.objects.get(address=publisher.address)
    assert node.certificate_state == "changed"
    requested = len(publisher.calls)
    check_peers([peering[0]])
    assert len(publisher.calls) == requested


def test_a_count_that_differs_says_size_and_direction(peering, mesh_lab):
    mesh_lab.clusters[1].set_fault("agent", "frozen")
    mesh_lab.clusters[0].set_fault("agent", "frozen")
    added = mesh_lab.clusters[1].add_users(3)
    assert failed_of(peering[0]) == ["associated_users"]
    assert "3 are missing" in entries_of(peering[0])["associated_users"]["problem"]
    mesh_lab.clusters[1].remove_users(*added)


def test_a_silent_sip_proxy_is_found(peering, mesh_lab):
    mesh_lab.clusters[1].set_fault("sip", "503")
    assert failed_of(peering[0]) == ["sip"]


def test_a_remote_cluster_that_is_not_managed_is_unknown(peering):
    peer, other = peering
    other.cluster.delete()
    peer.refresh_from_db()
    check_peers([peer])
    outcomes = {code: entry["outcome"] for code, entry in entries_of(peer).items()}
    assert outcomes["connect"] == "passed"
    assert outcomes["reverse_peer"] == outcomes["credentials"] == "unknown"


def test_an_srv_name_leads_to_its_cluster(peering, mesh_lab):
    peer = peering[0]
    mesh_lab.clusters[0].remove_peer(peer.address)
    peer.address, peer.remote_cluster = mesh_lab.clusters[1].service_name, None
    peer.save()
    mesh_lab.clusters[0].add_peer(
        peer.address, peer.username, mesh_lab.clusters[1].intercluster_password
    )
    assert eventually(lambda: failed_of(peer) == [])
    assert peer.remote_cluster == peering[1].cluster
