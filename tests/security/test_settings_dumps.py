"""Settings hold passwords too; whatever prints settings must not print those."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.test import RequestFactory
from django.views.debug import (
    ExceptionReporter,
    get_default_exception_reporter_filter,
)

from accounts.masking import HiddenUrl, mask_passwords
from tests.security.leaks import search

pytestmark = pytest.mark.servers

PLANTED = {
    "database password": "Dx4-database-word",
    "broker password": "Bq7-broker-word",
    "mail password": "Em2-mail-word",
    "client secret": "Oc5-client-word",
    "proxy password": "Px6-proxy-word",
    "bind password": "Lb8-bind-word",
    "SAML key": "Sm1-saml-key-word",
    "secret key": "Sk9-secret-key-of-the-console-that-is-long-enough-to-be-one",
    "field key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}
ENVIRONMENT = {
    "CUPADMIN_DATABASE_URL": "postgres://cup:{database password}@127.0.0.1:1/cup",
    "CUPADMIN_BROKER_URL": "redis://cup:{broker password}@127.0.0.1:1/0",
    "CUPADMIN_EMAIL_URL": "submission://cup:{mail password}@127.0.0.1:1",
    "CUPADMIN_OIDC_ISSUER": "https://idp.example.com",
    "CUPADMIN_OIDC_CLIENT_ID": "console",
    "CUPADMIN_OIDC_CLIENT_SECRET": "{client secret}",
    "CUPADMIN_OIDC_PROXY": "http://cup:{proxy password}@127.0.0.1:1",
    "CUPADMIN_OIDC_DEFAULT_ROLE": "viewer",
    "CUPADMIN_SAML_METADATA_URL": "https://idp.example.com/metadata",
    "CUPADMIN_SAML_KEY": "{SAML key}",
    "CUPADMIN_SAML_PROXY": "http://cup:{proxy password}@127.0.0.1:1",
    "CUPADMIN_LDAP_URI": "ldaps://127.0.0.1:1",
    "CUPADMIN_LDAP_USER_BASE": "dc=example",
    "CUPADMIN_LDAP_BIND_DN": "cn=console",
    "CUPADMIN_LDAP_BIND_PASSWORD": "{bind password}",
    "CUPADMIN_LDAP_DEFAULT_ROLE": "viewer",
    "CUPADMIN_SECRET_KEY": "{secret key}",
    "CUPADMIN_FIELD_KEYS": '{{"1": "{field key}"}}',
}


def output(tmp_path, *command, **environment):
    """All that a process of the console with these settings prints."""
    planted = {
        name: text.format_map(PLANTED)
        for name, text in (ENVIRONMENT | environment).items()
    }
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ
        | planted
        | {
            "CUPADMIN_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        },
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "displayed"),
    [
        (["manage.py", "diffsettings", "--all"], "BROKER_URL"),
        (["manage.py", "diffsettings", "--output", "unified"], "BROKER_URL"),
        (["manage.py", "migrate", "--skip-checks"], "refused"),
        (["-m", "celery", "-A", "cupadmin", "report"], "BROKER_URL"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_no_command_prints_a_password_of_the_settings(tmp_path, command, displayed):
    text = output(tmp_path, *command)
    assert displayed in text
    assert list(search(text, PLANTED)) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgres://cup:{database password}@127.0.0.1:port/cup",
        "postgres://cup:1#{database password}@127.0.0.1/cup",
        "postgres://cup:1/{database password}@127.0.0.1/cup",
        "nonsense://cup:{database password}@127.0.0.1/cup",
    ],
)
def test_a_url_that_is_misread_is_not_repeated(tmp_path, url):
    text = output(tmp_path, "manage.py", "check", CUPADMIN_DATABASE_URL=url)
    assert text
    assert list(search(text, PLANTED)) == []


LEAK = "from django.conf import settings; print(str(settings.BROKER_URL))"


def test_planted_leak_of_a_setting_is_found(tmp_path):
    text = output(tmp_path, "manage.py", "shell", "-v0", "-c", LEAK)
    assert [leak.partition(":")[0] for leak in search(text, PLANTED)] == [
        "broker password"
    ]


@pytest.fixture
def planted(settings):
    # Django keeps the filter of the first page that it made.
    get_default_exception_reporter_filter.cache_clear()
    url = ENVIRONMENT["CUPADMIN_BROKER_URL"].format_map(PLANTED)
    settings.BROKER_URL = url
    settings.CELERY_BROKER_URL = HiddenUrl(url)
    settings.SECRET_KEY = PLANTED["secret key"]
    settings.FIELD_KEYS = {"1": PLANTED["field key"]}
    settings.SOMEBODYS_LIST = [{"url": url}, (url,)]
    yield
    get_default_exception_reporter_filter.cache_clear()


def debug_page():
    """What Django would show while developing, with the environment of the process."""
    environment = {name: text.format_map(PLANTED) for name, text in ENVIRONMENT.items()}
    request = RequestFactory().get("/", **environment)
    reporter = ExceptionReporter(request, *broken())
    return reporter.get_traceback_html() + reporter.get_traceback_text()


def broken():
    try:
        raise ValueError("broken")
    except ValueError:
        return sys.exc_info()


def test_the_page_of_an_error_shows_no_password_of_the_settings(planted, settings):
    settings.DEBUG = True
    page = debug_page()
    assert "SOMEBODYS_LIST" in page
    assert "redis://cup:********@127.0.0.1" in page
    assert list(search(page, PLANTED)) == []


def test_the_page_of_an_error_would_be_caught_without_the_filter(planted, settings):
    settings.DEBUG = True
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = (
        "django.views.debug.SafeExceptionReporterFilter"
    )
    page = debug_page()
    assert list(search(page, PLANTED))


def test_diffsettings_of_this_process_is_cleansed(planted, capsys):
    call_command("diffsettings", all=True)
    assert list(search(capsys.readouterr().out, PLANTED)) == []


@pytest.mark.parametrize(
    ("text", "displayed"),
    [
        ("redis://:word@host/0", "redis://:********@host/0"),
        ("postgres://u:w@rd@h/db", "postgres://u:********@h/db"),
        ("postgres://u:a/b#c@h/db", "postgres://u:********@h/db"),
        ("postgres://h/db?user=u&password=word&x=1", None),
        ("https://cup.example.com/a:b", "https://cup.example.com/a:b"),
        ("filesystem://localhost", "filesystem://localhost"),
        ("a@b:c", "a@b:c"),
    ],
)
def test_only_the_password_of_a_url_is_hidden(text, displayed):
    displayed = displayed or "postgres://h/db?user=u&password=********&x=1"
    assert mask_passwords(text) == displayed
    assert repr(HiddenUrl(text)) == repr(displayed)
    assert HiddenUrl(text) == text
