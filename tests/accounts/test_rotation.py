import re

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError

from accounts import checks, rotation
from accounts.models import AuditEntry
from accounts.secrets import SecretError, SecretField, seal_secret
from clusters.models import Cluster
from peers.models import Peer

NEW = {"2": b"n" * 32}


@pytest.fixture
def new_key(settings):
    """The keys after an administrator put a new one first."""
    settings.FIELD_KEYS = NEW | settings.FIELD_KEYS
    return settings


def key_ids():
    envelopes = Cluster.objects.values_list("axl_password", flat=True)
    return {envelope.split("|")[1] for envelope in envelopes}


def test_all_credentials_are_sealed_anew(
    cluster_factory, peer_factory, new_key, capsys
):
    new_key.FIELD_KEYS = {k: v for k, v in new_key.FIELD_KEYS.items() if k != "2"}
    home, remote = cluster_factory(), cluster_factory()
    peer_factory(home, remote)
    new_key.FIELD_KEYS = NEW | new_key.FIELD_KEYS
    call_command("rotate_keys")
    assert key_ids() == {"2"}
    assert Peer.objects.get().password.startswith("v1|2|")
    new_key.FIELD_KEYS = NEW
    assert Peer.objects.get().unseal("password").reveal() == "open sesame"
    assert re.search(r"Key 1 .*unused", capsys.readouterr().out)


def test_rotation_goes_on_where_it_was_interrupted(cluster_factory, settings):
    old = settings.FIELD_KEYS
    for _ in range(3):
        cluster_factory()
    settings.FIELD_KEYS = NEW | old
    first = Cluster.objects.first()
    first.seal("axl_password", "open sesame")
    first.save()
    assert rotation.rotate_batch(Cluster, "axl_password") == 2
    assert rotation.rotate_batch(Cluster, "axl_password") == 0


def test_keys_that_differ_in_case_are_two_keys(cluster_factory, settings):
    settings.FIELD_KEYS = {"a": b"m" * 32}
    cluster_factory()
    settings.FIELD_KEYS = {"A": b"n" * 32, "a": b"m" * 32}
    call_command("rotate_keys")
    assert key_ids() == {"A"}


def test_second_run_has_nothing_to_do(cluster_factory, new_key, capsys):
    cluster_factory()
    call_command("rotate_keys")
    assert "axl_password" not in capsys.readouterr().out
    assert not AuditEntry.objects.exists()


def test_tokens_keep_their_key_in_use(viewer, api, settings, capsys):
    api(viewer)
    settings.FIELD_KEYS = NEW | settings.FIELD_KEYS
    call_command("rotate_keys")
    assert rotation.keys_in_use()["1"] == 1
    assert not re.search(r"Key 1 .*unused", capsys.readouterr().out)


def test_lost_key_is_said_and_nothing_is_overwritten(cluster_factory, settings):
    cluster = cluster_factory()
    settings.FIELD_KEYS = NEW
    with pytest.raises(CommandError, match="FIELD_KEYS"):
        call_command("rotate_keys")
    sealed = Cluster.objects.get().axl_password
    assert sealed == cluster.axl_password


def errors():
    found = checks.credentials_are_sealed(None, databases=["default"])
    return [error.id for error in found]


def test_sealed_credentials_pass_the_self_test(cluster_factory):
    cluster_factory()
    assert errors() == []
    checks.self_test()


def test_bare_credential_stops_the_start(cluster_factory):
    cluster_factory()
    Cluster.objects.update(axl_password="open sesame")
    assert errors() == ["accounts.E001"]
    with pytest.raises(SystemCheckError) as caught:
        checks.self_test()
    assert "open sesame" not in str(caught.value)


def test_lost_key_stops_the_start(cluster_factory, settings):
    cluster_factory()
    settings.FIELD_KEYS = NEW
    assert errors() == ["accounts.E002"]


def test_one_lost_key_among_several_stops_the_start(cluster_factory, settings):
    known = settings.FIELD_KEYS
    cluster_factory()
    settings.FIELD_KEYS = NEW | known
    cluster_factory()
    settings.FIELD_KEYS = {"3": b"m" * 32} | NEW | known
    cluster_factory()
    settings.FIELD_KEYS = {"3": b"m" * 32} | known
    (error,) = checks.credentials_are_sealed(None, databases=["default"])
    assert error.id == "accounts.E002"
    assert re.search(r"\b1 values?\b.*'2'", error.msg)


def test_wrong_key_under_a_right_id_stops_the_start(cluster_factory, settings):
    known = settings.FIELD_KEYS
    cluster_factory()
    settings.FIELD_KEYS = NEW | known
    cluster_factory()
    settings.FIELD_KEYS = {"2": b"m" * 32} | known
    assert errors() == ["accounts.E002"]


def test_every_lost_key_is_named_with_what_needs_it(cluster_factory, settings):
    settings.FIELD_KEYS = NEW
    cluster_factory()
    settings.FIELD_KEYS = {"a": b"m" * 32}
    cluster_factory()
    settings.FIELD_KEYS = {"A": b"m" * 32}
    found = checks.credentials_are_sealed(None, databases=["default"])
    keys = "".join(error.msg for error in found)
    assert len(found) == 2 and "'2'" in keys and "'a'" in keys


def test_field_that_its_model_does_not_seal_is_an_error(monkeypatch):
    monkeypatch.setattr(Cluster, "secret_fields", ())
    found = checks.secrets_are_declared(None)
    assert {error.id for error in found} == {"accounts.E003"}


def test_broken_cipher_stops_the_start(monkeypatch):
    monkeypatch.setattr(checks, "seal_secret", lambda plain, context: f"v1|1|{plain}|")
    assert checks.canary_errors()[0].id == "accounts.E004"


def test_credential_opens_in_its_own_row_only(cluster_factory):
    one, other = cluster_factory(), cluster_factory()
    other.axl_password = one.axl_password
    with pytest.raises(SecretError, match="from another row"):
        other.unseal("axl_password")


@pytest.mark.parametrize(
    "envelope", ["x", "v1|1|x", "v2|1|AAAA|AAAA", "v1|1|AAAA|AAAA", "v1|1|é|é"]
)
def test_damaged_envelope_is_one_kind_of_error(cluster_factory, envelope):
    cluster = cluster_factory()
    cluster.axl_password = envelope
    with pytest.raises(SecretError):
        cluster.unseal("axl_password")


def test_same_credential_never_looks_the_same_twice(db):
    assert seal_secret("x", "context") != seal_secret("x", "context")


def test_secret_field_is_never_in_a_form():
    assert not SecretField().editable
