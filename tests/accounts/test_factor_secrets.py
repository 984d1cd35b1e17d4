"""Second factors lie in django-allauth's table; what they were before is kept."""

import hashlib
import json
import uuid
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from django.core.management.base import SystemCheckError

from accounts.checks import self_test
from accounts.secrets import SecretError, seal_secret
from tests.accounts.test_second_factor import CODE, app_code, posted, signed_in
from tests.accounts.test_second_factor import with_password as waiting

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CONFIRMED = datetime(2026, 3, 4, tzinfo=UTC)


def moved(user, codes=()):
    """Run the data migration over one second factor of before."""
    pk = uuid.uuid4()
    hashes = [hashlib.sha256(code.encode()).hexdigest() for code in codes]
    old = SimpleNamespace(
        pk=pk,
        user_id=user.pk,
        secret=seal_secret(SECRET, f"accounts.secondfactor:{pk}:secret"),
        recovery=seal_secret(
            json.dumps(hashes), f"accounts.secondfactor:{pk}:recovery"
        ),
        confirmed_at=CONFIRMED,
    )
    rows = SimpleNamespace(objects=SimpleNamespace(exclude=lambda **fields: [old]))
    models = {"SecondFactor": rows, "Authenticator": Authenticator}
    apps = SimpleNamespace(get_model=lambda app, name: models[name])
    import_module("accounts.migrations.0012_second_factors_of_allauth").move(apps, None)


def test_moved_app_signs_in(viewer):
    moved(viewer)
    assert not signed_in(waiting())
    assert signed_in(posted(waiting(), app_code(SECRET)))
    assert SECRET not in str(list(Authenticator.objects.values()))


def test_moved_recovery_codes_sign_in_once_each(viewer):
    codes = ["1234567890123456", "6543210987654321"]
    moved(viewer, codes)
    assert signed_in(posted(waiting(), "1234 5678 9012 3456"))
    assert not signed_in(posted(waiting(), codes[0]))
    assert signed_in(posted(waiting(), codes[1]))
    assert not signed_in(posted(waiting(), codes[1]))


def test_hash_of_a_moved_recovery_code_does_not_sign_in(viewer):
    moved(viewer, ["1234567890123456"])
    text = hashlib.sha256(b"1234567890123456").hexdigest()
    assert waiting().post(CODE, {"code": text}).status_code == 200
    assert not signed_in(posted(waiting(), text))


def test_moved_recovery_codes_are_not_shown_but_replaced(viewer, client_of):
    moved(viewer, ["1234567890123456"])
    page = "/administration/system/second-factor/recovery-codes/"
    client = client_of(viewer)
    assert b"1 recovery code" in client.get(page).content
    assert b"<ol" in client.post(f"{page}new/", follow=True).content
    assert not signed_in(posted(waiting(), "1234567890123456"))


def test_factor_of_a_lost_key_stops_the_migration(viewer, settings):
    settings.FIELD_KEYS = {"lost": b"l" * 32}
    pk = uuid.uuid4()
    envelope = seal_secret(SECRET, f"accounts.secondfactor:{pk}:secret")
    settings.FIELD_KEYS = {"other": b"o" * 32}
    old = SimpleNamespace(pk=pk, user_id=viewer.pk, secret=envelope, recovery="")
    rows = SimpleNamespace(objects=SimpleNamespace(exclude=lambda **fields: [old]))
    models = {"SecondFactor": rows, "Authenticator": Authenticator}
    apps = SimpleNamespace(get_model=lambda app, name: models[name])
    migration = import_module("accounts.migrations.0012_second_factors_of_allauth")
    with pytest.raises(SecretError):
        migration.move(apps, None)


@pytest.mark.parametrize("damage", ["in the clear", "v1|gone|YQ==|YQ=="])
def test_start_refuses_second_factors_that_do_not_open(viewer, monkeypatch, damage):
    monkeypatch.setattr("accounts.checks.connections.close_all", lambda: None)
    moved(viewer, ["1234567890123456"])
    self_test()
    Authenticator.objects.filter(type="totp").update(data={"secret": damage})
    with pytest.raises(SystemCheckError, match="accounts.E005"):
        self_test()
