"""Passkeys in a real browser, with Chromium's own virtual authenticator."""

import re

import pytest

from tests.browser.conftest import PASSWORD

pytestmark = [pytest.mark.servers, pytest.mark.browser]

SYSTEM = "/administration/system"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def sign_in(page):
    page.goto(f"{SYSTEM}/sign-in/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in/"))


def sign_out(page):
    page.context.clear_cookies()


def by_passkey(page):
    page.goto(f"{SYSTEM}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Overview").wait_for()


def remove_passkeys(page):
    sign_out(page)
    by_passkey(page)
    page.goto(f"{SYSTEM}/second-factor/")
    page.get_by_role("link", name="Remove Passkey 1").click()
    page.get_by_role("button", name="Remove passkey").click()
    page.get_by_text("The passkey is removed").wait_for()


@pytest.fixture
def localhost(browser, console):
    """A page that no browser refuses a passkey: they take no IP address."""
    url = console.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=url)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def authenticator(localhost):
    """The device of the administrator, signed in, without a passkey yet."""
    cdp = localhost.context.new_cdp_session(localhost)
    cdp.send("WebAuthn.enable")
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    sign_in(localhost)
    yield lambda verified: cdp.send(
        "WebAuthn.setUserVerified",
        {"authenticatorId": made["authenticatorId"], "isUserVerified": verified},
    )


@pytest.fixture
def with_passkey(localhost, authenticator):
    localhost.goto(f"{SYSTEM}/second-factor/")
    localhost.get_by_role("link", name="Add passkey").click()
    localhost.get_by_role("button", name="Create passkey").click()
    localhost.get_by_text("they are not shown again").wait_for()
    yield localhost
    authenticator(True)
    remove_passkeys(localhost)


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def test_passkey_signs_in_alone_and_after_the_password(with_passkey):
    page = with_passkey
    assert page.locator("ol.codes li").count() == 10
    sign_out(page)
    by_passkey(page)
    assert heading(page) == "Overview"
    sign_out(page)
    sign_in(page)
    assert heading(page) == "Second factor"
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Overview").wait_for()


def test_device_that_does_not_know_the_person_signs_nobody_in(
    with_passkey, authenticator
):
    page = with_passkey
    sign_out(page)
    authenticator(False)
    page.goto(f"{SYSTEM}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("No passkey was used").wait_for()
    assert page.url.endswith("/sign-in/")


def test_one_device_makes_one_passkey_for_an_account(with_passkey):
    page = with_passkey
    page.goto(f"{SYSTEM}/second-factor/passkeys/add/")
    page.get_by_role("button", name="Create passkey").click()
    page.get_by_text("This device already has a passkey").wait_for()


def test_ip_address_says_that_passkeys_need_a_name(page):
    page.get_by_role("heading", name="Overview").wait_for()
    page.goto(f"{SYSTEM}/second-factor/")
    page.get_by_text("open the console by its name").wait_for()
    assert page.get_by_role("link", name="Add passkey").count() == 0


def test_pages_of_passkeys_work_under_the_policy_for_scripts(with_passkey):
    page, refused = with_passkey, []
    page.on("console", lambda message: refused.append(message.text))
    for path in ("", "passkeys/add/", "recovery-codes/", "app/"):
        answer = page.goto(f"{SYSTEM}/second-factor/{path}")
        policy = answer.header_value("content-security-policy")
        assert re.search("script-src 'self'(;|$)", policy), path
    assert not [text for text in refused if "Content Security Policy" in text]
