"""Where a Fix leads: the right form, filled, on the right field, and for whom."""

from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from diagnostics.judge.status import JudgedEntry
from diagnostics.judge.verdict import Fix, failed
from diagnostics.suggested_actions import url_of

PK = "00000000-0000-4000-8000-000000000000"


def test_a_fix_keeps_its_query_and_its_field():
    url = url_of("mesh:set_up", "", "one=1&other=2")
    assert url == f"{reverse('mesh:set_up')}?one=1&other=2"
    url = url_of("clusters:edit_cluster", PK, field="axl_password")
    assert url == f"{reverse('clusters:edit_cluster', args=[PK])}#id_axl_password"


def test_an_entry_of_a_status_keeps_all_of_its_fix():
    fix = Fix("mesh:set_up", query="one=1&other=2", field="protocol")
    entry = JudgedEntry(
        "x", "X", lambda view: failed("No.", "Do.", fix), lambda view: []
    )
    reported = entry.as_data(SimpleNamespace(at=timezone.now()))
    assert url_of(*reported["fix"]).endswith("?one=1&other=2#id_protocol")


@pytest.mark.parametrize(
    ("name", "seen"),
    [("clusters:edit_cluster", False), ("clusters:show_cluster", True)],
)
def test_only_pages_that_a_person_may_open_are_offered(viewer, name, seen):
    request = RequestFactory().get("/")
    request.user = viewer
    url = f"{reverse(name, args=[PK])}?a=b#id_name"
    text = "{% load ui %}{% may_open url as fix %}{{ fix|safe }}"
    displayed = Template(text).render(Context({"request": request, "url": url}))
    assert displayed == (url if seen else "")


def test_a_viewer_sees_no_password_fields(
    client_of, viewer, cluster_factory, peer_factory
):
    peer = peer_factory(cluster_factory(), cluster_factory())
    html = client_of(viewer).get(peer.get_absolute_url()).content.decode()
    assert 'type="password"' not in html
    assert 'class="required"' not in html


def test_a_new_token_has_the_least_role_and_an_end(client_of, administrator):
    form = client_of(administrator).get(reverse("accounts:tokens")).context["form"]
    assert form["role"].value() == "viewer"
    assert form["expires_at"].value()
