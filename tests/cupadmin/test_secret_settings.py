"""Secrets of the settings, each from a variable or from a file."""

import json
import os
import subprocess
import sys
from base64 import b64encode

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from accounts.identity_settings import read_ldap, read_oidc
from base.secret_settings import parse_secret, read_secret, split_secrets, take_secret

FIELD_KEYS = json.dumps({"1": b64encode(b"k" * 32).decode()})
SECRETS = {
    "SECRET_KEY": ("x" * 60, "settings.SECRET_KEY"),
    "SECRET_KEY_FALLBACKS": ("a,b", "','.join(settings.SECRET_KEY_FALLBACKS)"),
    "FIELD_KEYS": (FIELD_KEYS, "str(settings.FIELD_KEYS)"),
    "DATABASE_URL": ("postgres://u:p@h/n", "settings.DATABASES['default']['PASSWORD']"),
    "BROKER_URL": ("redis://u:p@h/0", "str(settings.BROKER_URL)"),
    "ADMIN_PASSWORD": ("open sesame", "settings.ADMIN_PASSWORD"),
    "EMAIL_URL": ("submission://u:p@h:587", "settings.EMAIL_HOST_PASSWORD"),
    "OIDC_CLIENT_SECRET": ("s3", "settings.OIDC.client_secret"),
    "OIDC_PROXY": ("http://u:p@h:1", "settings.OIDC.proxy"),
    "LDAP_BIND_PASSWORD": ("s4", "settings.LDAP.bind_password"),
}
OTHERS = {
    "CUPADMIN_OIDC_ISSUER": "https://idp.example.com",
    "CUPADMIN_OIDC_CLIENT_ID": "console",
    "CUPADMIN_LDAP_URI": "ldaps://ldap.example.com",
    "CUPADMIN_LDAP_USER_BASE": "dc=example",
}


@pytest.fixture
def env(monkeypatch):
    def with_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"CUPADMIN_{name}", str(value))
        return Env(prefix="CUPADMIN_")

    return with_variables


def console(folder, *command, **environment):
    """Run a process of the console; pytest's own variables of it are left out."""
    saved = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env=saved
        | {"CUPADMIN_DATA_DIR": str(folder / "var")}
        | {"DJANGO_SETTINGS_MODULE": "cupadmin.settings"}
        | environment,
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )


def settings_read(folder, **environment):
    """What each setting is, as a process of its own reads it."""
    what = {name: expression for name, (_, expression) in SECRETS.items()}
    script = (
        "import json; from django.conf import settings; "
        f"print(json.dumps({{n: eval(e) for n, e in {what!r}.items()}}))"
    )
    done = console(folder, "-c", script, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_secret_reads_the_same_from_a_file_as_from_its_variable(tmp_path):
    plain, in_files = dict(OTHERS), dict(OTHERS)
    for name, (value, _) in SECRETS.items():
        path = tmp_path / name
        path.write_text(f"{value}\n")
        plain[f"CUPADMIN_{name}"] = value
        in_files[f"CUPADMIN_{name}_FILE"] = str(path)
    found = settings_read(tmp_path, **in_files)
    assert found == settings_read(tmp_path, **plain)
    assert found["DATABASE_URL"] == "p" and found["LDAP_BIND_PASSWORD"] == "s4"


@pytest.mark.parametrize("name", SECRETS)
def test_secret_in_both_forms_stops_the_start(env, tmp_path, name):
    (tmp_path / "file").write_text("secret")
    variables = {name: "secret", f"{name}_FILE": tmp_path / "file"}
    with pytest.raises(
        ImproperlyConfigured, match=f"CUPADMIN_{name} .* CUPADMIN_{name}_FILE "
    ):
        read_secret(env(**variables), name)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"a\0b"])
def test_file_without_a_secret_stops_the_start(env, tmp_path, content):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=f"DATABASE_URL_FILE names {path}"):
        read_secret(env(DATABASE_URL_FILE=path), "DATABASE_URL")


def test_folder_for_a_file_stops_the_start(env, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="Is a directory"):
        read_secret(env(BROKER_URL_FILE=tmp_path), "BROKER_URL")


def test_secrets_of_providers_obey_the_same_rule(env, tmp_path):
    both = {"OIDC_CLIENT_SECRET": "a", "OIDC_CLIENT_SECRET_FILE": tmp_path / "file"}
    with pytest.raises(ImproperlyConfigured, match="OIDC_CLIENT_SECRET"):
        read_oidc(env(**both))
    both = {"LDAP_BIND_PASSWORD": "a", "LDAP_BIND_PASSWORD_FILE": tmp_path / "file"}
    with pytest.raises(ImproperlyConfigured, match="LDAP_BIND_PASSWORD"):
        read_ldap(env(LDAP_URI="ldaps://h", **both))


def test_password_of_the_first_user_leaves_the_environment(env):
    assert take_secret(env(ADMIN_PASSWORD="open sesame"), "ADMIN_PASSWORD")
    assert "CUPADMIN_ADMIN_PASSWORD" not in os.environ


@pytest.mark.servers
def test_children_do_not_inherit_the_password_of_the_first_user(tmp_path):
    script = (
        "import subprocess; from django.conf import settings; "
        "print(settings.ADMIN_PASSWORD); subprocess.run(['env'])"
    )
    word = "Ap1-admin-word"
    done = console(tmp_path, "-uc", script, CUPADMIN_ADMIN_PASSWORD=word)
    assert done.stdout.startswith(word)
    assert word not in done.stdout.removeprefix(word)


def test_url_that_cannot_be_read_is_refused_without_showing_it():
    def fail(text):
        raise ValueError(text)

    with pytest.raises(ImproperlyConfigured) as caught:
        parse_secret("DATABASE_URL", fail, "x://u:geheim@h")
    assert "geheim" not in str(caught.value) and caught.value.__suppress_context__


def test_former_keys_stand_one_a_line_or_by_commas():
    assert split_secrets("a, b\nc\n\n") == ["a", "b", "c"]


BROKEN = {
    "secret_key": ["", "\0"],
    "field_keys.json": ["", '{"1": "x', "[]", "{}", '{"a|b": "' + "A" * 43 + '="}'],
}
START = {
    "command": ["manage.py", "check"],
    "worker": ["-m", "celery", "-A", "cupadmin", "worker"],
    "beat": ["-m", "celery", "-A", "cupadmin", "beat"],
    "web": ["-c", "import cupadmin.wsgi"],
}


@pytest.mark.servers
@pytest.mark.parametrize("start", START)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_key_file_is_a_sentence_at_start(tmp_path, name, start):
    (tmp_path / "var").mkdir()
    for text in BROKEN[name] if start == "command" else BROKEN[name][:1]:
        (tmp_path / "var" / name).write_text(text)
        done = console(tmp_path, *START[start])
        assert done.returncode
        assert "cupadmin cannot start. " in done.stderr and name in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.servers
def test_database_that_is_away_is_a_sentence_at_start(tmp_path):
    url = "postgres://cup:geheim@127.0.0.1:1/cup"
    done = console(tmp_path, "manage.py", "migrate", CUPADMIN_DATABASE_URL=url)
    assert done.returncode and "does not answer" in done.stderr
    assert "Traceback" not in done.stderr and "geheim" not in done.stderr


@pytest.mark.servers
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_NETWORKS", "10.0.0.0/8,10.0.0.1/8"),
        ("METRICS_NETWORKS", "nonsense"),
        ("WEBHOOK_NETWORKS", "10.0.0.0/33"),
        ("ALLOWED_PORTS", "https"),
        ("ALLOWED_PORTS", "70000"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("SWEEP_INTERVAL", "often"),
    ],
)
def test_wrong_setting_is_a_sentence_at_start(tmp_path, name, value):
    done = console(tmp_path, "manage.py", "check", **{f"CUPADMIN_{name}": value})
    assert done.returncode and "Traceback" not in done.stderr
    assert f"CUPADMIN_{name}" in done.stderr
