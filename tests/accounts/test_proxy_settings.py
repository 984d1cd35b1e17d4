"""What the settings of a proxy that names people must be, and how servers treat it."""

import re
import subprocess
import sys
from dataclasses import replace
from unittest import mock

import pytest
from django.conf import settings as configured
from environs import Env

from accounts.identity_checks import proxy_errors, sign_in_is_configured
from accounts.identity_settings import Admission, ProxyHeader, read_proxy_header
from tests.workers import environment

GOOD = ProxyHeader(
    user="X-Remote-User",
    networks=["10.0.0.9/32", "fd00::/64"],
    groups="X-Remote-Groups",
    admission=Admission(roles={"staff": "viewer"}),
)
RULES = Admission(roles={"staff": "viewer"})


@pytest.fixture(autouse=True)
def one_proxy(settings):
    settings.PROXIES = 1


def test_good_settings_pass(settings):
    settings.PROXY_HEADER = GOOD
    assert sign_in_is_configured(None) == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"user": ""}, "E040"),
        ({"networks": []}, "E042"),
        ({"networks": ["0.0.0.0/0"]}, "E043"),
        ({"networks": ["10.0.0.9/32", "10.0.0.0/15"]}, "E043"),
        ({"networks": ["::/0"]}, "E043"),
        ({"networks": ["fd00::/63"]}, "E043"),
        ({"user": "X_Remote_User"}, "E044"),
        ({"user": "X-Remote-User:"}, "E044"),
        ({"user": "X Remote"}, "E044"),
        ({"user": "Cookie"}, "E044"),
        ({"user": "Authorization"}, "E044"),
        ({"user": "x-forwarded-for"}, "E044"),
        ({"user": "User-Agent"}, "E044"),
        ({"groups": "Host"}, "E044"),
        ({"email": "Sec-Fetch-Site"}, "E044"),
        ({"full_name": "É"}, "E044"),
        ({"groups": "x-remote-user"}, "E045"),
        ({"groups": ""}, "E046"),
        ({"groups": "", "admission": Admission(required_group="x")}, "E046"),
        ({"separator": ""}, "E047"),
        ({"separator": "||"}, "E047"),
        ({"sign_out_url": "http://gate.example.com/"}, "E048"),
        ({"sign_out_url": "//gate.example.com/"}, "E048"),
        ({"sign_out_url": "/\\gate.example.com/"}, "E048"),
        ({"sign_out_url": "javascript:alert(1)"}, "E048"),
        ({"admission": Admission(roles={"a": "root"})}, "E015"),
    ],
)
def test_bad_settings_are_refused(fields, error):
    found = [one.id for one in proxy_errors(replace(GOOD, **fields))]
    assert f"accounts.{error}" in found


@pytest.mark.parametrize("url", ["/oauth2/sign_out", "https://gate.example.com/bye"])
def test_page_for_signing_out_is_a_path_or_an_encrypted_address(url):
    assert list(proxy_errors(replace(GOOD, sign_out_url=url))) == []


def test_no_declared_proxy_is_refused(settings):
    settings.PROXIES = 0
    assert [one.id for one in proxy_errors(GOOD)] == ["accounts.E041"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"CUPADMIN_PROXIES": "0"}, "accounts.E041"),
        ({"CUPADMIN_PROXY_NETWORKS": ""}, "accounts.E042"),
        ({"CUPADMIN_PROXY_NETWORKS": "0.0.0.0/0"}, "accounts.E043"),
        ({"CUPADMIN_PROXY_NETWORKS": "gate"}, "'gate'"),
        ({"CUPADMIN_PROXY_USER_HEADER": ""}, "accounts.E040"),
    ],
)
def test_console_does_not_start_with_half_of_it(more, said):
    good = {
        "CUPADMIN_PROXIES": "1",
        "CUPADMIN_PROXY_USER_HEADER": "X-Remote-User",
        "CUPADMIN_PROXY_NETWORKS": "127.0.0.1",
        "CUPADMIN_PROXY_DEFAULT_ROLE": "viewer",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment(**good | more),
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert said in re.sub(r"\s+", " ", ended.stderr)


def read(networks=(), **given):
    with mock.patch.dict(
        "os.environ", {f"CUPADMIN_PROXY_{k}": given[k] for k in given}
    ):
        return read_proxy_header(Env(prefix="CUPADMIN_"), networks)


def test_settings_are_read():
    found = read(
        ["10.0.0.9/32"],
        USER_HEADER="X-Remote-User",
        GROUPS_HEADER="X-Remote-Groups",
        GROUPS_SEPARATOR="|",
        EMAIL_HEADER="X-Remote-Email",
        FULL_NAME_HEADER="X-Remote-Name",
        NAME="Gate",
        SIGN_OUT_URL="/bye",
        SECOND_FACTOR="true",
        ROLES="staff=viewer",
        REQUIRED_GROUP="staff",
        CREATE_ACCOUNTS="false",
    )
    assert replace(found, admission=RULES).__dict__ == {
        "user": "X-Remote-User",
        "networks": ("10.0.0.9/32",),
        "groups": "X-Remote-Groups",
        "separator": "|",
        "email": "X-Remote-Email",
        "full_name": "X-Remote-Name",
        "name": "Gate",
        "sign_out_url": "/bye",
        "second_factor": True,
        "admission": RULES,
    }
    assert found.admission == Admission(
        roles={"staff": "viewer"}, required_group="staff", create_accounts=False
    )


def test_nothing_set_is_no_proxy():
    assert read() is None
    assert read(NAME="Gate") is None
    assert read(ROLES="staff=viewer") is not None
