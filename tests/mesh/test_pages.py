"""The pages of the mesh: who, plan, run."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from jobs.locks import Busy
from jobs.models import Job
from mesh.intent import MeshIntent
from mesh.models import Draft, ObservedPeerTable
from mesh.plan import plan_mesh
from peers.models import Peer
from tests.elements import elements, levels, texts

pytestmark = pytest.mark.django_db

SUMMARY = "//section[@aria-labelledby='summary-title']"


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


@pytest.fixture
def pair(cluster_factory):
    return cluster_factory("east", version="8.6"), cluster_factory(
        "west", version="8.6"
    )


def page(name, *args):
    return reverse(f"mesh:{name}", args=args)


def typed(pair, **more):
    return {"one": pair[0].pk, "other": pair[1].pk, "protocol": "TCP", **more}


def drafted(client, pair, **more):
    answer = client.post(page("set_up"), typed(pair, **more))
    assert answer.status_code == 302
    return answer.url


def confirmed(client, url):
    found = client.get(url).content.decode()
    seen = re.search(r'name="plan_hash" value="(\w+)"', found).group(1)
    return client.post(url, {"plan_hash": seen})


def summary_of(answer):
    (summary,) = texts(answer, f"{SUMMARY}//h2")
    return summary


def numbers(text):
    return re.findall(r"\d+", text)


def test_the_matrix_without_clusters_says_what_to_do(ada):
    link = "//*[@class='table-empty']/a/@href"
    assert elements(ada.get(page("matrix")), link) == [reverse("clusters:add_cluster")]


def test_the_matrix_links_peers_and_offers_missing_ones(ada, pair, peer_factory):
    peer = peer_factory(*pair, outcome="passed")
    found = ada.get(page("matrix")).content.decode()
    assert f'href="{peer.get_absolute_url()}"' in found
    assert f"?one={pair[1].pk}&amp;other={pair[0].pk}" in found


def test_a_viewer_sees_the_matrix_without_offers(viewer, client_of, pair):
    found = client_of(viewer).get(page("matrix")).content.decode()
    assert "No peer" in found
    assert page("set_up") not in found


@pytest.mark.parametrize("name", ["set_up", "complete"])
def test_an_operator_may_not_set_up(operator, client_of, pair, name):
    client = client_of(operator)
    assert client.get(page(name)).status_code == 403
    assert client.post(page(name), typed(pair)).status_code == 403


@pytest.mark.parametrize("name", ["matrix", "set_up", "complete"])
def test_other_methods_do_not_exist(ada, name):
    assert ada.delete(page(name)).status_code == 405


def test_set_up_is_filled_in_from_a_cell(ada, pair):
    one, other = pair
    form = ada.get(page("set_up"), {"one": one.pk, "other": other.pk}).context["form"]
    assert [form[name].value() for name in ("one", "other")] == [
        str(one.pk),
        str(other.pk),
    ]


def test_set_up_ignores_clusters_that_are_none(ada, pair):
    assert ada.get(page("set_up"), {"one": "'--", "other": "1"}).status_code == 200


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"other": ""}, "other", "required"),
        ({"one_mask": "+1X2"}, "one_mask", "x_last"),
        ({"one_username": "icuser"}, "one_password", "one_of_two"),
        ({"protocol": "SCTP"}, "protocol", "invalid_choice"),
    ],
)
def test_set_up_says_what_is_wrong(ada, pair, more, field, code):
    answer = ada.post(page("set_up"), typed(pair, **more))
    assert answer.context["form"].has_error(field, code)
    assert elements(answer, f"//*[@id='form-errors']//a[@href='#id_{field}']")
    assert not Draft.objects.exists()


def test_set_up_refuses_a_cluster_with_itself(ada, pair):
    answer = ada.post(page("set_up"), typed((pair[0], pair[0])))
    assert answer.context["form"].has_error("other", "same")


def test_a_wrong_form_keeps_what_was_typed_but_no_password(ada, pair):
    secret = {"one_username": "icuser", "one_password": "hunter2hunter2"}
    answer = ada.post(page("set_up"), typed(pair, **secret, other_mask="bad"))
    found = answer.content.decode()
    assert "icuser" in found
    assert "hunter2" not in found


def test_the_plan_shows_both_sides_and_changes_nothing(ada, pair):
    answer = ada.get(drafted(ada, pair))
    assert numbers(summary_of(answer)) == ["2", "2"]
    assert [step.before for step in answer.context["plan"].changes] == [None, None]
    assert not Peer.objects.exists()
    assert not Job.objects.exists()


def test_the_plan_shows_no_password(ada, pair):
    url = drafted(ada, pair, one_username="ic", one_password="hunter2hunter2")
    assert "hunter2" not in ada.get(url).content.decode()
    assert "hunter2" not in str(Draft.objects.values().get())


def test_confirming_the_plan_begins_the_job(ada, pair):
    answer = confirmed(ada, drafted(ada, pair))
    job = Job.objects.get(kind="set-up-peerings")
    assert answer.url == job.get_absolute_url()
    assert (Peer.objects.count(), job.planned_entries.count()) == (0, 2)
    assert not Draft.objects.exists()


def test_a_plan_that_changed_meanwhile_is_shown_again(ada, pair, peer_factory):
    url = drafted(ada, pair)
    seen = plan_mesh(MeshIntent((pair,))).hash
    peer_factory(*pair)
    answer = ada.post(url, {"plan_hash": seen}, follow=True)
    assert levels(answer) == ["error"]
    assert not Job.objects.exists()


def test_a_plan_is_refused_while_its_clusters_are_busy(ada, pair):
    url = drafted(ada, pair)
    confirmed(ada, drafted(ada, pair))
    answer = ada.post(
        url, {"plan_hash": plan_mesh(MeshIntent((pair,))).hash}, follow=True
    )
    (message,) = answer.context["messages"]
    assert str(message) == str(Busy(Job.objects.get()))
    assert Job.objects.count() == 1


def test_a_plan_with_errors_cannot_be_confirmed(ada, pair):
    pair[1].nodes.update(certificate_state="changed")
    url = drafted(ada, pair)
    answer = ada.get(url)
    assert str(pair[1].publisher) in answer.context["plan"].errors[0]
    assert "plan_hash" not in answer.content.decode()
    ada.post(url, {"plan_hash": plan_mesh(MeshIntent((pair,))).hash})
    assert not Job.objects.exists()


def test_nobody_else_sees_a_plan(
    ada, pair, django_user_model, administrator, client_of
):
    url = drafted(ada, pair)
    other = django_user_model.objects.create_superuser("olga", password="x" * 12)
    assert client_of(other).get(url).status_code == 404


def test_a_plan_whose_cluster_was_deleted_has_nothing_to_set_up(ada, pair):
    url = drafted(ada, pair)
    Cluster.objects.filter(pk=pair[1].pk).delete()
    answer = ada.get(url)
    assert answer.context["plan"].steps == ()
    assert "plan_hash" not in answer.content.decode()


def test_complete_plans_only_what_is_missing(ada, cluster_factory, peer_factory):
    one, two, three = (cluster_factory(version="8.6") for _ in range(3))
    for side in ((one, two), (two, one)):
        peer_factory(*side, provisioning_state="applied")
    body = {"clusters": [one.pk, two.pk, three.pk], "protocol": "TCP"}
    answer = ada.get(ada.post(page("complete"), body).url)
    assert numbers(summary_of(answer)) == ["4", "6"]
    (rest,) = texts(answer, "//details[contains(@class, 'plan-group')]/summary")
    assert numbers(rest) == ["2"]


def test_a_plan_tells_when_the_clusters_were_read(ada, pair):
    at = timezone.now() - timedelta(hours=2)
    ObservedPeerTable.objects.create(cluster=pair[0], entries=[], read_at=at)
    answer = ada.get(drafted(ada, pair))
    east, west = texts(answer, "//*[contains(@class, 'plan-step')]//small")
    assert "east" in east and "2 hours ago" in east
    assert "west" in west and "console" in west


def test_a_large_plan_tells_when_the_clusters_were_read(ada, cluster_factory):
    clusters = [cluster_factory(version="8.6") for _ in range(8)]
    at = timezone.now() - timedelta(hours=2)
    for cluster in clusters[1:]:
        ObservedPeerTable.objects.create(cluster=cluster, entries=[], read_at=at)
    body = {"clusters": [c.pk for c in clusters], "protocol": "TCP"}
    answer = ada.get(ada.post(page("complete"), body).url)
    (reading,) = texts(answer, f"{SUMMARY}//p[time]")
    assert "2 hours ago" in reading and numbers(reading) == ["2", "7"]


def test_complete_tells_of_entries_that_were_removed_on_their_cluster(
    ada, pair, peer_factory
):
    for side in (pair, pair[::-1]):
        peer_factory(*side, provisioning_state="absent", applied_address="1.2.3.4")
    (counts,) = texts(ada.get(page("complete")), "//form//*[@class='meta']")
    assert numbers(counts) == ["0", "2", "2"]


def test_each_password_is_told_by_its_name(ada, pair):
    body = typed(pair, one_username="icuser")
    answer = ada.post(page("set_up"), body)
    labels = [field.label for field in answer.context["form"]]
    assert len(set(labels)) == len(labels)
    label = answer.context["form"]["one_password"].label
    assert texts(answer, "//*[@id='form-errors']//a") == [label]


def test_complete_leaves_a_peering_that_stands_its_protocol(
    ada, pair, cluster_factory, peer_factory
):
    third = cluster_factory(version="8.6")
    for side in (pair, pair[::-1]):
        peer_factory(*side, protocol="TLS", provisioning_state="applied")
    peer_factory(pair[0], third, protocol="TLS", provisioning_state="applied")
    body = {"clusters": [c.pk for c in (*pair, third)], "protocol": "TCP"}
    found = ada.get(ada.post(page("complete"), body).url)
    steps = found.context["plan"].changes
    assert [(step.action, step.after["protocol"]) for step in steps] == [
        ("create", "TLS"),  # as the side that stands
        ("create", "TCP"),
        ("create", "TCP"),
    ]
    again = {**body, "everywhere": "on"}
    found = ada.get(ada.post(page("complete"), again).url)
    assert {s.after["protocol"] for s in found.context["plan"].steps} == {"TCP"}


def test_complete_needs_two_clusters(ada, pair):
    body = {"clusters": [pair[0].pk], "protocol": "TCP"}
    answer = ada.post(page("complete"), body)
    assert answer.context["form"].has_error("clusters", "too_few")


def test_a_large_plan_is_grouped_by_home_cluster(ada, cluster_factory):
    clusters = [cluster_factory(version="8.6") for _ in range(8)]
    body = {"clusters": [c.pk for c in clusters], "protocol": "TCP"}
    answer = ada.get(ada.post(page("complete"), body).url)
    assert numbers(summary_of(answer)) == ["56", "56"]
    assert answer.content.decode().count('class="disclosure plan-group"') == 8


def test_a_plan_asks_as_much_of_the_database_for_many_as_for_few(
    cluster_factory, django_assert_max_num_queries
):
    for _ in range(12):
        cluster_factory(version="8.6")
    clusters = Cluster.objects.prefetch_related("nodes")
    expected = MeshIntent.whole_mesh(list(clusters))
    with django_assert_max_num_queries(5):
        assert len(plan_mesh(expected).changes) == 132


def test_an_error_of_the_clusters_leaves_the_rest_folded(ada, cluster_factory):
    east, _ = cluster_factory(), cluster_factory()
    same = {"one": east.pk, "other": east.pk, "protocol": "TCP"}
    answer = ada.post(page("set_up"), same)
    assert "other" in answer.context["form"].errors
    assert not elements(answer, "//details[@open]")


def test_set_up_leads_to_the_one_side_of_a_cluster_that_is_not_managed(
    ada, cluster_factory
):
    cluster_factory()
    assert reverse("peers:add_peer") in ada.get(page("set_up")).content.decode()
