"""The panels, pages and REST of history and timeline."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import audit, users
from history import rollup
from history.models import Event
from jobs.models import Job
from ui.templatetags.ui import field_words

HTMX = {"HX-Request": "true"}


@pytest.fixture
def checked(check):
    now = timezone.now()
    check(now - timedelta(days=3), "failed")
    check(now, "passed", 3, 4)
    rollup.roll_up()


@pytest.mark.parametrize("name", ["peer", "cluster", "everything"])
@pytest.mark.parametrize("chosen", ["", "week", "year", "nonsense"])
def test_the_history_is_drawn(client_of, viewer, peer, checked, name, chosen):
    pk = {"peer": [peer.pk], "cluster": [peer.cluster_id]}.get(name, [])
    url = reverse(f"history:{name}", args=pk)
    response = client_of(viewer).get(url, {"range": chosen}, headers=HTMX)
    chart = response.context["chart"]
    assert chart.range.name == (chosen if chosen in ("week", "year") else "day")
    assert [bar.slot.passed for bar in chart.filled][0] == 1
    assert response.context["availability"].week == 50
    since = response.context["availability"].since
    assert f"since {since:%Y-%m-%d}" in response.content.decode()
    assert b"<html" not in response.content


def test_the_axis_is_in_the_time_zone_of_the_texts(client_of, viewer, peer, checked):
    url = reverse("history:peer", args=[peer.pk])
    chart = client_of(viewer).get(url, headers=HTMX).context["chart"]
    with timezone.override("Asia/Kolkata"):
        there = replace(chart)
        assert there.ticks[0] in there.bars[0].text


def test_the_page_works_without_htmx(client_of, viewer, peer):
    response = client_of(viewer).get(reverse("history:peer", args=[peer.pk]))
    assert b"<html" in response.content
    assert response.context["availability"].day is None


def test_a_timeline_merges_events_jobs_and_edits(client_of, administrator, peer):
    now = timezone.now()
    where = {"cluster": peer.cluster, "peer": peer}
    Event.objects.create(at=now, kind="outcome", sentence="It failed.", **where)
    audit.append_entry(audit.CONSOLE, "edit peer", peer, {"protocol": ["TCP", "TLS"]})
    Job.objects.submit("provision-peer", [], target=peer)
    for name, pk in (
        ("peer_timeline", peer.pk),
        ("cluster_timeline", peer.cluster_id),
    ):
        url = reverse(f"history:{name}", args=[pk])
        page = client_of(administrator).get(url).context["page_obj"]
        assert [item.kind for item in page] == ["job", "edit", "outcome"]


def test_fields_have_the_names_of_the_audit_trail(client_of, administrator, peer):
    changes = {"axl_username": ["a", "b"], "pages_port": [443, 8443]}
    audit.append_entry(audit.CONSOLE, "edit cluster", peer.cluster, changes)
    url = reverse("history:cluster_timeline", args=[peer.cluster_id])
    (item,) = client_of(administrator).get(url).context["page_obj"]
    words = [field_words(name, "cluster") for name in changes]
    assert all(one in item.sentence for one in words)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("attest peer", "attestation"),
        ("trust certificate", "certificate"),
        ("begin maintenance", "maintenance"),
        ("edit cluster", "edit"),
    ],
)
def test_the_kind_of_an_entry(api, viewer, peer, action, kind):
    audit.append_entry(audit.CONSOLE, action, peer.cluster)
    url = reverse("api:clusters-timeline", args=[peer.cluster_id])
    (item,) = api(viewer).get(url).data["results"]
    assert item["kind"] == kind
    # Only administrators may open the audit trail.
    assert item["url"] == ""


def test_a_timeline_is_paged(api, viewer, peer):
    for _ in range(3):
        audit.append_entry(audit.CONSOLE, "edit peer", peer)
    url = reverse("api:peers-timeline", args=[peer.pk])
    answer = api(viewer).get(url, {"limit": 2, "offset": 2}).data
    assert answer["count"] == 3
    assert len(answer["results"]) == 1
    assert api(viewer).get(url, {"kind": "job"}).status_code == 400


def test_the_history_over_rest(api, viewer, peer, checked):
    url = reverse("api:peers-history", args=[peer.pk])
    single = api(viewer).get(url).data
    assert [one["failed"] for one in single["buckets"]] == [1, 0]
    assert single["availability"] == {
        "day": 100.0,
        "week": 50.0,
        "month": 50.0,
        "quarter": 50.0,
    }
    hours = api(viewer).get(url, {"step": "hour"}).data["buckets"]
    assert [(one["passed"], one["remote_users"]) for one in hours] == [(1, 4)]
    days = api(viewer).get(url, {"step": "day"}).data["buckets"]
    assert [one["checks"] for one in days] == [1, 1]


@pytest.mark.parametrize(
    "query",
    [
        {"step": "minute"},
        {"since": "yesterday"},
        {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"since": "2020-01-01T00:00:00Z", "step": "hour"},
        {"until": "0001-01-01T00:00:00Z", "step": "day"},
        {"colour": "red"},
    ],
)
def test_a_bad_question_is_refused(api, viewer, peer, query):
    url = reverse("api:peers-history", args=[peer.pk])
    assert api(viewer).get(url, query).status_code == 400


def test_only_peers_within_the_limit_are_counted(
    client_of, viewer, check, clusters, peer_factory
):
    hidden = peer_factory(*reversed(clusters))
    check(timezone.now(), "passed")
    check(timezone.now(), "failed", of=hidden)
    rollup.roll_up()
    users.limit_user(viewer, [str(clusters[0].pk)])
    response = client_of(viewer).get(reverse("history:everything"))
    assert response.context["availability"].day == 100


def test_the_lines_have_a_scale(client_of, viewer, peer, check):
    check(timezone.now(), "passed", 3, 40)
    rollup.roll_up()
    chart = (
        client_of(viewer)
        .get(reverse("history:peer", args=[peer.pk]), headers=HTMX)
        .context["chart"]
    )
    assert [(one.place, one.count) for one in chart.scale] == [("high", 40), ("low", 3)]
    assert chart.scale[0].y < chart.scale[1].y


def test_a_pair_has_no_certificates_of_other_clusters(
    client_of, administrator, peer, cluster_factory
):
    for node in (peer.cluster.publisher, cluster_factory("cup3").publisher):
        audit.append_entry(audit.CONSOLE, "trust certificate", node)
        where = {"cluster": node.cluster, "at": timezone.now(), "kind": "node"}
        Event.objects.create(sentence=f"{node} answers.", **where)
    url = reverse("history:peer_timeline", args=[peer.pk])
    page = client_of(administrator).get(url).context["page_obj"]
    assert sorted(item.kind for item in page) == ["certificate", "node"]
