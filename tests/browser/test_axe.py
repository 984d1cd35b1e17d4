"""axe finds nothing on any page, wide and narrow, light and dark; few requests each."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from clusters.models import Cluster
from peers.models import Peer
from tests.browser.in_process import Pages
from tests.conftest import person
from tests.security.matrix import MATRIX, SAMPLES
from tests.security.routes import NOBODY, routes
from tests.security.world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.long]

WIDE, NARROW = ({"width": 1440, "height": 900}, {"width": 320, "height": 640})
ELSEWHERE = {
    # They call nodes, which cannot be done inside the browser's event loop.
    "clusters:certificate",
    "clusters:certificates",
    "proof:certificate",
}
# Swagger UI brings a main part and headings of its own, which we do not choose.
OF_A_LIBRARY = {
    "docs": {
        "heading-order",
        "landmark-main-is-top-level",
        "landmark-no-duplicate-main",
        "landmark-unique",
    }
}
# Of one page that the browser opens for the first time.
MOST_REQUESTS = 30
PAGES = [
    pytest.param(route, id=route.name)
    for route in routes()
    if "GET" in MATRIX.get(route.name, {}) and not route.is_api
    if route.name not in ELSEWHERE
]


@pytest.fixture
def world(in_process, cluster_factory):
    found = make_world("alpha", cluster_factory("alpha"))
    make_world("beta", cluster_factory("beta"))
    make_world("gamma", cluster_factory("gamma"))
    return found.ids


@pytest.fixture
def pages(world, browser):
    displayed = Pages(
        browser, person("ada", Role.ADMINISTRATOR), reduced_motion="reduce"
    )
    yield displayed
    displayed.context.close()


@pytest.mark.parametrize("route", PAGES)
def test_axe_finds_nothing(route, world, pages):
    pk = world.get(SAMPLES.get(route.name, ""), NOBODY)
    url = route.url.replace(str(NOBODY), str(pk))
    if not is_page(pages.client.get(url)):
        pytest.skip("a file, a redirect or a fragment of a page")
    requested = []
    pages.context.on("request", lambda request: requested.append(request.url))
    page = pages.open(url)
    page.wait_for_load_state("networkidle")
    assert len(requested) <= MOST_REQUESTS
    found = [*violations(page, WIDE, "light"), *violations(page, NARROW, "dark")]
    accepted = OF_A_LIBRARY.get(route.name, set())
    assert [one for one in found if one[2] not in accepted] == []


def is_page(response):
    return not response.streaming and b"<!doctype html>" in response.content[:500]


def violations(page, size, theme):
    page.set_viewport_size(size)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    options = {"resultTypes": ["violations"]}
    results = Axe().run(page, options=options)
    return [
        (size["width"], theme, one["id"], node["html"][:200])
        for one in results.response["violations"]
        for node in one["nodes"]
    ]


ENTRIES = (
    "cluster,address,username,password,external_phone_number_mask\n"
    "alpha,10.9.9.9,ic,open sesame,'+1408XXXX\n"
    "alpha,10.9.9.9,ic,open sesame,wrong\n"
    "nowhere,10.9.9.8,ic,open sesame,\n"
)


def mesh_plan(client):
    pks = list(Cluster.objects.values_list("pk", flat=True))
    return {"url": reverse("mesh:complete"), "clusters": pks, "protocol": "TCP"}


def peering_plan(client):
    one, other = Cluster.objects.values_list("pk", flat=True)[:2]
    return {"url": reverse("mesh:set_up"), "one": one, "other": other} | TCP


def import_preview(client):
    file = SimpleUploadedFile("peers.csv", ENTRIES.encode())
    return {"url": reverse("peers:import"), "file": file}


def bulk_form(client):
    peers = list(Peer.objects.values_list("pk", flat=True))
    return {"url": reverse("peers:bulk_choose"), "peer": peers}


def bulk_plan(client):
    form = client.post(reverse("peers:bulk_choose"), bulk_form(client))["Location"]
    return {"url": form, "protocol": "TLS"}


def deletion_plan(client):
    chosen = bulk_form(client) | {"action": "delete"}
    form = client.post(reverse("peers:bulk_choose"), chosen)["Location"]
    return {"url": form, "scope": "home"}


TCP = {"protocol": "TCP"}
DRAFTS = [mesh_plan, peering_plan, import_preview, bulk_form, bulk_plan, deletion_plan]


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft.__name__)
def test_axe_finds_nothing_in_a_draft(draft, world, pages):
    """Pages that exist only after a form was sent, each with rows in it."""
    data = draft(pages.client)
    answer = pages.client.post(data.pop("url"), data)
    assert answer.status_code == 302, answer.content.decode()
    page = pages.open(answer["Location"])
    page.wait_for_load_state("networkidle")
    found = [
        one
        for size in (WIDE, NARROW)
        for theme in ("light", "dark")
        for one in violations(page, size, theme)
    ]
    assert found == []
