"""Signing in at a SAML provider: accounts, roles, proof, connecting."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import users
from accounts.models import AuditEntry, BrowserSession, GroupMapping, Identity
from accounts.roles import Role, role_of
from tests.accounts.saml import LOGIN, START, ask_idp, back, change, post, sam, sign_in
from tests.elements import codes_in

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("adfs")]

ADD = "/administration/system/users/add/"
PASSWORD = "correct horse battery"


def test_button_is_there_only_where_a_provider_is_configured(db, settings):
    assert START.encode() in Client().get(LOGIN).content
    settings.SAML = None
    assert b"AD FS" not in Client().get(LOGIN).content
    assert Client().get(START).url == LOGIN


def test_first_sign_in_makes_an_account_with_the_role_of_its_groups(db, idp):
    client, response = sign_in()
    assert response.url == "/"
    assert client.get("/").status_code == 200
    user = sam()
    assert (user.first_name, user.last_name) == ("Sam", "Saml")
    assert user.email == "sam@example.com"
    assert role_of(user) == Role.OPERATOR
    assert not user.has_usable_password()
    identity = Identity.objects.get(user=user)
    assert (identity.provider, identity.uid) == (f"saml:{idp.entity_id}", "s-1")
    assert AuditEntry.objects.get(action="add user").actor == "AD FS"
    entry = AuditEntry.objects.get(action="sign in")
    assert entry.changes == {"with": [None, "identity provider"]}


def test_groups_give_clusters_too(db, cluster_factory):
    alpha = cluster_factory("alpha")
    fields = {"role": "viewer", "clusters": [str(alpha.pk)]}
    GroupMapping.objects.create(provider="saml", group="cup-operators", **fields)
    sign_in()
    assert role_of(sam()) == Role.VIEWER
    assert users.limit_of(sam()) == [str(alpha.pk)]


def test_second_sign_in_finds_the_account_whatever_it_is_named_now(db, idp):
    sign_in()
    idp.person |= {"uid": ["sam.new"], "groups": ["cup-admins", "x"]}
    sign_in()
    assert role_of(sam()) == Role.ADMINISTRATOR


def test_sign_in_leads_on_to_the_page_that_was_asked_for(db):
    assert sign_in(url=f"{START}?next=/search/%3Fq%3Dx")[1].url == "/search/?q=x"
    assert sign_in(url=f"{START}?next=//evil.example")[1].url == "/"


def test_person_without_a_mapped_group_is_refused(db, idp):
    idp.person["groups"] = ["others"]
    client, response = sign_in()
    assert response.url == LOGIN
    assert codes_in(client.get(LOGIN)) == ["no_group"]
    assert not User.objects.filter(username="sam").exists()


def test_known_name_is_no_proof_of_an_account(viewer, idp):
    idp.person |= {"uid": ["VERA"], "mail": [viewer.email or "v@x.y"]}
    client, _ = sign_in()
    assert codes_in(client.get(LOGIN)) == ["name_taken"]
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("username", {"username_attribute": "mail"}),
        ("subject", {"subject_attribute": "mail"}),
        ("groups", {"groups_attribute": "roles"}),
    ],
)
def test_attributes_may_have_other_names(db, idp, settings, name, attributes):
    change(settings, **attributes)
    idp.person["roles"] = ["cup-admins"]
    sign_in()
    user = Identity.objects.get().user
    found = {
        "username": user.username == "sam@example.com",
        "subject": Identity.objects.get().uid == "sam@example.com",
        "groups": role_of(user) == Role.ADMINISTRATOR,
    }
    assert found[name]


def test_name_that_changes_each_time_is_refused(db, idp):
    idp.name_id["format"] = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    client, _ = sign_in()
    assert b"transient NameID" in client.get(LOGIN).content
    assert not Identity.objects.exists()


def test_proof_is_a_fresh_sign_in_at_the_provider(db, idp):
    idp.person["groups"] = ["cup-admins"]
    client, _ = sign_in()
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    requested = client.get(ADD)
    response = back(client, client.get(proof_url(requested)))
    assert idp.requests[-1].force_authn == "true"
    assert response.url == ADD
    assert b"Add user" in client.get(ADD).content
    assert AuditEntry.objects.filter(action="prove identity").exists()


def proof_url(response):
    text = response.content.decode()
    begin = text.index("/administration/system/proof/saml/")
    return text[begin : text.index('"', begin)]


@pytest.mark.parametrize("lie", ["old", "else"])
def test_answer_that_is_not_fresh_or_not_theirs_proves_nothing(db, idp, lie):
    idp.person["groups"] = ["cup-admins"]
    client, _ = sign_in()
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    if lie == "old":
        idp.lies = {"authn_instant": 1_600_000_000}
    else:
        idp.name_id["text"] = "s-2"
    back(client, client.get(proof_url(client.get(ADD))))
    assert proof_url(client.get(ADD))
    assert Identity.objects.count() == 1


def test_person_connects_and_disconnects_an_account(viewer, client_of):
    client = client_of(viewer)
    page = client.get(reverse("mfa_index")).content
    assert reverse("accounts:connect_saml").encode() in page
    back(client, client.get(reverse("accounts:connect_saml")))
    assert Identity.objects.get(user=viewer).uid == "s-1"
    client.post(reverse("accounts:disconnect_saml"))
    assert not Identity.objects.exists()


def test_second_factor_of_the_provider_is_enough_where_it_is_trusted(db, settings):
    settings.REQUIRE_SECOND_FACTOR = ["operator"]
    client, _ = sign_in()
    assert client.get("/").url == reverse("mfa_index")
    change(settings, second_factor=True)
    client, _ = sign_in()
    assert client.get("/").status_code == 200


def test_sessions_are_over_when_the_provider_is_taken_away(db, settings):
    client, _ = sign_in()
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:-1]
    assert client.get("/").status_code == 302


def test_signing_out_says_what_is_left_at_the_provider(db):
    client, _ = sign_in()
    page = client.post(reverse("account_logout"), follow=True)
    assert page.context["left"].name == "AD FS"
    assert b"AD FS" in page.content


def test_metadata_of_the_console_name_its_address(db, client):
    text = client.get(reverse("accounts:saml_metadata")).content.decode()
    assert f"http://testserver{START}acs/" in text
    assert 'WantAssertionsSigned="true"' in text
    assert "validUntil" not in text


def test_metadata_may_be_a_file(db, idp, settings, tmp_path):
    path = tmp_path / "idp.xml"
    path.write_bytes(idp.describes())
    change(settings, metadata_url="", metadata_file=str(path))
    assert sign_in()[1].url == "/"
    assert idp.questions == 0


def test_key_signs_questions_and_opens_answers(db, idp, settings, saml_key):
    change(settings, **saml_key)
    idp.console_metadata = console_metadata()
    encrypted = {"encrypt_assertion": True, "encrypt_assertion_self_contained": False}
    idp.lies = {"more": encrypted}
    assert sign_in()[1].url == "/"
    assert "Signature=" in Client().get(START).url


def console_metadata():
    return Client().get(reverse("accounts:saml_metadata")).content.decode()


@pytest.fixture
def saml_key(idp):
    folder = idp.folder
    key = (folder / "other.key").read_text()
    return {"key": key, "certificate_file": str(folder / "other.pem")}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"metadata_file": "/nowhere"}, "E031"),
        ({"metadata_url": "http://idp.example.com/"}, "E032"),
        ({"key": "x"}, "E033"),
        ({"certificate_file": "/nowhere"}, "E033"),
        ({"ca_file": "/nowhere"}, "E014"),
        ({"roles": {"a": "root"}}, "E015"),
        ({"metadata_url": ""}, "E031"),
        ({"metadata_url": "", "metadata_file": "/nowhere"}, "E014"),
        ({"metadata_url": "", "metadata_file": __file__}, "E034"),
    ],
)
def test_half_a_configuration_is_refused(settings, fields, code):
    change(settings, **fields)
    with pytest.raises(Exception, match=f"accounts.{code}"):
        call_command("check")


def test_missing_library_is_said(settings, monkeypatch):
    monkeypatch.setattr("accounts.identity_checks.find_spec", lambda name: None)
    with pytest.raises(Exception, match="accounts.E030"):
        call_command("check")


def test_whole_configuration_passes(settings):
    call_command("check")


def test_answer_needs_no_cookie_of_the_session_and_sets_none(db):
    client = Client()
    response = post(client, *ask_idp(client.get(START).url))
    assert set(response.cookies) == {"cupadmin-saml"}
    cookie = response.cookies["cupadmin-saml"]
    assert cookie["httponly"]
    assert cookie["path"] == f"{START}return/"
