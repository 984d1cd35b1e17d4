"""Selected rows of a table that a poll brings up to date."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.servers

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "static" / "js"
ROW = '<tr id="row-{0}"><td><input type="checkbox" class="select-row" value="{0}">'
TABLE = '<form data-selection><table id="t"><tbody>{}</tbody></table></form>'


def table(*names):
    return TABLE.format("".join(ROW.format(name) for name in names))


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_content(table("a", "b", "c"))
    for script in ("idiomorph-ext.min.js", "table.js"):
        # The file is an extension of htmx, which this page does without.
        page.evaluate("window.htmx ??= {defineExtension() {}}")
        page.add_script_tag(path=SCRIPTS / script)
    yield page
    context.close()


@pytest.mark.browser
def test_a_poll_keeps_what_is_ticked_with_its_own_row(page):
    page.locator("[value=b]").check()
    page.evaluate(
        "html => Idiomorph.morph(document.querySelector('form'), html)",
        table("new", "c", "b"),
    )
    ticked = page.eval_on_selector_all(":checked", "boxes => boxes.map(b => b.value)")
    assert ticked == ["b"]
    assert page.locator("input").count() == 3
