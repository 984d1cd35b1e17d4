"""Presence > Sizing, and what people state there."""

import pytest
from django.utils import timezone

from accounts import users as people
from accounts.models import AuditEntry
from sizing.models import ClusterPlatform, GroupsSeen, StatedProfile
from sizing.reading import read_deployment
from tests.elements import elements
from tests.sizing.conftest import count

SHOW = "/administration/presence/sizing/"
PROFILE = f"{SHOW}profile/"


def test_viewer_sees_users_limits_and_load(viewer, client_of, counted):
    counted("Bonn", 40_000)
    counted("Kiel", 1_000)
    answer = client_of(viewer).get(SHOW)
    for text in ("45,000", "88.9 %", "model of this"):
        assert text in answer.content.decode()
    (near,) = [one for one in answer.context["warnings"] if "users-" in one.code]
    assert near.code == "users-near-limit"
    assert "Bonn" in near.sentence and "40,000" in near.sentence


def test_the_same_of_many_clusters_is_folded(viewer, client_of, counted):
    for n in range(6):
        counted(f"Bonn {n}", 1_000, version="12.5.1")
    answer = client_of(viewer).get(SHOW)
    codes = [one.code for one in answer.context["warnings"]]
    assert codes.count("platform-unknown") == 6
    folded = "//section//details//li"
    assert len(elements(answer, folded)) == 3


def test_page_without_clusters(viewer, client_of):
    assert b"No clusters yet" in client_of(viewer).get(SHOW).content


def test_unknown_is_said_and_never_a_figure(viewer, client_of, counted):
    counted("Bonn", None, version="15.0.1")
    answer = client_of(viewer).get(SHOW)
    page = answer.content.decode()
    assert "not published" in page
    assert "not checked" in page
    codes = {one.code for one in answer.context["warnings"] if "Bonn" in one.sentence}
    assert "users-unknown" in codes


@pytest.mark.parametrize(
    "query", ["?more_users=x", "?more_users=-1", "?cluster_users=1e99"]
)
def test_bad_growth_is_explained(viewer, client_of, counted, query):
    counted("Bonn", 10)
    response = client_of(viewer).get(SHOW + query)
    assert response.status_code == 200
    assert response.context["form"].errors


def test_growth_that_was_asked_for_is_calculated(viewer, client_of, counted):
    counted("Bonn", 100)
    context = client_of(viewer).get(SHOW + "?more_users=50&cluster_users=7").context
    assert context["grown"].then.users == 150
    assert context["extended"].then.users == 107


def test_viewer_cannot_edit(viewer, client_of, counted):
    cluster = counted("Bonn", 10)
    client = client_of(viewer)
    assert client.post(PROFILE, {}).status_code == 403
    assert client.post(f"{SHOW}clusters/{cluster.pk}/", {}).status_code == 403


def test_administrator_states_the_profile(administrator, client_of):
    client = client_of(administrator)
    answer = client.post(
        PROFILE, {"contacts_per_user": "75", "link_kbit_per_second": "5000"}
    )
    assert answer.status_code == 302
    here = read_deployment()
    assert (here.profile.contacts_per_user, here.link) == (75, 5_000)
    assert StatedProfile.objects.get().stated_by == "ada"
    entry = AuditEntry.objects.get(action="state profile")
    assert entry.changes["contacts_per_user"] == [None, 75.0]


def test_emptied_field_is_assumed_again(administrator, client_of):
    client = client_of(administrator)
    client.post(PROFILE, {"contacts_per_user": "75"})
    client.post(PROFILE, {"contacts_per_user": ""})
    assert read_deployment().profile.contacts_per_user == 100


def test_saving_without_a_change_writes_nothing(administrator, client_of):
    client_of(administrator).post(PROFILE, {"contacts_per_user": ""})
    assert not AuditEntry.objects.filter(action="state profile").exists()


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e400", "text", "10001"])
def test_bad_profile_is_refused(administrator, client_of, value):
    answer = client_of(administrator).post(PROFILE, {"contacts_per_user": value})
    assert answer.status_code == 200
    assert answer.context["form"].errors["contacts_per_user"]
    assert not StatedProfile.objects.exists()


def test_administrator_states_a_platform(administrator, client_of, counted):
    cluster = counted("Bonn", 10, version="12.5.1")
    url = f"{SHOW}clusters/{cluster.pk}/"
    client = client_of(administrator)
    answer = client.post(url, {"platform": "ova15000", "redundant": "yes"})
    assert answer.status_code == 302
    (one,) = read_deployment().clusters
    assert (one.limit.value, one.redundant) == (45_000, True)
    entry = AuditEntry.objects.get(action="state platform")
    assert entry.cluster == cluster.pk


def test_unknown_platform_is_refused(administrator, client_of, counted):
    cluster = counted("Bonn", 10)
    url = f"{SHOW}clusters/{cluster.pk}/"
    answer = client_of(administrator).post(url, {"platform": "ova1"})
    assert answer.context["form"].errors["platform"]
    assert not ClusterPlatform.objects.exists()


def test_users_of_other_clusters_do_not_count(counted):
    bonn, kiel = counted("Bonn", 0), counted("Kiel", 7)
    names = [bonn.publisher.name, kiel.publisher.name]
    users = {names[0]: 5, names[1]: 7, "bonn-sub.example.com": 3, "": 9}
    count(bonn, users, own=("bonn-sub.example.com",))
    assert [one.users for one in read_deployment().clusters] == [8, 7]


def test_entries_and_their_users_are_counted(counted, peer_factory):
    bonn, kiel = counted("Bonn", 5), counted("Kiel", 7)
    peer_factory(bonn, kiel, associated_users=7)
    peer_factory(kiel, bonn)
    first, second = read_deployment().clusters
    assert (first.entries, first.associated) == (1, 7)
    assert (second.entries, second.associated) == (1, None)


def test_limited_person_sees_only_their_clusters(
    viewer, client_of, counted, peer_factory
):
    bonn, kiel = counted("Bonn", 5), counted("Kiel", 7)
    peer_factory(bonn, kiel, associated_users=7)
    people.limit_user(viewer, [str(bonn.pk)])
    page = client_of(viewer).get(SHOW)
    assert b"Kiel" not in page.content
    (one,) = page.context["here"].clusters
    assert (one.name, one.entries) == ("Bonn", 0)


def test_names_from_a_cluster_are_text(viewer, client_of, counted):
    bonn, name = counted("Bonn", None, version="7.0.5"), "<script>x</script>"
    count(bonn, {name: 2_600, "b": 2_600}, own=(name, "b"))
    group = {"name": name, "redundant": True, "nodes": [name, "b"]}
    GroupsSeen.objects.create(cluster=bonn, groups=[group], read_at=timezone.now())
    page = client_of(viewer).get(SHOW).content.decode()
    assert "&lt;script&gt;x" in page
    assert name not in page


@pytest.mark.parametrize("number", [0, 10**12, 2**63 - 1])
def test_absurd_counts_are_no_error(viewer, client_of, counted, number):
    counted("Bonn", number, version="7.0.5")
    counted("Kiel", number)
    assert client_of(viewer).get(SHOW).status_code == 200
