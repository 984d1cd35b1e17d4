"""The buttons that change something, and accounts that have none of them."""

from pages.controls import (
    Button,
    all_buttons,
    controls_of,
    form_of,
    names_of,
    need_button,
)
from pages.document import Element, Page
from pages.errors import PageCode, PagesError
from pages.labels import LabelledField
from pages.words import spelling, words

# Words of buttons that an account which only reads has too.
HARMLESS = ("find", "sign_out", "next", "acknowledge", "confirm", "harmless")


def changing_button(page: Page, name: str) -> Button:
    """Give a button that changes something; without any the account only reads."""
    try:
        return need_button(page, name)
    except PagesError as error:
        if error.code is not PageCode.LABEL or _changes_otherwise(page):
            raise
        detail = spelling("buttons", name)
        raise PagesError(PageCode.READ_ONLY, node=page.node, detail=detail) from None


def _changes_otherwise(page: Page) -> bool:
    """Whether the page has a button that changes something under another word."""
    harmless = {word for name in HARMLESS for word in words("buttons", name)}
    return any(
        not one.disabled
        and _acts(one.element)
        and form_of(one.part, one.element) is not None
        and not names_of(one.element) & harmless
        for one in all_buttons(page)
    )


def _acts(element: Element) -> bool:
    """Whether it does something in its page; a link leads to another page or place."""
    if element.tag != "a" or element.get("onclick"):
        return True
    return str(element.get("href") or "").strip().lower().startswith("javascript:")


def save_button(page: Page, address: LabelledField) -> Button:
    """Give the Save of the form that the fields are in."""
    button = changing_button(page, "save")
    form = button.form
    if form is None or address.first not in controls_of(address.part, form):
        raise PagesError(PageCode.SCRIPT, node=page.node, detail="Save")
    return button
