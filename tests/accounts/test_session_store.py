from importlib import import_module

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client

SESSIONS = "/administration/system/sessions/"


@pytest.fixture
def browser(viewer, client_of):
    return client_of(viewer)


def cookie_of(client):
    return client.cookies[configured.SESSION_COOKIE_NAME]


def with_cookie(value):
    client = Client()
    client.cookies[configured.SESSION_COOKIE_NAME] = value
    return client


def store(key):
    return import_module(configured.SESSION_ENGINE).SessionStore(key)


def is_signed_in(client):
    return client.get("/").status_code == 200


def test_no_key_of_the_session_table_opens_a_session(browser):
    assert is_signed_in(browser)
    stored = [row.session_key for row in Session.objects.all()]
    assert stored and cookie_of(browser).value not in stored
    assert not any(is_signed_in(with_cookie(key)) for key in stored)


def test_session_goes_on_in_the_browser_that_has_its_key(browser):
    assert is_signed_in(with_cookie(cookie_of(browser).value))
    assert browser.get(SESSIONS).status_code == 200


def test_sign_out_deletes_the_row(browser):
    browser.post("/administration/system/sign-out/")
    assert not Session.objects.exists()


def test_session_outlives_a_change_of_the_secret_key(browser, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "b" * 60
    assert is_signed_in(browser)
    settings.SECRET_KEY_FALLBACKS = []
    assert store(cookie_of(browser).value).exists(cookie_of(browser).value)


def test_lost_secret_key_ends_every_session(browser, settings):
    settings.SECRET_KEY = "b" * 60
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "value", ['"aaaaaaaa\\000aaaaaaaa"', "x" * 5000, "é" * 32, "'; --", "A" * 32, ""]
)
def test_cookie_that_is_no_key_is_no_session(db, value, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client(headers={"cookie": f"cupadmin-sid={value}"}).get("/")
    assert answer.status_code == 302


def test_session_is_found_by_its_stored_key(browser):
    session_store = import_module("accounts.session_store")
    (key,) = session_store.stored_keys(cookie_of(browser).value)
    assert store(key)["sign_in"] and store(None).exists(key)
    store(None).delete(key)
    assert not is_signed_in(browser)


def test_database_in_trouble_is_no_ended_session(browser, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("database is locked")

    session = store(cookie_of(browser).value)
    session["a"] = 1
    monkeypatch.setattr(Session, "save", fail)
    with pytest.raises(OperationalError):
        session.save()
