import pytest
from django.urls import reverse

from cupadmin.management.commands.register_lab import name_canary
from jobs.engine import perform_job
from proof.jobs.prove import Prove
from proof.models import Canary, PresenceCertificate
from tests.conftest import register
from tests.proof.conftest import make_peer


@pytest.mark.django_db
def test_the_demo_names_canaries_where_the_lab_carries_presence(presence_lab, settings):
    settings.DNS_SERVERS = [presence_lab.describe()["dns"]]
    for described in presence_lab.describe()["clusters"]:
        cluster = register(described)
        name_canary(described)
        row = Canary.objects.get(pk=cluster.pk)
        assert row.userid == described["canary"]
        assert row.unseal("presence_password").reveal()
    assert PresenceCertificate.objects.count() == 2


@pytest.mark.django_db
def test_a_lab_without_presence_names_none(presence_lab):
    described = presence_lab.describe()["clusters"][0]
    register(described)
    for node in described["nodes"]:
        node["presence_port"] = None
    name_canary(described)
    assert not Canary.objects.exists()


@pytest.mark.django_db
def test_the_proof_of_the_demos_peer_passes_from_its_page(
    presence_lab, settings, client_of, administrator
):
    settings.DNS_SERVERS = [presence_lab.describe()["dns"]]
    described = presence_lab.describe()["clusters"]
    clusters = [register(one) for one in described]
    for one in described:
        name_canary(one)
    for there in presence_lab.clusters:
        presence_lab._wait(there.agent.synchronise())
    peers = [
        make_peer(clusters[a], clusters[b], presence_lab.clusters[b])
        for a, b in ((0, 1), (1, 0))
    ]
    client = client_of(administrator)
    page = client.get(reverse("proof:line", args=[peers[0].pk]))
    assert "Prove now" in page.content.decode()
    client.post(reverse("proof:prove", args=[peers[0].pk]))
    perform_job(str(Prove.all().get().pk))
    for peer in peers:
        line = client.get(reverse("proof:line", args=[peer.pk])).context["line"]
        assert (line.outcome, line.evidence) == ("passed", "probe")
        history = client.get(reverse("proof:history", args=[peer.pk]))
        assert "Presence arrived." in history.content.decode()
