"""Settings from the environment: what means nothing stops the start."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from base.secret_settings import parse_secret
from cupadmin import setting_values as values
from cupadmin.databases import read_limits


@pytest.fixture
def env(monkeypatch):
    def with_value(text):
        monkeypatch.setenv("CUPADMIN_X", text)
        return Env(prefix="CUPADMIN_")

    return with_value


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (values.read_words, "a, b ,", ["a", "b"]),
        (values.read_sites, "berlin, rio_2", ["berlin", "rio_2"]),
        (values.read_origins, "https://a.example, https://*.b/", None),
        (values.read_name_servers, "192.0.2.1, [2001:db8::1]:53, 2001:db8::2", None),
        (values.read_address, "https://cup.example.com/console", None),
        (values.read_address, "", None),
    ],
)
def test_lists_and_addresses_are_read(env, read, text, found):
    clean = text.replace("b/", "b")
    expected = found or (clean.split(", ") if ", " in clean else clean)
    assert read(env(text), "X") == expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.read_sites, "new york"),
        (values.read_sites, "x" * 41),
        (values.read_origins, "cup.example.com"),
        (values.read_origins, "https://"),
        (values.read_origins, "https://cup.example.com/path"),
        (values.read_name_servers, "dns.example.com:53"),
        (values.read_name_servers, "192.0.2.1:99999"),
        (values.read_name_servers, "192.0.2.1:"),
        (values.read_address, "cup.example.com"),
        (values.read_address, "javascript:alert(1)"),
    ],
)
def test_what_means_nothing_is_refused(env, read, text):
    with pytest.raises(ImproperlyConfigured):
        read(env(text), "X")


def test_hosts_are_names_without_scheme_and_port(env):
    assert values.read_hosts(env("a.b, [::1],.c,*"), "X", []) == [
        "a.b",
        "[::1]",
        ".c",
        "*",
    ]
    assert values.read_hosts(env(""), "X", ["localhost"]) == ["localhost"]
    for wrong in ("https://a.b", "a.b:8000", "a b"):
        with pytest.raises(ImproperlyConfigured):
            values.read_hosts(env(wrong), "X", [])


@pytest.mark.parametrize("text", ["0", "11", "-1", "9" * 30])
def test_a_number_outside_its_limits_is_refused(env, text):
    with pytest.raises(ImproperlyConfigured):
        values.read_number(env(text), "X", 5, 1, 10)


@pytest.mark.parametrize("text", ["1", "10"])
def test_the_limits_of_a_number_are_possible(env, text):
    assert values.read_number(env(text), "X", 5, 1, 10) == int(text)


def test_a_sender_is_an_address_in_one_line(env):
    assert values.read_sender(env("Console <a@b>"), "X", "c@d") == "Console <a@b>"
    for wrong in ("a@b\nBcc: c@d", "console"):
        with pytest.raises(ImproperlyConfigured):
            values.read_sender(env(wrong), "X", "c@d")


@pytest.mark.parametrize("url", ["redis://h:6379/0", "amqps://u:p@h//"])
def test_a_broker_is_known_by_its_scheme(url):
    values.refuse_unknown_broker(url)


@pytest.mark.parametrize("url", ["nonsense", "http://h", "kafka://h", "redis://h:x/0"])
def test_another_broker_is_refused(url):
    with pytest.raises(ImproperlyConfigured):
        values.refuse_unknown_broker(url)


@pytest.mark.parametrize("url", ["nonsense", "foo://h", "submission://h:x"])
def test_a_mail_server_of_an_unknown_scheme_is_refused(url):
    with pytest.raises(ImproperlyConfigured):
        parse_secret("EMAIL_URL", values.email_settings, url)


@pytest.mark.parametrize("text", ["5", "web", "web=x", "web=-1", "web=nan", "beat=2"])
def test_a_time_limit_needs_its_kind_of_process(monkeypatch, text):
    monkeypatch.setenv("CUPADMIN_DATABASE_LOCK_TIMEOUT", text)
    with pytest.raises(ImproperlyConfigured):
        read_limits(Env(prefix="CUPADMIN_"), "web")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STALL_SECONDS", "soon"),
        ("DATABASE_LOCK_TIMEOUT", "5"),
        ("TRUSTED_ORIGINS", "cup.example.com"),
    ],
)
def test_every_process_refuses_it_without_a_traceback(tmp_path, name, value):
    saved = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
    more = {f"CUPADMIN_{name}": value, "CUPADMIN_DATA_DIR": str(tmp_path / "var")}
    for command in (
        ["manage.py", "check"],
        ["-m", "celery", "-A", "cupadmin", "beat"],
        ["-m", "gunicorn", "cupadmin.wsgi", "--bind", "127.0.0.1:0"],
    ):
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", *command],
            env=saved | more,
            cwd=configured.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode != 0
        assert f"CUPADMIN_{name}" in ended.stderr
        assert "Traceback" not in ended.stderr
