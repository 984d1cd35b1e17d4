"""What an administrator does most: without JavaScript, and by keyboard alone.

Each on a console and two clusters of its own, from the first cluster to the last peer.
"""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from lab import Lab
from tests.browser.conftest import fill_in_cluster, running_console, sign_in

pytestmark = [pytest.mark.servers, pytest.mark.browser]

# How often Tab may be pressed until something must have been reached.
FARTHEST = 120
NAME = """() => {
    const one = document.activeElement;
    const label = one.labels?.[0]?.innerText || one.getAttribute("aria-label");
    return (label || one.innerText || one.value || one.title || "").trim();
}"""


@pytest.fixture
def own_lab():
    options = {"users": (5, 4), "versions": ("8.6", "9.1")}
    with Lab(clusters=2, nodes=1, network="auto", **options) as lab:
        yield lab


@pytest.fixture
def own_console(chromium, own_lab, tmp_path):
    with running_console(own_lab, tmp_path) as url:
        yield url


def page_of(browser, url: str, **options: object) -> Page:
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page)
    page.get_by_role("heading", name="Overview").wait_for()
    return page


def reload_until(page: Page, found: Locator) -> None:
    """A page that does not renew itself says so; then a person does it."""
    deadline = time.monotonic() + 60
    while not found.first.is_visible():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        time.sleep(0.5)
        page.reload()


def test_everything_is_done_without_javascript(browser, own_console, own_lab):
    page = page_of(browser, own_console, java_script_enabled=False)
    for cluster in own_lab.describe()["clusters"]:
        add_cluster(page, cluster)
        page.get_by_role("button", name="Confirm").click()
        check_cluster(page, cluster)
        page.goto("/administration/system/clusters/")
        row = page.get_by_role("row", name=cluster["name"])
        reload_until(page, row.locator(".outcome", has_text="Ok"))
    acknowledge_a_problem(page)
    set_up_peering(page)
    check_peer(page)
    delete_peering(page)
    page.context.close()


def add_cluster(page: Page, cluster: dict) -> None:
    page.goto("/administration/system/clusters/")
    page.get_by_role("link", name="Add cluster").first.click()
    fill_in_cluster(page, cluster)


def check_cluster(page: Page, cluster: dict) -> None:
    page.goto("/administration/system/clusters/")
    page.get_by_role("link", name=cluster["name"], exact=True).click()
    page.get_by_role("button", name="Test", exact=True).click()


def acknowledge_a_problem(page: Page) -> None:
    page.goto("/overview/problems/")
    first = page.locator("[id^=problem-]").first
    first.get_by_text("Acknowledge or snooze").click()
    first.get_by_label("Note").fill("known")
    first.get_by_role("button", name="Acknowledge").click()
    page.goto("/overview/problems/?acknowledged=true")
    expect(page.locator("main")).to_contain_text("known")


def set_up_peering(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Set up a peering").first.click()
    for number in (1, 2):
        page.locator("main select").nth(number - 1).select_option(index=number)
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Set up").click()
    reload_until(page, page.locator(".pill", has_text="Succeeded"))


def check_peer(page: Page) -> None:
    page.goto("/administration/presence/inter-clustering/")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Show the status").click()
    page.get_by_role("button", name="Check now").click()
    page.get_by_role("link", name="Show the status").click()
    reload_until(page, page.get_by_text("The associated users equal"))
    expect(page.locator("#peer-status .entry .outcome.passed")).to_have_count(12)


def delete_peering(page: Page) -> None:
    page.goto("/administration/presence/inter-clustering/")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Delete").first.click()
    page.get_by_role("button", name="Delete peer").click()
    page.goto("/administration/presence/inter-clustering/")
    reload_until(page, page.get_by_text("No peers"))


def test_everything_is_done_by_keyboard_alone(browser, own_console, own_lab):
    page = page_of(browser, own_console)
    first, second = own_lab.describe()["clusters"]
    for cluster in (first, second):
        type_cluster(page, cluster)
        press(page, "Confirm")
        page.get_by_role("heading", name=cluster["name"], exact=True).wait_for()
        press(page, "Test")
        expect(page.locator("#cluster-health")).to_contain_text("Ok", timeout=60_000)
    keys_are_listed(page)
    type_note_on_a_problem(page)
    type_peering(page, first, second)
    go_to_peer(page, second["nodes"][0]["name"])
    press(page, "Check now")
    marks = page.locator("#peer-status .entry .outcome.passed")
    expect(marks).to_have_count(12, timeout=60_000)
    press(page, "Delete")
    page.get_by_role("button", name="Delete peer").wait_for()
    press(page, "Delete peer")
    page.get_by_role("heading", name="Delete").wait_for(state="hidden")
    page.goto("/administration/presence/inter-clustering/")
    reload_until(page, page.get_by_text("No peers"))
    page.context.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what bears the name has the focus."""
    seen = []
    for _ in range(FARTHEST):
        if page.evaluate(NAME).startswith(name):
            return
        page.keyboard.press("Tab")
        seen.append(page.evaluate(NAME)[:40])
    raise AssertionError(f"{name} is not reached: {seen}")


def press(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def enter(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.type(text)


def choose_suggestion(page: Page, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    # What was suggested before is replaced once the search is done.
    first = page.locator("#palette [role=option]").first
    expect(first).to_contain_text(text)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def choose_in_menu(page: Page, menu: str, item: str) -> None:
    tab_to(page, menu)
    for _ in range(FARTHEST):
        page.keyboard.press("ArrowDown")
        if page.evaluate(NAME) == item:
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Inter-Clustering").wait_for()


def type_cluster(page: Page, cluster: dict) -> None:
    publisher = cluster["nodes"][0]
    choose_suggestion(page, "Add cluster")
    page.get_by_label("AXL user name").wait_for()
    enter(page, "Name", cluster["name"])
    enter(page, "Domain", cluster["domain"])
    enter(page, "AXL user name", cluster["axl_username"])
    enter(page, "AXL password", cluster["axl_password"])
    enter(page, "Provisioning", "Direct")
    enter(page, "Publisher address", publisher["address"])
    enter(page, "Publisher name", publisher["name"])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Certificate", exact=True).wait_for()


def keys_are_listed(page: Page) -> None:
    page.keyboard.press("?")
    page.locator("#keys").wait_for()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")


def type_note_on_a_problem(page: Page) -> None:
    choose_suggestion(page, "All problems")
    page.locator("[id^=problem-]").first.wait_for()
    press(page, "Acknowledge or snooze")
    enter(page, "Note", "known")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto("/overview/problems/?acknowledged=true")
    expect(page.locator("main")).to_contain_text("known")


def type_peering(page: Page, first: dict, second: dict) -> None:
    choose_suggestion(page, "Set up a peering")
    page.get_by_role("button", name="Show the plan").wait_for()
    for number, cluster in enumerate((first, second)):
        label = page.locator("main select").nth(number).evaluate("one => one.id")
        name = page.locator(f"label[for={label}]").inner_text().split("\n")[0]
        enter(page, name.strip(" *"), cluster["name"])
    press(page, "Show the plan")
    page.get_by_role("button", name="Set up").wait_for()
    press(page, "Set up")
    expect(page.locator("#job .pill").first).to_contain_text(
        "Succeeded", timeout=90_000
    )


def go_to_peer(page: Page, address: str) -> None:
    choose_in_menu(page, "Presence", "Inter-Clustering")
    press(page, address)
    page.locator("#peer-status").wait_for()
