"""Pages of a console without clusters say what to do next, and nothing else."""

import pytest
from django.urls import reverse

ADD = reverse("clusters:add_cluster")
# Pages that have nothing to show before there is a cluster.
NAMES = (
    "home",
    "clusters:clusters",
    "clusters:certificates",
    "diagnostics:runs",
    "diagnostics:troubleshooter",
    "directory:comparisons",
    "directory:duplicates",
    "directory:leftovers",
    "directory:locate",
    "directory:moves",
    "exchange:show",
    "mesh:add_neighbours",
    "mesh:complete",
    "mesh:matrix",
    "mesh:running",
    "mesh:set_up",
    "overview:problems",
    "peers:add_peer",
    "peers:find",
    "services:agents",
    "services:grid",
    "services:server",
    "sizing:show",
)


@pytest.mark.parametrize("name", NAMES)
def test_page_leads_to_the_first_cluster(name, administrator, client_of):
    page = client_of(administrator).get(reverse(name)).content.decode()
    assert page.count('<div class="table-empty">') == 1
    assert f'<a class="button primary" href="{ADD}">' in page


@pytest.mark.parametrize("name", ["home", "peers:find", "mesh:matrix", "sizing:show"])
def test_viewer_is_offered_no_page_that_refuses_him(name, viewer, client_of):
    assert ADD not in client_of(viewer).get(reverse(name)).content.decode()
