import csv
import io

import pytest
from django.urls import reverse

from directory.columns import User
from directory.comparison_history import compare_peers
from jobs.models import Job
from tests.directory.conftest import of


@pytest.fixture
def differing(pair, has):
    home, remote, peer = pair
    has(home, *of(home, "ada"), *of(remote, "bob", "old"))
    has(remote, *of(remote, "bob", "new", "ADA", number="6640"))
    return peer


def answered(client, name, *arguments, **query):
    answer = client.get(reverse(f"directory:{name}", args=arguments), query)
    assert answer.status_code == 200
    return answer


def page(client, name, *arguments, **query):
    return answered(client, name, *arguments, **query).content.decode()


def test_the_first_page_shows_what_was_read(differing, client_of, viewer):
    text = page(client_of(viewer), "locate")
    assert "oslo" in text and "bergen" in text
    assert reverse("directory:take") not in text


def test_the_pages_say_what_to_do_without_clusters(db, client_of, viewer):
    client = client_of(viewer)
    assert "No clusters yet" in page(client, "locate")
    assert not answered(client, "comparisons").context["page_obj"].object_list
    assert answered(client, "duplicates").context["nothing_read"]


def test_a_user_is_found_on_one_screen(differing, client_of, viewer):
    answer = answered(client_of(viewer), "locate", user="new")
    assert answer.context["located"].home.cluster.name == "bergen"
    views = answer.context["located"].views
    assert {view.cluster.name: view.state for view in views} == {
        "bergen": "home",
        "oslo": "absent",
    }
    assert all(view.sentence in answer.content.decode() for view in views)


def test_a_user_whom_nobody_has_is_said_so(differing, client_of, viewer):
    answer = answered(client_of(viewer), "locate", user="<script>")
    assert answer.context["located"] is None and not answer.context["nothing_read"]
    assert "<script>" not in answer.content.decode().replace("<script src", "")


def test_the_comparison_of_a_peer_lists_users(differing, client_of, viewer):
    client = client_of(viewer)
    assert ">new</a>" in page(client, "comparison", differing.pk)
    assert ">old</a>" in page(client, "comparison", differing.pk, list="extra")
    assert "Nobody found" in page(client, "comparison", differing.pk, q="zzz")


def compared_at(client, **query):
    rows = answered(client, "comparisons", **query).context["page_obj"]
    return [row.at for row in rows]


def test_peer_that_was_not_compared_is_unknown_not_absent(differing, client_of, viewer):
    client = client_of(viewer)
    assert compared_at(client) == [None]
    assert compared_at(client, outcome="unknown") == [None]
    assert compared_at(client, outcome="passed") == []
    compare_peers([differing.cluster_id])
    (at,) = compared_at(client)
    assert at


def test_the_worst_comparison_stands_first(differing, client_of, viewer):
    compare_peers([differing.cluster_id])
    text = page(client_of(viewer), "comparisons")
    assert "Failed" in text
    assert "2 / 3" in text


def test_lists_are_downloaded_as_safe_csv(pair, has, client_of, viewer):
    home, remote, peer = pair
    node = remote.publisher.name
    has(home)
    has(remote, User("=cmd()", "", "", "", node))
    url = reverse("directory:comparison", args=[peer.pk])
    answer = client_of(viewer).get(url, {"format": "csv", "list": "missing"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][0] == "'=cmd()"


@pytest.mark.parametrize("kind", ["userid", "empty_uri", "invalid_uri", "what"])
def test_each_kind_of_duplicates_has_a_list(differing, client_of, viewer, kind):
    client = client_of(viewer)
    assert "Same user ID (1)" in page(client, "duplicates", kind=kind)
    answer = client.get(reverse("directory:duplicates"), {"format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")


def test_moves_are_shown_between_two_snapshots(pair, has, client_of, viewer):
    _, remote, _ = pair
    before = has(remote, *of(remote, "bob"), minutes=60)
    has(remote)
    query = {"source": str(remote.pk), "before": str(before.pk)}
    text = page(client_of(viewer), "moves", **query)
    assert "Did not arrive" in text and "Leave the Intercluster" in text


def test_a_mask_is_shown_on_real_numbers(differing, client_of, viewer):
    query = {
        "cluster": str(differing.cluster.pk),
        "address": differing.address,
        "external_phone_number_mask": "+1408902XXXXX",
    }
    text = page(client_of(viewer), "mask_preview", **query)
    assert "3 too short" in text


@pytest.mark.parametrize("name", ["cluster", "home"])
def test_numbers_that_mean_two_people_are_told(
    pair, has, peer_factory, client_of, viewer, name
):
    home, remote, peer = pair
    peer_factory(remote, home, external_phone_number_mask="+1408XXXX")
    has(home, *of(home, "ada", number="6640"))
    has(remote, *of(remote, "bob", number="6640"))
    query = {name: str(home.pk), "address": peer.address}
    query["external_phone_number_mask"] = "+1408XXXX"
    answer = answered(client_of(viewer), "mask_preview", **query)
    assert answer.context["preview"].across == ["+14086640"]
    assert "+14086640</li>" in answer.content.decode()


def test_a_wrong_mask_is_said_so(db, client_of, viewer):
    text = page(client_of(viewer), "mask_preview", external_phone_number_mask="X1")
    assert "must come last" in text


def test_an_operator_reads_the_users(cluster_factory, client_of, operator):
    cluster = cluster_factory()
    answer = client_of(operator).post(reverse("directory:take"))
    job = Job.objects.get()
    assert answer["Location"] == job.get_absolute_url()
    assert job.target_id == str(cluster.pk)


def test_a_viewer_may_not_read_the_users(cluster_factory, client_of, viewer):
    cluster_factory()
    assert client_of(viewer).post(reverse("directory:take")).status_code == 403
    assert client_of(viewer).get(reverse("directory:take")).status_code == 405


def test_a_cluster_without_a_confirmed_node_is_not_read(db, client_of, operator):
    answer = client_of(operator).post(reverse("directory:take"), follow=True)
    assert answer.redirect_chain == [(reverse("directory:locate"), 302)]
    assert [one.level_tag for one in answer.context["messages"]] == ["error"]


def test_clusters_that_were_never_read_are_told(pair, has, client_of, viewer):
    _, remote, _ = pair
    has(remote, *of(remote, "bob"))
    client = client_of(viewer)
    for user in ("bob", "nobody"):
        answer = answered(client, "locate", user=user)
        assert "oslo" in answer.context["unread"]
        assert answer.context["unread"] in answer.content.decode()


def test_many_users_with_one_number_are_not_said_to_be_all(
    pair, has, client_of, viewer
):
    home, _, _ = pair
    has(home, *of(home, *(f"user{n:03}" for n in range(60)), number="6640"))
    text = page(client_of(viewer), "locate", user="6640")
    assert "first 50" in text


def test_a_mask_without_an_address_asks_for_one(db, client_of, viewer):
    assert 'data-missing="address"' in page(client_of(viewer), "mask_preview")


def test_a_move_that_many_clusters_missed_is_told_in_short(
    pair, has, cluster_factory, client_of, viewer
):
    _, remote, _ = pair
    before = has(remote, *of(remote, "bob"), minutes=60)
    has(remote)
    for number in range(7):
        has(cluster_factory(f"late{number}"), *of(remote, "bob"))
    query = {"source": str(remote.pk), "before": str(before.pk)}
    text = page(client_of(viewer), "moves", **query)
    assert "<summary>7 clusters</summary>" in text and "late6" in text
