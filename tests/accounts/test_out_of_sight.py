"""What people limited to some clusters see, and do not, of the others."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import audit, cluster_limits
from clusters.models import Cluster, Node
from jobs.models import Job
from peers.models import Peer

CLUSTERS = "/administration/system/clusters/"
TOKENS = "/api/v1/tokens/"


def test_limit_lasts_while_a_download_is_streamed(
    client_of, lima, alpha, bravo, peer_factory
):
    peer_factory(alpha, bravo, username="ours")
    peer_factory(bravo, alpha, username="theirs")
    response = client_of(lima).get(reverse("peers:export"))
    assert response.streaming
    content = b"".join(response.streaming_content)
    assert b"ours" in content
    assert b"theirs" not in content
    assert cluster_limits.current_limit() is None


def test_remote_cluster_out_of_sight_is_named_without_a_link(
    client_of, lima, alpha, bravo, peer_factory
):
    peer = peer_factory(alpha, bravo)
    client = client_of(lima)
    link = reverse("clusters:show_cluster", args=[bravo.pk]).encode()
    for url in (
        reverse("peers:find"),
        peer.get_absolute_url(),
        alpha.get_absolute_url(),
    ):
        content = client.get(url).content
        assert b"bravo" in content, url
        assert link not in content, url


def test_other_side_that_is_out_of_sight_is_not_called_missing(
    client_of, lima, alpha, bravo, peer_factory
):
    peer = peer_factory(alpha, bravo)
    peer_factory(bravo, alpha, username="theirs")
    content = client_of(lima).get(peer.get_absolute_url()).content
    assert f"?cluster={bravo.pk}&amp;remote=".encode() not in content
    assert b"access to bravo" in content
    assert b"theirs" not in content


def test_only_the_own_side_of_a_peering_is_deleted(
    client_of, lima, alpha, bravo, peer_factory
):
    peer, back = peer_factory(alpha, bravo), peer_factory(bravo, alpha)
    url = reverse("peers:delete_peer", args=[peer.pk])
    client = client_of(lima)
    client.post(url, {"scope": "both"})
    client.post(url, {"scope": "home"})
    assert not Peer.objects.filter(pk=peer.pk, removing=False).exists()
    assert Peer.objects.filter(pk=back.pk, removing=False).exists()


def test_matrix_says_that_a_side_is_out_of_sight(
    client_of, lima, alpha, bravo, peer_factory
):
    peer_factory(alpha, bravo)
    answer = client_of(lima).get(reverse("mesh:matrix"))
    assert answer.context["mesh"].outward == 1
    assert b"1 more peer " in answer.content


def test_node_of_a_cluster_out_of_sight_is_not_named(client_of, lima, alpha, bravo):
    taken = bravo.publisher.address
    data = {"name": "new", "address": taken, "role": "subscriber", "axl_port": "8443"}
    ports = {"sip_port": 5060, "sip_tls_port": 5061, "sip_peer_tls_port": 5062}
    url = reverse("clusters:add_node", args=[alpha.pk])
    page = client_of(lima).post(url, {**data, **ports})
    assert list(page.context["form"].errors) == ["address"]
    assert b"bravo" not in page.content


def test_new_peer_finds_a_remote_cluster_out_of_sight(client_of, lima, alpha, bravo):
    data = {
        "cluster": alpha.pk,
        "address": bravo.publisher.address,
        "username": "icuser",
        "password": "open sesame",
        "confirm_password": "open sesame",
        "protocol": "TCP",
    }
    client_of(lima).post(reverse("peers:add_peer"), data)
    assert Peer.objects.get().remote_cluster == bravo


def test_edited_node_is_linked_to_peers_out_of_sight(
    client_of, lima, alpha, bravo, peer_factory
):
    peer = peer_factory(bravo, alpha, address="old.example.com")
    Peer.objects.filter(pk=peer.pk).update(remote_cluster=None)
    node = alpha.publisher
    url = reverse("clusters:edit_node", args=[node.pk])
    ports = {"axl_port": 8443, "sip_port": 5060, "sip_tls_port": 5061}
    data = {
        "name": "old.example.com",
        "address": node.address,
        "role": "publisher",
        "sip_peer_tls_port": 5062,
        "revision": node.revision,
        **ports,
    }
    assert client_of(lima).post(url, data).status_code == 302
    peer.refresh_from_db()
    assert peer.remote_cluster == alpha


def test_name_of_a_cluster_out_of_sight_is_taken(client_of, lima, alpha, bravo):
    url = reverse("clusters:edit_cluster", args=[alpha.pk])
    data = {"name": "bravo", "axl_username": "x", "provisioning": "guided"}
    data |= {"tls_mode": "pinned", "revision": alpha.revision}
    response = client_of(lima).post(url, data)
    assert response.status_code == 200
    assert b"already exists" in response.content


def test_import_refuses_rows_of_other_clusters(client_of, lima, alpha, bravo):
    rows = "name,axl_username,axl_password,publisher_address\n"
    rows += "bravo,x,y,192.0.2.1\nnew,x,y,192.0.2.2\n"
    client = client_of(lima)
    file = SimpleUploadedFile("c.csv", rows.encode())
    response = client.post(reverse("peers:import"), {"file": file}, follow=True)
    assert b"&#x27;bravo&#x27;" in response.content
    client.post(response.redirect_chain[-1][0])
    assert Cluster.objects.count() == 2
    assert Node.objects.count() == 2


def test_metrics_for_a_limited_token_have_its_clusters(lima, api):
    content = api(lima).get("/metrics").content
    assert b'cluster="alpha"' in content
    assert b"bravo" not in content


def test_nobody_sees_anything(alpha):
    with cluster_limits.limited_to(cluster_limits.NOTHING):
        assert not Cluster.objects.exists()
        assert not Node.objects.exists()
    assert Client().get("/metrics").status_code == 401


def test_entry_tells_of_its_cluster_and_proves_it(lima, alpha, bravo, client_of):
    audit.append_entry(audit.CONSOLE, "edit cluster", alpha)
    hidden = audit.append_entry(audit.CONSOLE, "edit cluster", bravo)
    content = client_of(lima).get(reverse("accounts:audit")).content
    assert b"alpha" in content
    assert b"bravo" not in content
    hidden.cluster = alpha.pk
    assert audit.entry_digest(hidden) != hidden.hash
    assert list(audit.chain_faults()) == []


def test_pages_of_a_peer_work_where_its_remote_cluster_is_out_of_sight(
    client_of, lima, alpha, bravo, peer_factory
):
    peer = peer_factory(alpha, bravo)
    peer_factory(bravo, alpha, username="theirs")
    client = client_of(lima)
    for name in (
        "peers:edit_peer",
        "peers:guide",
        "peers:delete_peer",
        "peers:resync",
        "peers:force_sync",
        "diagnostics:peer_status",
        "directory:comparison",
    ):
        response = client.get(reverse(name, args=[peer.pk]))
        assert response.status_code == 200, name
        assert b"bravo-pub" not in response.content, name
        assert b"theirs" not in response.content, name


def test_job_that_one_asked_for_says_nothing_once_its_cluster_is_out_of_sight(
    client_of, lima, bravo
):
    job = Job.objects.submit(
        "test-cluster", [("a", "Reach node-of-bravo")], target=bravo, user=lima
    )
    Job.objects.filter(pk=job.pk).update(state="failed", error="node-of-bravo refused")
    client = client_of(lima)
    content = client.get(job.get_absolute_url()).content
    assert b"outside your limit" in content
    assert b"node-of-bravo" not in content
    assert b"node-of-bravo" not in client.get(reverse("jobs:find")).content
    assert client.post(reverse("jobs:retry", args=[job.pk])).status_code == 403
