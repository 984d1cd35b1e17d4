"""A real proxy signs people in, as docs/security.md says, and clients try to be others.

The console is the one of `make run`, on the database of the tests.
"""

import base64
import http.client
import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from accounts.roles import Role
from cupadmin.management.commands.run import web_command
from tests.conftest import person
from tests.deploy import conftest
from tests.deploy.conftest import free_port, tool
from tests.deploy.test_deploy import NAME, get
from tests.waiting import PATIENCE, eventually
from tests.workers import environment

pytestmark = pytest.mark.servers

GUIDE = Path(settings.BASE_DIR) / "docs" / "security.md"
SIGN_IN = "/administration/system/sign-in/"


def example(kind):
    """The example of the guide for this proxy."""
    found = re.search(rf"```{kind}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def users(folder):
    """Write a file of users for nginx."""
    hashed = subprocess.run(
        [tool("openssl"), "passwd", "-apr1", "secret"], capture_output=True, text=True
    ).stdout.strip()
    (folder / "users").write_text(f"pia:{hashed}\n")


def nginx(folder, certificate, port, console):
    users(folder)
    command = conftest.nginx(folder, certificate, port, console)
    if os.geteuid() == 0:  # its workers could not read the file of users
        whole = folder / "nginx.conf"
        whole.write_text(f"user root;\n{whole.read_text()}")
    site = folder / "site.conf"
    text = example("nginx").replace("/etc/nginx/cupadmin.users", f"{folder}/users")
    before = f"        proxy_pass http://127.0.0.1:{console};\n"
    assert before in site.read_text()
    site.write_text(site.read_text().replace(before, before + text))
    return command


def caddy(folder, certificate, port, console):
    command = conftest.caddy(folder, certificate, port, console)
    hashed = subprocess.run(
        [tool("caddy"), "hash-password", "--plaintext", "secret"],
        capture_output=True,
        text=True,
        env={"HOME": str(folder)},
    ).stdout.strip()
    outside, inside = example("caddy").split("reverse_proxy 127.0.0.1:8000 {\n")
    inside = inside[: inside.rindex("}")]
    outside = re.sub(r"pia \S+", lambda _: f"pia {hashed}", outside)
    file = folder / "Caddyfile"
    before = f"\treverse_proxy 127.0.0.1:{console} {{\n"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, outside + before + inside))
    return command


@pytest.fixture
def console(transactional_db, tmp_path):
    """The console behind a proxy at 127.0.0.1 that names people."""
    person("ada", Role.ADMINISTRATOR)
    port = free_port()
    env = environment(
        CUPADMIN_PROXIES="1",
        CUPADMIN_ALLOWED_HOSTS=NAME,
        CUPADMIN_PROXY_NETWORKS="127.0.0.1",
        CUPADMIN_PROXY_USER_HEADER="X-Remote-User",
        CUPADMIN_PROXY_GROUPS_HEADER="X-Remote-Groups",
        CUPADMIN_PROXY_ROLES="admins=administrator",
        CUPADMIN_PROXY_DEFAULT_ROLE="viewer",
    )
    command = web_command("cupadmin.wsgi", "127.0.0.1", port)
    process = subprocess.Popen(command, env=env, cwd=settings.BASE_DIR)
    yield port
    process.terminate()
    process.wait(PATIENCE)


def led_to(console, *headers):
    """Where the console itself leads a client that sends these past every proxy."""
    client = http.client.HTTPConnection("127.0.0.1", console, timeout=PATIENCE)
    client.putrequest("GET", f"{SIGN_IN}proxy/", skip_host=True)
    forwarded = [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")]
    for name, value in [("Host", NAME), *forwarded, *headers]:
        client.putheader(name, value)
    client.endheaders()
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.status, answer.headers["Location"]


def test_server_drops_names_that_wsgi_could_not_tell_apart(console):
    name, odd = ("X-Remote-User", "pia"), (302, f"{SIGN_IN}?form")
    assert eventually(lambda: accepts(console))
    assert led_to(console, ("X_Remote_User", "ada")) == (302, SIGN_IN)
    assert led_to(console, ("X-Remote_User", "ada")) == (302, SIGN_IN)
    assert led_to(console, name, ("X_REMOTE_USER", "ada")) == (302, "/")
    assert led_to(console, name, ("x-remote-user", "ada")) == odd
    assert led_to(console, name, name) == odd


def accepts(console):
    try:
        return led_to(console)[0] == 302
    except OSError:
        return False


@pytest.fixture(params=[nginx, caddy])
def proxy(request, console, certificate, tmp_path):
    port = free_port()
    command = request.param(tmp_path, certificate, port, console)
    log = (tmp_path / "log").open("wb")
    env = {"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    yield port
    process.terminate()
    process.wait(PATIENCE)
    log.close()


PIA = {"Authorization": "Basic " + base64.b64encode(b"pia:secret").decode()}
CLAIMS = [
    {},
    {"X-Remote-User": "ada"},
    {"x-remote-user": "ada"},
    {"X_Remote_User": "ada"},
    {"X_REMOTE_USER": "ada", "X-Remote-User": "ada"},
    {"X-Remote-Groups": "admins", "X_Remote_Groups": "admins"},
]


def test_nobody_is_whom_the_proxy_did_not_sign_in(proxy, certificate):
    def answers():
        try:
            return get(proxy, certificate, "/healthz", **PIA)[0] == 200
        except OSError:
            return False

    assert eventually(answers)
    for claim in CLAIMS:
        path = f"{SIGN_IN}proxy/"
        assert get(proxy, certificate, path, **claim)[0] == 401
        status, headers, page = get(proxy, certificate, path, **PIA, **claim)
        assert (status, headers["Location"]) == (302, "/"), page
        cookies = "; ".join(
            line.partition(";")[0] for line in headers.get_all("Set-Cookie")
        )
        cookie = {"Cookie": cookies}
        status, _, text = get(
            proxy, certificate, "/api/v1/me/", **PIA, **claim, **cookie
        )
        assert status == 200, text
        assert '"username":"pia"' in text
        assert '"role":"viewer"' in text
