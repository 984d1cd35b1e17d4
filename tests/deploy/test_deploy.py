"""The units run the console, and a proxy of the examples stands in front of it."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time

import psycopg
import pytest
import redis
from django.conf import settings
from django.urls import reverse

from tests.conftest import missing
from tests.deploy import conftest
from tests.deploy.conftest import DEPLOY, UNITS, command_of, free_port, tool, unit_text
from tests.waiting import PATIENCE

pytestmark = pytest.mark.servers

NAME = "cupadmin.example.com"
POSTGRES = os.environ.get(
    "CUPADMIN_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/cupadmin"
)
# A database of its own, which is emptied.
REDIS = os.environ.get("CUPADMIN_TEST_DEPLOY_REDIS_URL", "redis://127.0.0.1:6379/8")
PROXIES = {"nginx": conftest.nginx, "caddy": conftest.caddy}


@pytest.fixture
def units(tmp_path):
    found = []
    for path in UNITS:
        copy = tmp_path / path.name.replace("@.", "@1.")
        copy.write_text(unit_text(path))
        found.append(str(copy))
    return found


def test_systemd_accepts_the_units(units):
    verify = [tool("systemd-analyze"), "verify", "--man=no", *units]
    ended = subprocess.run(verify, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_units_are_exposed_to_little(units):
    for unit in units:
        ended = subprocess.run(
            [tool("systemd-analyze"), "security", "--offline=true", "--threshold=20"]
            + ["--no-pager", unit],
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_nginx_accepts_its_example(tmp_path, certificate):
    command = conftest.nginx(tmp_path, certificate, free_port(), free_port())
    ended = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "warn" not in ended.stderr


def test_caddy_accepts_its_example(tmp_path, certificate):
    command = conftest.caddy(tmp_path, certificate, free_port(), free_port())
    command[1] = "validate"
    ended = subprocess.run(
        command, capture_output=True, text=True, env={"HOME": str(tmp_path)}
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def servers():
    """URLs of a new database of PostgreSQL and of an empty one of Redis."""
    name = f"cupadmin_deploy_{os.getpid()}"
    base = POSTGRES.rpartition("/")[0]
    try:
        redis.Redis.from_url(REDIS).flushdb()
        psycopg.connect(f"{base}/postgres", connect_timeout=30).close()
    except (psycopg.OperationalError, redis.ConnectionError) as error:
        missing("postgres", f"PostgreSQL or Redis does not answer ({error})")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{base}/{name}", REDIS
        for each in (name, f"{name}_restored"):
            server.execute(f"DROP DATABASE IF EXISTS {each} WITH (FORCE)")


def read_env(folder, database, broker):
    """The example of the environment, with the secrets in files of this test."""
    pairs = dict(
        line.split("=", 1)
        for line in (DEPLOY / "cupadmin.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    pairs["CUPADMIN_DATA_DIR"] = str(folder / "data")
    key = "A" * 43 + "="
    secrets = {
        "secret_key": "k" * 60,
        "field_keys.json": f'{{"1": "{key}"}}',
        "database_url": database,
        "broker_url": broker,
    }
    for name, text in secrets.items():
        (folder / name).write_text(f"{text}\n")
    for name, value in pairs.items():
        pairs[name] = value.replace("/etc/cupadmin", str(folder))
    own = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
    return own | pairs | {"DJANGO_SETTINGS_MODULE": "cupadmin.settings"}


def manage(env, *command):
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        env=env,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def console(tmp_path_factory, servers):
    """Web server, worker and beat as the units start them: port and environment."""
    folder, port = tmp_path_factory.mktemp("console"), free_port()
    env = read_env(folder, *servers)
    manage(env, "migrate", "--verbosity", "0")
    manage(env, "collectstatic", "--noinput")
    password = {"CUPADMIN_PASSWORD": "correct horse battery"}
    manage(env | password, "create_user", "admin", "--role", "administrator")
    started = [
        subprocess.Popen(command_of(unit, port), env=env, cwd=settings.BASE_DIR)
        for unit in UNITS
    ]
    yield port, env
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM)


@pytest.fixture(params=sorted(PROXIES))
def proxy(request, console, certificate, tmp_path):
    """The port of a proxy in front of the console."""
    port = free_port()
    command = PROXIES[request.param](tmp_path, certificate, port, console[0])
    log = (tmp_path / "log").open("wb")
    env = os.environ | {"HOME": str(tmp_path)}
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    yield port
    process.terminate()
    process.wait(PATIENCE)
    log.close()


def get(port, certificate, path, **headers):
    """Ask over TLS, with the certificate checked, for the name of the examples."""
    context = ssl.create_default_context(cafile=str(certificate / "fullchain.pem"))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as encrypted,
    ):
        client = http.client.HTTPConnection(NAME)
        client.sock = encrypted
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def test_the_console_is_ready_behind_the_proxy(proxy, certificate):
    deadline = time.monotonic() + PATIENCE
    status, text = 0, ""
    while status != 200:
        assert time.monotonic() < deadline, text
        try:
            status, _, text = get(proxy, certificate, "/readyz?deep=1")
        except OSError as error:
            text = str(error)
        time.sleep(0.5)
    status, headers, page = get(proxy, certificate, reverse("account_login"))
    assert status == 200
    assert headers["Strict-Transport-Security"]
    assert "__Host-csrf=" in headers["Set-Cookie"]


def test_no_client_claims_another_scheme(proxy, certificate):
    ready_behind(proxy, certificate)
    claim = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    # What came over http would be led to https.
    path = reverse("account_login")
    assert get(proxy, certificate, path, **claim)[0] == 200


def ready_behind(proxy, certificate):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if get(proxy, certificate, "/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("the console does not answer behind the proxy")


def test_a_backup_is_restored_as_the_guide_says(console, servers, tmp_path):
    database, broker = servers
    dump, restored = tmp_path / "cupadmin.dump", f"{database}_restored"
    for command in (
        ["pg_dump", "--format=custom", f"--file={dump}", database],
        ["createdb", f"--maintenance-db={database}", restored.rpartition("/")[2]],
        ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored}", dump],
    ):
        program, *arguments = command
        subprocess.run([tool(program), *arguments], check=True, capture_output=True)
    (tmp_path / "data").mkdir()
    env = read_env(tmp_path, restored, broker)
    manage(env, "migrate", "--check")
    manage(env, "verify_audit")
