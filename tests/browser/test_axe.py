"""axe finds nothing on any page, wide and narrow, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.roles import Role
from tests.browser.in_process import Pages
from tests.conftest import person
from tests.security.matrix import MATRIX, SAMPLES
from tests.security.routes import NOBODY, routes
from tests.security.world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.crawl]

WIDE, NARROW = ({"width": 1440, "height": 900}, {"width": 320, "height": 640})
ELSEWHERE = {
    # They call nodes, which cannot be done inside the browser's event loop.
    "clusters:certificate",
    "clusters:certificates",
    "proof:certificate",
    # Swagger UI brings a main part and headings of its own.
    "docs",
}
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
    page = pages.open(url)
    page.wait_for_load_state("networkidle")
    found = [*violations(page, WIDE, "light"), *violations(page, NARROW, "dark")]
    assert found == []


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
