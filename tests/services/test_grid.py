from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from services.models import NodeReading, Service
from tests.elements import elements
from ui.templatetags.ui import breakable


@pytest.fixture
def services(cluster_factory):
    """Two nodes, of which one is silent now."""
    berlin, paris = (cluster_factory(name).publisher for name in ("berlin", "paris"))
    for node, error in ((berlin, ""), (paris, "timeout")):
        NodeReading.objects.create(node=node, tried_at=timezone.now(), error_code=error)
    Service.objects.create(node=berlin, name="Cisco SIP Proxy", status="started")
    Service.objects.create(node=berlin, name="<Cisco> Tomcat", status="stopped")
    Service.objects.create(node=paris, name="Cisco SIP Proxy", last_status="started")
    return Service.objects.all()


def grid(client, **filters):
    return client.get(reverse("services:grid"), filters)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 3),
        ({"node": "berlin"}, 2),
        ({"service": "Cisco SIP Proxy"}, 2),
        ({"status": "started"}, 1),
        ({"status": "stopped"}, 1),
        ({"status": "unreachable"}, 1),
        ({"status": "nonsense"}, 3),
        ({"cluster": "nonsense"}, 3),
    ],
)
def test_the_list_is_filtered(client_of, viewer, services, filters, count):
    page = grid(client_of(viewer), **filters).context["page"]
    assert page.paginator.count == count


@pytest.mark.parametrize("view", ["list", "nodes"])
def test_without_a_node_there_is_nothing_to_refresh(
    client_of, operator, cluster_factory, view
):
    form = f"//form[@action='{reverse('services:refresh_all')}']"
    client = client_of(operator)
    assert not elements(grid(client, view=view), form)
    cluster_factory("berlin")
    assert elements(grid(client, view=view, service="none"), form)


def test_a_silent_node_is_shown_as_unreachable(client_of, viewer, services):
    for view in ("list", "nodes"):
        response = grid(client_of(viewer), status="unreachable", view=view)
        assert "Unreachable" in response.content.decode()


def test_the_matrix_has_a_row_per_node_and_a_column_per_service(
    client_of, viewer, services
):
    matrix = grid(client_of(viewer), view="nodes").context["matrix"]
    assert matrix.nodes == 2
    assert matrix.columns == ["<Cisco> Tomcat", "Cisco SIP Proxy"]
    assert matrix.rows.count("Not there") == 1


def test_the_matrix_tells_every_state_apart(client_of, viewer, services):
    for status in ("starting", "stopping"):
        Service.objects.create(node=services[0].node, name=status, status=status)
    rows = grid(client_of(viewer), view="nodes").context["matrix"].rows
    for icon in ("failed", "start", "stop", "minus"):
        assert rows.count(f"icon-{icon}") == 1


def test_the_matrix_says_whose_node_it_is_and_when_it_was_seen(
    client_of, viewer, services
):
    hour_ago = timezone.now() - timedelta(hours=1)
    NodeReading.objects.filter(error_code="").update(observed_at=hour_ago)
    rows = grid(client_of(viewer), view="nodes").context["matrix"].rows
    assert '<td class="words" title="berlin">berlin</td>' in rows
    assert "1 hour ago" in rows
    assert '<td class="words">never</td>' in rows


def test_the_matrix_escapes_what_nodes_say(client_of, viewer, services):
    content = grid(client_of(viewer), view="nodes").content.decode()
    assert "<Cisco>" not in content
    assert "&lt;Cisco&gt; Tomcat: Stopped" in content


@pytest.mark.parametrize("view", ["list", "nodes"])
def test_more_nodes_cost_no_more_queries(
    client_of, viewer, services, cluster_factory, django_assert_max_num_queries, view
):
    for _ in range(5):
        node = cluster_factory().publisher
        Service.objects.create(node=node, name="Cisco SIP Proxy")
    client = client_of(viewer)
    grid(client, view=view)
    with django_assert_max_num_queries(10):
        grid(client, view=view)


def test_the_summary_tells_each_node(client_of, viewer, services):
    cluster = services.first().node.cluster
    url = reverse("services:summary", args=[cluster.pk])
    content = client_of(viewer).get(url).content.decode()
    assert breakable(services.first().node.name) in content


def test_a_node_that_nobody_asked_has_a_row(
    client_of, viewer, services, cluster_factory
):
    cluster_factory("oslo")
    content = grid(client_of(viewer), view="nodes").content.decode()
    assert "oslo-pub" in content
    assert "Not read yet" in content


def test_what_is_meant_to_be_off_is_not_a_failure(services):
    service = services.get(name="<Cisco> Tomcat")
    service.reason_code = -1068
    assert service.outcome == "information"
    service.name = "Cisco Intercluster Sync Agent"
    assert service.outcome == "stopped"


def test_the_list_says_group_and_why_a_status_is_not_known(client_of, viewer, services):
    services.filter(name="<Cisco> Tomcat").update(group="Platform Services")
    services.filter(last_status="started").update(start_time="Mon Nov 22")
    NodeReading.objects.filter(error_code="timeout").update(error="No answer in 30 s.")
    content = grid(client_of(viewer)).content.decode()
    assert "Platform Services" in content
    assert "No answer in 30 s." in content
    assert "was started" in content
    assert "Mon Nov 22" not in content


@pytest.mark.parametrize(
    ("view", "sentence"), [("list", "1 service"), ("nodes", "1 node")]
)
def test_the_count_follows_what_a_job_changes(
    client_of, viewer, services, view, sentence
):
    filters = {"view": view, "status": "started"}
    url = reverse("services:grid")
    response = client_of(viewer).get(url, filters, headers={"HX-Request": "true"})
    fragment = response.content.decode()
    assert sentence in fragment.split('hx-swap-oob="innerHTML:#found-count"')[1]


def test_a_filter_that_cannot_be_used_is_said_to_be(client_of, viewer, services):
    answer = grid(client_of(viewer), status="nonsense")
    assert answer.context["form"].has_error("status", "invalid_choice")
    assert elements(answer, "//*[@class='field-error']")
    assert not elements(grid(client_of(viewer)), "//*[@class='field-error']")


@pytest.fixture
def kept(cluster_factory):
    """Services that nobody may stop, and others; the releases name them differently."""
    known = cluster_factory("old", generation="cup7")
    new = cluster_factory("new")
    rows = [
        (known, known.profile.services["tomcat"], "started", ""),
        (known, known.profile.services["tomcat"] + " 2", "started", "do_not_stop"),
        (known, "Cisco UP SIP Proxy", "started", ""),
        (new, new.profile.services["database"], "started", ""),
        (new, new.profile.services["tomcat"], "stopped", ""),
        (new, "Cisco SIP Proxy", "started", "none"),
        (new, "Cisco Sync Agent", "stopped", "do_not_stop"),
    ]
    for cluster, name, status, restrict in rows:
        Service.objects.create(
            node=cluster.publisher, name=name, status=status, restrict=restrict
        )


def test_filter_and_rows_agree_on_what_can_be_controlled(client_of, operator, kept):
    every = Service.objects.with_node()
    by_rule = {service.pk for service in every if service.controllable}
    assert set(every.controllable().values_list("pk", flat=True)) == by_rule
    assert len(by_rule) == 4
    otto = client_of(operator)
    text = grid(otto).content.decode()
    assert text.count('class="select-row"') == 4
    assert len(grid(otto, controllable="on").context["page"].object_list) == 4


def test_group_is_a_filter(client_of, viewer, services):
    Service.objects.filter(name="Cisco SIP Proxy").update(group="IM and Presence")
    found = grid(client_of(viewer), group="IM and Presence").context["page"]
    assert {service.name for service in found} == {"Cisco SIP Proxy"}
