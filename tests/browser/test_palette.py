"""The search field with its suggestions, the list of keys, menus by the keyboard."""

import pytest

from accounts.roles import Role
from tests.browser.in_process import Pages
from tests.conftest import person

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def page(in_process, browser, db, cluster_factory):
    cluster_factory("vienna")
    cluster_factory("vigo")
    shown = Pages(browser, person("ada", Role.ADMINISTRATOR))
    yield shown.open("/administration/system/jobs/")
    shown.context.close()


def chosen(page):
    field = page.locator("#search")
    name = field.get_attribute("aria-activedescendant")
    return page.locator(f"#{name}").inner_text() if name else None


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_keys_lead_to_the_field_and_to_a_suggestion(page, key):
    page.keyboard.press(key)
    page.locator("#palette").get_by_text("Add cluster").wait_for()
    page.keyboard.type("vien")
    page.locator("#palette").get_by_text("vienna", exact=True).wait_for()
    page.keyboard.press("ArrowDown")
    assert "vienna" in chosen(page)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="vienna", exact=True).wait_for()


def test_arrows_go_around_and_escape_keeps_what_was_typed(page):
    page.keyboard.press("/")
    page.keyboard.type("vi")
    page.locator("#palette").get_by_text("vigo", exact=True).wait_for()
    page.keyboard.press("ArrowUp")
    assert "All results" in chosen(page)
    page.keyboard.press("ArrowDown")
    assert chosen(page) is None
    page.keyboard.press("Escape")
    field = page.locator("#search")
    assert page.locator("#palette").is_hidden()
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "vi"


def test_enter_without_a_choice_searches(page):
    page.keyboard.press("/")
    page.keyboard.type("vi")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Search: vi").wait_for()


def test_suggestions_close_when_the_focus_leaves(page):
    page.keyboard.press("/")
    page.locator("#palette").get_by_text("Add cluster").wait_for()
    page.keyboard.press("Tab")
    assert page.locator("#palette").is_hidden()


def test_question_mark_lists_the_keys_but_not_while_typing(page):
    keys = page.locator("#keys")
    page.keyboard.press("/")
    page.keyboard.type("?")
    assert keys.is_hidden()
    page.locator("#content").focus()
    page.keyboard.press("?")
    assert keys.is_visible()
    page.keyboard.press("Escape")
    assert keys.is_hidden()


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_arrow_keys_move_within_and_between_menus(page):
    page.locator("nav.menus summary").first.focus()
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Overview"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Clusters"
    page.keyboard.press("End")
    assert focused(page) == "Audit"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Overview"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "Inter-Clustering"
    assert page.locator("details.menu[open]").count() == 1
    page.keyboard.press("Escape")
    assert focused(page) == "Presence"
