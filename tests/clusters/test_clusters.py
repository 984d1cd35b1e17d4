from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from clusters.forms import KEEP, RETYPE, ClusterForm
from clusters.models import Cluster, Node
from jobs.models import Job
from notifications.models import Maintenance
from peers.models import Peer
from tests.elements import elements

TYPED = {
    "name": "Madrid",
    "domain": "example.com",
    "axl_username": "axladmin",
    "axl_password": "open sesame",
    "provisioning": "direct",
    "tls_mode": "pinned",
    "publisher-address": "10.1.1.1",
    "publisher-name": "MAD-pub.example.com",
    "publisher-axl_port": "8443",
    "publisher-sip_port": "5060",
    "publisher-sip_tls_port": "5061",
    "publisher-sip_peer_tls_port": "5062",
}


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


def page(name, *args):
    return reverse(f"clusters:{name}", args=args)


def test_list_without_clusters_says_what_to_do(ada):
    assert "No clusters yet" in ada.get(page("clusters")).content.decode()


def test_list_shows_clusters_with_counts(ada, cluster_factory, peer_factory):
    peer_factory(cluster_factory("Madrid"), cluster_factory("Oslo"))
    found = ada.get(page("clusters")).context["clusters"]
    assert [(c.name, c.n_nodes, c.n_peers) for c in found] == [
        ("Madrid", 1, 1),
        ("Oslo", 1, 0),
    ]


def test_list_needs_as_many_queries_for_sixty_clusters_as_for_one(
    ada, cluster_factory, django_assert_max_num_queries
):
    for _ in range(60):
        cluster_factory()
    with django_assert_max_num_queries(8):
        ada.get(page("clusters"))


def test_list_finds_a_cluster_by_the_address_of_its_node(ada, cluster_factory):
    cluster_factory("Madrid")
    oslo = cluster_factory("Oslo")
    answer = ada.get(page("clusters"), {"q": oslo.publisher.address})
    assert [c.name for c in answer.context["clusters"]] == ["Oslo"]


def test_add_cluster_saves_it_with_its_publisher(ada):
    answer = ada.post(page("add_cluster"), TYPED)
    node = Node.objects.get()
    assert answer.url == page("certificate", node.pk)
    assert (node.name, node.role) == ("mad-pub.example.com", "publisher")
    assert node.cluster.unseal("axl_password").reveal() == "open sesame"


def test_add_cluster_names_the_publisher_by_its_address_when_nobody_does(ada):
    ada.post(page("add_cluster"), TYPED | {"publisher-name": ""})
    assert Node.objects.get().name == "10.1.1.1"


def test_adding_a_cluster_is_audited_without_its_password(ada):
    ada.post(page("add_cluster"), TYPED)
    entry = AuditEntry.objects.get(action="add cluster")
    assert entry.changes["axl_password"] == [None, "changed"]
    assert "open sesame" not in str(entry.changes)


def test_bad_cluster_keeps_what_was_typed_but_the_password(ada):
    answer = ada.post(page("add_cluster"), TYPED | {"publisher-address": "https://x"})
    text = answer.content.decode()
    assert answer.context["publisher"].has_error("address", "address")
    assert 'value="Madrid"' in text
    assert "open sesame" not in text
    assert RETYPE in text


def test_cluster_name_is_used_once(ada, cluster_factory):
    cluster_factory("Madrid")
    answer = ada.post(page("add_cluster"), TYPED)
    assert answer.context["form"].errors["name"]


def test_ca_mode_needs_a_certificate(ada):
    answer = ada.post(page("add_cluster"), TYPED | {"tls_mode": "ca"})
    assert "ca_certificate" in answer.context["form"].errors


def test_unusable_peer_table_is_refused_in_one_sentence(ada):
    answer = ada.post(page("add_cluster"), TYPED | {"peer_table": '{"table": "a b"}'})
    form = answer.context["form"]
    assert form.has_error("peer_table", "unusable")
    assert len(form.errors["peer_table"]) == 1


def test_cluster_page_shows_nodes_peers_and_jobs(ada, cluster_factory, peer_factory):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer_factory(madrid, oslo)
    peer_factory(oslo, madrid)
    ada.post(page("test", madrid.pk))
    text = ada.get(page("show_cluster", madrid.pk)).content.decode()
    assert "Test cluster" in text
    assert text.count(oslo.publisher.address) and text.count(madrid.publisher.address)


def test_only_a_password_that_is_stored_can_be_kept(cluster_factory):
    cluster = cluster_factory()
    for instance, stored in ((Cluster(), set()), (cluster, {"axl_password"})):
        fields = ClusterForm(instance=instance).fields.items()
        assert {name for name, one in fields if KEEP in one.help_text} == stored


def test_an_error_elsewhere_leaves_the_ports_folded(ada):
    folded = "//details[@open]//input[@id='id_publisher-axl_port']"
    answer = ada.post(page("add_cluster"), TYPED | {"name": ""})
    assert answer.context["form"].errors and not elements(answer, folded)
    typed = TYPED | {"name": "", "publisher-axl_port": 443}
    answer = ada.post(page("add_cluster"), typed)
    assert elements(answer, folded)


def test_edit_keeps_the_password_when_none_is_typed(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    typed = TYPED | {"name": "Madrid 2", "axl_password": "", "revision": 1}
    assert ada.post(page("edit_cluster", cluster.pk), typed).status_code == 302
    cluster.refresh_from_db()
    assert (cluster.name, cluster.revision) == ("Madrid 2", 2)
    assert cluster.unseal("axl_password").reveal() == "open sesame"


def test_second_editor_is_told_and_shown_the_difference(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    url = page("edit_cluster", cluster.pk)
    ada.post(url, TYPED | {"name": "Toledo", "revision": 1})
    answer = ada.post(url, TYPED | {"name": "Sevilla", "revision": 1})
    assert {"label": "Name", "theirs": "Toledo", "yours": "Sevilla"} in (
        answer.context["form"].conflict
    )
    assert answer.context["form"].edited_by.actor == "ada"
    assert Cluster.objects.get().name == "Toledo"


def test_second_editor_may_save_again_after_the_comparison(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    url = page("edit_cluster", cluster.pk)
    ada.post(url, TYPED | {"name": "Toledo", "revision": 1})
    displayed = ada.post(url, TYPED | {"name": "Sevilla", "revision": 1}).context[
        "form"
    ]
    ada.post(
        url, TYPED | {"name": "Sevilla", "revision": displayed["revision"].value()}
    )
    assert Cluster.objects.get().name == "Sevilla"


def test_delete_asks_and_names_the_effect(ada, cluster_factory, peer_factory):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer_factory(madrid, oslo)
    answer = ada.get(page("delete_cluster", madrid.pk))
    assert "1 node and 1 peer" in answer.context["consequences"][0]
    assert Cluster.objects.count() == 2


def test_delete_takes_nodes_and_peers_and_leaves_peers_of_others(
    ada, cluster_factory, peer_factory
):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer_factory(madrid, oslo)
    back = peer_factory(oslo, madrid)
    ada.post(page("delete_cluster", madrid.pk))
    assert list(Peer.objects.all()) == [back]
    assert Peer.objects.get().remote_cluster is None


def test_cluster_is_not_deleted_while_a_job_works_on_it(ada, cluster_factory):
    cluster = cluster_factory()
    ada.post(page("discover", cluster.pk))
    Job.objects.update(state=Job.State.RUNNING)
    assert ada.post(page("delete_cluster", cluster.pk)).url.endswith(
        f"{Job.objects.get().pk}/"
    )
    assert Cluster.objects.exists()


def test_discover_submits_a_job_and_not_a_second_one(ada, cluster_factory):
    cluster = cluster_factory()
    ada.post(page("discover", cluster.pk))
    ada.post(page("discover", cluster.pk))
    assert Job.objects.get().kind == "discover-cluster"


@pytest.mark.parametrize("name", ["add_cluster"])
def test_viewer_may_not_add(viewer, client_of, name):
    assert client_of(viewer).get(page(name)).status_code == 403


@pytest.mark.parametrize("name", ["edit_cluster", "delete_cluster"])
def test_operator_may_not_change_clusters(operator, client_of, cluster_factory, name):
    url = page(name, cluster_factory().pk)
    assert client_of(operator).post(url).status_code == 403


def test_operator_may_test_but_not_discover(operator, client_of, cluster_factory):
    cluster, otto = cluster_factory(), client_of(operator)
    assert otto.post(page("test", cluster.pk)).status_code == 302
    assert otto.post(page("discover", cluster.pk)).status_code == 403


@pytest.mark.parametrize("name", ["discover", "test"])
def test_a_link_starts_no_job(ada, cluster_factory, name):
    assert ada.get(page(name, cluster_factory().pk)).status_code == 405


def test_list_needs_a_sign_in(client, db):
    assert "sign-in" in client.get(page("clusters")).url


def test_a_deletion_counts_in_words_and_leaves_out_what_is_not_there(
    ada, cluster_factory, peer_factory
):
    madrid, oslo = cluster_factory("Madrid"), cluster_factory("Oslo")
    peer_factory(oslo, madrid)
    answer = ada.get(page("delete_cluster", madrid.pk))
    own, *_, pointing = answer.context["consequences"]
    assert "1 node" in own and "peer" not in own
    assert "1 peer " in pointing


def test_a_changed_account_is_tried_at_once(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    typed = TYPED | {"revision": 1}
    ada.post(page("edit_cluster", cluster.pk), typed)
    assert Job.objects.get().kind == "test-cluster"


def test_what_does_not_concern_the_account_tests_nothing(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    values = {"axl_username": cluster.axl_username, "axl_password": "", "revision": 1}
    ada.post(page("edit_cluster", cluster.pk), TYPED | values | {"domain": "b.example"})
    assert not Job.objects.exists()


def test_mistakes_in_both_forms_are_listed_in_one_box(ada):
    wrong = TYPED | {"name": "", "publisher-address": ""}
    text = ada.post(page("add_cluster"), wrong).content.decode()
    assert text.count('id="form-errors"') == 1
    assert 'href="#id_name"' in text and 'href="#id_publisher-address"' in text


def test_maintenance_shows_in_the_list_and_on_the_page(ada, cluster_factory):
    cluster = cluster_factory("Madrid")
    window = reverse("notifications:maintenance", args=[cluster.pk])
    pill = f'<a class="pill warning" href="{window}"'
    assert pill not in ada.get(cluster.get_absolute_url()).content.decode()
    now = timezone.now()
    ends = now + timedelta(hours=1)
    Maintenance.objects.create(cluster=cluster, begins_at=now, ends_at=ends)
    assert b"In maintenance" in ada.get(page("clusters")).content
    text = ada.get(cluster.get_absolute_url()).content.decode()
    assert pill in text and f"{ends:%Y-%m-%d}" in text
