"""Few passwords are hashed at a time, by whatever way they come in."""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import hashers as django_hashers
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import hashers
from accounts.models import BrowserSession
from rest.outages import TryLater

OURS = [
    "accounts.hashers.Argon2PasswordHasher",
    "accounts.hashers.PBKDF2PasswordHasher",
]


class Meter:
    """Stands for the slow part of a hash, and counts how many run at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = self.most = self.all = 0

    def __call__(self, *args: object, **options: object) -> bool:
        with self.lock:
            self.running += 1
            self.all += 1
            self.most = max(self.most, self.running)
        time.sleep(0.1)
        with self.lock:
            self.running -= 1
        return False


@pytest.fixture
def meter(settings, monkeypatch) -> Meter:
    settings.PASSWORD_HASHERS = OURS
    meter = Meter()
    monkeypatch.setattr(django_hashers.Argon2PasswordHasher, "verify", meter)
    return meter


@pytest.fixture
def full(settings, monkeypatch):
    """All turns are taken, and nobody waits for long."""
    settings.PASSWORD_HASHERS = OURS
    monkeypatch.setattr(hashers, "TURN_TIMEOUT", 0.05)
    for _ in range(hashers.AT_ONCE):
        hashers._turns.acquire()
    yield
    for _ in range(hashers.AT_ONCE):
        hashers._turns.release()


@pytest.mark.parametrize("hasher", ["argon2", "pbkdf2_sha256"])
def test_a_password_is_recognized_as_before(settings, hasher):
    names = [name.rpartition(".")[2] for name in OURS]
    settings.PASSWORD_HASHERS = [f"django.contrib.auth.hashers.{n}" for n in names]
    stored = make_password("open sesame", hasher=hasher)
    settings.PASSWORD_HASHERS = OURS
    assert stored.startswith(hasher)
    assert check_password("open sesame", stored)
    assert not check_password("open barley", stored)


def test_of_many_checks_two_run_and_few_wait(meter):
    stored = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaA"

    def check(_: int) -> bool:
        try:
            return check_password("wrong", stored)
        except TryLater:
            return True

    with ThreadPoolExecutor(32) as pool:
        refused = sum(pool.map(check, range(32)))
    assert meter.most == hashers.AT_ONCE
    assert 0 < refused == 32 - meter.all


def test_turns_come_back_after_a_failure(full):
    for _ in range(20):
        with pytest.raises(TryLater):
            make_password("open sesame")
    assert hashers._places._value == hashers.AT_ONCE + hashers.WAITING


def test_signing_in_is_a_503_that_says_when_to_try_again(administrator, full):
    client = Client(raise_request_exception=False)
    reported = {"login": "ada", "password": "correct horse battery"}
    assert_later(client.post(reverse("account_login"), reported))
    assert_later(client.post(reverse("account_login"), reported | {"login": "nobody"}))


def test_a_first_token_is_a_503_problem(administrator, full):
    basic = base64.b64encode(b"ada:correct horse battery").decode()
    client = Client(raise_request_exception=False)
    answer = client.post(
        "/api/v1/tokens/",
        {"name": "first", "role": "viewer"},
        content_type="application/json",
        headers={"Authorization": f"Basic {basic}"},
    )
    assert_later(answer)
    assert answer.json()["code"] == "crowded"


def test_proving_the_password_is_a_503(administrator, client_of, full):
    client = client_of(administrator)
    client.raise_request_exception = False
    reported = dict.fromkeys(("oldpassword", "password1", "password2"), "x" * 14)
    assert_later(client.post(reverse("account_change_password"), reported))
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    assert_later(client.post(reverse("services:control"), {"proof_password": "x"}))


def assert_later(answer) -> None:
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
