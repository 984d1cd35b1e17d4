"""The 7.x guide from end to end, as a person carries it out."""

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from tests.browser.conftest import fill_in_cluster

pytestmark = [pytest.mark.servers, pytest.mark.browser]

PATIENCE = 60_000


def test_the_guide_ends_on_twelve_check_marks(page: Page, fresh_lab: Lab):
    first, second = fresh_lab.describe()["clusters"]
    for cluster in (first, second):
        add_cluster(page, cluster)
        confirm_certificate(page)
        discover(page)
    stop_agent(fresh_lab, second)
    add_peer(page, first, second)
    add_peer(page, second, first)
    start_agent(page, second)
    expect_all_check_marks(page, second, first)
    expect_all_check_marks(page, first, second)
    troubleshooter_finds_nothing(page)


def add_cluster(page: Page, cluster: dict) -> None:
    page.goto("/administration/system/clusters/add/")
    fill_in_cluster(page, cluster)


def confirm_certificate(page: Page) -> None:
    expect(page.get_by_role("heading", name="Certificate", exact=True)).to_be_visible()
    page.get_by_role("button", name="Confirm").click()


def discover(page: Page) -> None:
    """Discovery finds the subscriber, whose certificate is confirmed next."""
    page.get_by_role("button", name="Discover").click()
    page.get_by_role("link", name="Review the next certificate").click(timeout=PATIENCE)
    confirm_certificate(page)


def stop_agent(lab: Lab, cluster: dict) -> None:
    node = next(c for c in lab.clusters if c.name == cluster["name"]).publisher
    node.service(agent_name(cluster)).set("Stopped")


def agent_name(cluster: dict) -> str:
    old = cluster["generation"] in ("cup7", "cup8")
    return f"Cisco {'UP ' if old else ''}Intercluster Sync Agent"


def add_peer(page: Page, home: dict, remote: dict) -> None:
    page.goto("/administration/presence/inter-clustering/")
    page.get_by_role("link", name="Add New").first.click()
    page.get_by_label("Home cluster").select_option(label=home["name"])
    page.get_by_label("Peer address").fill(remote["nodes"][0]["address"])
    page.get_by_label("User name").fill(remote["intercluster_username"])
    page.get_by_label("Password", exact=False).first.fill(
        remote["intercluster_password"]
    )
    page.get_by_label("Confirm password").fill(remote["intercluster_password"])
    page.get_by_label("Preferred protocol").select_option("TCP")
    # A peer is saved at once only after its advice was shown.
    expect(page.locator("#advice .notice").first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        remote["nodes"][0]["address"]
    )


def start_agent(page: Page, cluster: dict) -> None:
    page.goto("/serviceability/control-center/")
    server = cluster["nodes"][0]["name"]
    choice = page.get_by_label("Server", exact=True)
    choice.select_option(choice.locator("option", has_text=server).text_content())
    page.get_by_role("button", name="Go").click()
    name = agent_name(cluster)
    # The last reading may be older than the stop.
    page.get_by_role("button", name="Refresh").click()
    row = page.get_by_role("row", name=name)
    expect(row).to_contain_text("Stopped", timeout=PATIENCE)
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Start", exact=False).first.click()
    page.goto("/serviceability/control-center/")
    choice.select_option(choice.locator("option", has_text=server).text_content())
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("row", name=name)).to_contain_text(
        "Started", timeout=PATIENCE
    )


def expect_all_check_marks(page: Page, home: dict, remote: dict) -> None:
    address = remote["nodes"][0]["address"]
    page.goto("/administration/presence/inter-clustering/")
    page.locator("input[name=value]").first.fill(address)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=address).first.click()
    status = page.locator("#peer-status")
    status.get_by_role("button", name="Check now").click()
    marks = status.locator(".entry .outcome.passed")
    expect(marks).to_have_count(12, timeout=PATIENCE)
    count = str(remote["users"])
    expect(status.locator("dd.num")).to_have_text([count, count])


def troubleshooter_finds_nothing(page: Page) -> None:
    page.goto("/administration/diagnostics/system-troubleshooter/")
    page.get_by_role("button", name="Check all clusters").click()
    expect(page.get_by_text("Inter-Clustering").last).to_be_visible(timeout=PATIENCE)
    expect(page.locator("td .outcome.failed")).to_have_count(0)
    assert page.locator("td .outcome.passed").count() > 0
