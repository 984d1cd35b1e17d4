"""What kind of page a node answered, before anything is done on it."""

from collections.abc import Callable

from pages.controls import by_word, controls_of
from pages.document import Element, Page, Part, short_of
from pages.errors import PageCode, PagesError
from pages.labels import is_field
from pages.words import contains_message, languages, plain, words

Known = Callable[[Page], bool]
_HEADINGS = ("h1", "h2", "h3", "h4", "legend", "title")
_WORDED = ("a", "button", "label", "td", "th", "span", "legend", "p", "div", "b", "li")
_FIRST = (
    ("session_limit", PageCode.SESSION_LIMIT),
    ("security", PageCode.TOKEN),
    ("host", PageCode.HOST),
    ("publisher", PageCode.OTHER_NODE),
)
_THEN = (("locked", PageCode.LOCKED), ("denied", PageCode.DENIED))


def sign_in_form(page: Page) -> tuple[Part, Element] | None:
    """Give the form with one password and a button to sign in, if the page has one."""
    for part, form in page.elements("form"):
        secrets = [one for one in controls_of(part, form) if _secret(one)]
        if len(secrets) != 1:
            continue
        action = str(form.get("action") or "").lower()
        if "j_security_check" in action or by_word(page, "sign_in", within=form):
            return part, form
    return None


def _secret(control: Element) -> bool:
    kind = str(control.get("type") or "").lower()
    return kind == "password" and is_field(control)


def orphan_password(page: Page) -> bool:
    """Whether a password is asked for outside of any form."""
    return any(
        _secret(one) and not any(True for _ in one.iterancestors("form"))
        for _, one in page.elements("input")
    )


def sends_to_provider(page: Page) -> bool:
    """Whether the page is a form that a browser sends on to an identity provider."""
    return any(
        str(one.get("name") or "").casefold() == "samlrequest"
        for _, one in page.elements("input")
    )


def signed_in(page: Page) -> bool:
    """Whether the page offers to sign out, or has the menu of the administration."""
    return bool(by_word(page, "sign_out")) or has_menu(page)


def has_menu(page: Page) -> bool:
    known = set(words("menu", "top"))
    texts = {plain(short_of(one, 60)) for _, one in page.elements("a", "span", "li")}
    return len(known & texts) >= 2


def expect_page(page: Page, known: Known, what: str) -> Page:
    """Give the page back if it is the expected one.

    Raises:
        PagesError: what it is instead, as far as it says.
    """
    if page.status < 400 and known(page):
        return page
    raise unexpected_page(page, what)


def unexpected_page(page: Page, what: str) -> PagesError:
    """Say what a page is that was not expected."""
    name = page.node
    text = page.text[:20_000]
    for message, code in _FIRST:
        if contains_message(text, message):
            return PagesError(code, node=name)
    if sign_in_form(page):
        # Its banner may speak of access that is denied to others.
        return PagesError(PageCode.SESSION_ENDED, node=name)
    for message, code in _THEN:
        if contains_message(text, message):
            return PagesError(code, node=name)
    if page.status in (401, 403):
        return PagesError(PageCode.DENIED, node=name)
    if contains_message(text, "single_sign_on") or sends_to_provider(page):
        return PagesError(PageCode.SINGLE_SIGN_ON, node=name)
    if page.status >= 400:
        detail = f"HTTP {page.status} instead of {what}"
        return PagesError(PageCode.UNRECOGNISED, node=name, detail=detail)
    if is_other_language(page):
        return PagesError(PageCode.LANGUAGE, node=name, detail=what)
    if any(page.elements("noscript")) and not signed_in(page):
        return PagesError(PageCode.SCRIPT, node=name, detail=what)
    return PagesError(PageCode.UNRECOGNISED, node=name, detail=f"instead of {what}")


def is_other_language(page: Page) -> bool:
    """Whether the page says, or shows by its words, that it is not in English."""
    if page.language:
        return not page.language.startswith("en")
    letters = [one for one in page.text[:4000] if one.isalpha()]
    other = sum(not one.isascii() for one in letters)
    if len(letters) > 20 and other > len(letters) / 5:
        return True
    return language_of(page) not in ("", "en")


def language_of(page: Page) -> str:
    """Give the language whose words of a sign-in page or menu the page shows most."""
    texts = {plain(short_of(one, 60)) for _, one in page.elements(*_WORDED)}
    for _, one in page.elements("input"):
        texts.add(plain(str(one.get("value") or "")))
    counts = {name: len(texts & known) for name, known in languages().items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["en"] else ""


def headings(page: Page) -> list[str]:
    """Give titles and headings, in the page's order."""
    found = []
    for _, element in page.elements(*_HEADINGS, "td", "div", "span"):
        named = "title" in str(element.get("class") or "").lower()
        if element.tag in _HEADINGS or named:
            found.append(short_of(element))
    return [text for text in dict.fromkeys(found) if text]
