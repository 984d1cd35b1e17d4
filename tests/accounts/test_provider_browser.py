"""Through a provider and back in a real browser, which keeps its own rules of cookies.

The console is called localhost and the provider 127.0.0.1, so each is another site for
the other.
"""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import sync_playwright

pytestmark = [
    pytest.mark.servers,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def page_of(chromium):
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        yield browser.new_page()
        browser.close()


@pytest.fixture
def site(live_server, settings):
    settings.CONSOLE_URL = live_server.url.replace("127.0.0.1", "localhost")
    return settings.CONSOLE_URL


def test_browser_signs_in_at_a_saml_provider(site, idp, adfs, chromium):
    page = Client().get(reverse("accounts:saml_metadata"))
    idp.console_metadata = page.content.decode()
    with page_of(chromium) as page:
        page.goto(f"{site}{reverse('account_login')}?next=/search/%3Fq%3Dx")
        page.get_by_text("Sign in with AD FS").click()
        page.wait_for_url(f"{site}/search/?q=x")
        assert "sam" in page.content()
        cookies = {cookie["name"] for cookie in page.context.cookies()}
        assert page.goto(f"{site}/").ok
    assert "cupadmin-sid" in cookies
    assert User.objects.get(username="sam").is_active


def test_browser_signs_in_at_an_openid_provider(site, provider, keycloak, chromium):
    with page_of(chromium) as page:
        page.goto(f"{site}{reverse('account_login')}")
        page.get_by_text("Sign in with Keycloak").click()
        page.wait_for_url(f"{site}/")
        assert "pia" in page.content()


def test_browser_proves_it_at_a_saml_provider(site, idp, adfs, chromium, settings):
    settings.SAML = replace(settings.SAML)
    settings.PROOF_MINUTES = 0
    idp.person["groups"] = ["cup-admins"]
    page = Client().get(reverse("accounts:saml_metadata"))
    idp.console_metadata = page.content.decode()
    with page_of(chromium) as page:
        page.goto(f"{site}{reverse('account_login')}")
        page.get_by_text("Sign in with AD FS").click()
        page.wait_for_url(f"{site}/")
        page.goto(f"{site}{reverse('accounts:add_user')}")
        settings.PROOF_MINUTES = 5
        page.get_by_text("Confirm at AD FS").click()
        page.wait_for_url(f"{site}{reverse('accounts:add_user')}")
        assert page.get_by_role("button", name="Add user").is_visible()
