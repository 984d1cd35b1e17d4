"""What each script of ours does on a real page; every file has its test."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from clusters.models import Cluster
from diagnostics.models import PeerCheck
from history.rollup import roll_up
from peers.models import Peer
from tests.browser.in_process import Pages
from tests.conftest import person
from tests.security.world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.servers]

FILES = (settings.BASE_DIR / "static/js").glob("*.js")
OURS = sorted(path.stem for path in FILES if ".min" not in path.name)

# In files of their own.
ELSEWHERE = {"menus", "palette", "passkeys"}


@pytest.fixture
def world(in_process, cluster_factory):
    found = make_world("alpha", cluster_factory("alpha"))
    make_world("beta", cluster_factory("beta"))
    return found.ids


@pytest.fixture
def pages(world, browser):
    shown = Pages(browser, person("ada", Role.ADMINISTRATOR))
    yield shown
    shown.context.close()


def test_each_script_has_a_test():
    here = {name.split("_")[1] for name in globals() if name.startswith("test_")}
    assert set(OURS) - here == set(ELSEWHERE)


def test_ages_stay_true_while_a_page_is_open(pages):
    page = pages.context.new_page()
    page.clock.install()
    page.goto(reverse("mesh:matrix"))
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<time class=\"age\" id=t "
        "datetime=\"' + new Date(Date.now()).toISOString() + '\">just now</time>')"
    )
    page.clock.fast_forward("03:10")
    assert page.locator("#t").inner_text() == "3 minutes ago"


def test_table_is_no_wider_than_what_it_shows(pages):
    page = pages.open(reverse("services:grid") + "?view=nodes")
    area = page.locator(".table-wrap")
    widths = "one => [one.clientWidth, one.firstElementChild.offsetWidth]"
    assert area.evaluate("one => one.scrollWidth") <= max(area.evaluate(widths))


def test_requests_leave_the_focus_where_it_is(pages, world):
    peer = Peer.objects.get(pk=world["peer"])
    page = pages.open(reverse("history:peer", args=[peer.pk]))
    page.get_by_role("link", name="7 days").focus()
    page.keyboard.press("Enter")
    page.locator(".ranges [aria-current]", has_text="7 days").wait_for()
    assert page.evaluate("document.activeElement.innerText") == "7 days"


def test_chart_says_the_slot_that_the_arrow_keys_reach(pages, world):
    peer = Peer.objects.get(pk=world["peer"])
    for hours in (1, 5):
        at = timezone.now() - timedelta(hours=hours)
        PeerCheck.objects.create(peer=peer, at=at, outcome="passed")
    roll_up()
    page = pages.open(reverse("peers:edit_peer", args=[peer.pk]))
    chart = page.locator("[data-chart]").first
    chart.focus()
    page.keyboard.press("Home")
    first = chart.locator("[data-chart-text]").inner_text()
    page.keyboard.press("ArrowRight")
    assert chart.locator("[data-chart-text]").inner_text() != first
    assert chart.locator(".slot.is-current").count() == 1


def test_copy_puts_the_value_on_the_clipboard_or_selects_it(pages, world):
    page = pages.open(reverse("clusters:show_node", args=[world["node"]]))
    button = page.locator("[data-copy]").first
    value = button.get_attribute("data-copy")
    # Over HTTP a browser has no clipboard for a page.
    button.click()
    assert page.evaluate("getSelection().toString()") == value
    page.evaluate(
        """Object.defineProperty(navigator, "clipboard", {value:
            {writeText: async (text) => { window.copied = text; }}})"""
    )
    button.click()
    page.locator(".is-copied").wait_for()
    assert page.evaluate("copied") == value


def test_criteria_rows_come_and_go_without_a_request(pages):
    page = pages.open(reverse("peers:find"))
    rows = page.locator(".criteria-row")
    before, asked = rows.count(), len(pages.log)
    page.locator("[data-criteria-add]").last.click()
    assert rows.count() == before + 1
    assert rows.last.locator(".joint").inner_text() == "and"
    page.locator("[data-criteria-remove]").last.click()
    assert rows.count() == before
    # The last row is emptied, never taken away.
    rows.first.locator("input").first.fill("x")
    page.locator("[data-criteria-remove]").first.click()
    assert rows.count() == before
    assert rows.first.locator("input").first.input_value() == ""
    assert len(pages.log) == asked


def test_docs_list_the_operations_of_rest(pages):
    page = pages.open(reverse("docs"))
    page.locator(".opblock-tag").first.wait_for()
    assert page.locator("#swagger .opblock-tag").count() > 5


def test_matrix_is_one_stop_and_its_cells_are_reached_by_arrow_keys(pages):
    page = pages.open(reverse("mesh:matrix"))
    box = page.locator("[data-matrix]").first
    assert box.locator('tbody a[tabindex="0"]').count() == 1
    box.locator('tbody a[tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    title = page.evaluate("document.activeElement.title")
    assert page.evaluate("document.activeElement.tabIndex") == 0
    assert page.locator("[data-matrix-caption]").inner_text() == title


def test_requests_that_fail_are_said_once_and_taken_back(pages):
    page = pages.open(reverse("home"))
    notice = page.locator("#connection")
    assert notice.is_hidden()
    swap(page, 503)
    assert notice.is_visible()
    swap(page, 200)
    assert notice.is_hidden()


def swap(page, status):
    """Tell the page of an answer as htmx does."""
    page.evaluate(
        """status => document.dispatchEvent(new CustomEvent("htmx:beforeSwap", {
            detail: {xhr: {status, responseText: ""}}}))""",
        status,
    )


def test_requests_for_advice_end_before_the_form_is_sent(pages, world):
    beta = Cluster.objects.get(name="beta")
    beta.nodes.create(role="subscriber", name="sub.beta.example", address="10.9.9.9")
    page = pages.open(f"{reverse('peers:add_peer')}?cluster={world['cluster']}")
    for name in ("username", "password", "confirm_password"):
        page.fill(f"#id_{name}", "s3cret")
    page.fill("#id_address", "sub.beta.example")
    page.get_by_role("button", name="Save").click()
    page.locator("[data-held]").wait_for()
    assert page.input_value("#id_password") == "s3cret"
    assert not Peer.objects.filter(address="sub.beta.example").exists()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/inter-clustering/*-*/")
    assert Peer.objects.filter(address="sub.beta.example").exists()


def test_requests_for_advice_that_is_not_serious_hold_no_form_back(pages, world):
    page = pages.open(f"{reverse('peers:add_peer')}?cluster={world['cluster']}")
    for name in ("username", "password", "confirm_password"):
        page.fill(f"#id_{name}", "s3cret")
    page.fill("#id_address", "10.77.1.1")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/inter-clustering/*-*/")
    assert Peer.objects.filter(address="10.77.1.1").exists()


def test_table_counts_what_is_selected_and_remembers_its_density(pages):
    page = pages.open(reverse("peers:find"))
    page.locator(".select-all").check()
    chosen = page.locator("input.select-row:checked").count()
    assert chosen > 0
    assert page.locator(".bulk-bar .count").first.inner_text() == f"{chosen} selected"
    toggle = page.locator("[data-density-toggle]")
    toggle.click()
    page.reload()
    assert toggle.get_attribute("aria-pressed") == "true"


def test_theme_is_chosen_and_remembered(pages):
    page = pages.open(reverse("home"))
    page.evaluate("document.querySelector('[data-theme-choice=\"dark\"]').click()")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
