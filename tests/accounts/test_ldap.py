import importlib.util
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import users
from accounts.identity_checks import sign_in_is_configured
from accounts.identity_settings import Admission, Ldap
from accounts.management.commands.move_to_ldap import NO_DIRECTORY
from accounts.models import AuditEntry, BrowserSession, GroupMapping, Identity
from accounts.roles import Role, role_of
from tests.accounts.slapd import BASE, PEOPLE, SLAPD, Slapd
from tests.conftest import missing

pytestmark = pytest.mark.servers

LOGIN = "/administration/system/sign-in/"
RULES = ("roles", "default_role", "required_group", "create_accounts")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    if importlib.util.find_spec("django_auth_ldap") is None:
        missing("ldap", "requirements-ldap.txt is not installed")
    if SLAPD is None:
        missing("ldap", "there is no slapd on this machine")
    server = Slapd(tmp_path_factory.mktemp("slapd"))
    server.start()
    yield server
    server.stop()


def directory(**fields):
    return Ldap(
        uri=fields.pop("uri", "ldaps://ldap.example.com"),
        bind_dn=f"cn=console,{BASE}",
        bind_password="the bind password",
        user_base=f"ou=people,{BASE}",
        group_base=f"ou=groups,{BASE}",
        admission=Admission(roles={"cup-operators": "operator"}),
        **fields,
    )


@pytest.fixture
def configured(slapd, settings, administrator):
    ca_file = str(slapd.folder / "ca.pem")
    settings.LDAP = directory(uri=slapd.url, ca_file=ca_file)
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.ldap_backend.DirectoryBackend",
    ]


def change(settings, **fields):
    rules = {name: fields.pop(name) for name in list(fields) if name in RULES}
    admission = replace(settings.LDAP.admission, **rules)
    settings.LDAP = replace(settings.LDAP, admission=admission, **fields)


def sign_in(name, password=None, client=None):
    fields = {"login": name, "password": password or PEOPLE.get(name.lower(), "x")}
    return (client or Client()).post(LOGIN, fields)


def refused(response, code="wrong"):
    assert response.status_code == 200
    assert response.context["form"].has_error(NON_FIELD_ERRORS, code)
    assert not BrowserSession.objects.exists()


def test_person_of_the_directory_gets_an_account_with_a_role(configured):
    assert sign_in("lena").url == "/"
    user = User.objects.get(username="lena")
    assert (user.first_name, user.email) == ("Lena", "lena@example.com")
    assert role_of(user) == Role.OPERATOR
    assert not user.has_usable_password()
    assert AuditEntry.objects.get(action="add user").actor == "LDAP"


def test_upper_case_is_the_same_person(configured):
    sign_in("lena")
    assert sign_in(" LENA ", PEOPLE["lena"]).url == "/"
    assert Identity.objects.count() == 1


@pytest.mark.parametrize("first", ["uid", "UID", "mail"])
def test_another_attribute_of_the_filter_leads_to_the_same_account(
    configured, settings, first
):
    second = "mail" if first.lower() == "uid" else "uid"
    change(settings, user_filter=f"(|({first}=%(user)s)({second}=%(user)s))")
    assert sign_in("lena").url == "/"
    assert sign_in("Lena@Example.com", PEOPLE["lena"]).url == "/"
    user = User.objects.get(socialaccount__provider=Identity.Provider.LDAP)
    assert user.username == ("lena@example.com" if first == "mail" else "lena")


def test_account_of_the_console_is_not_taken_over_by_another_attribute(
    configured, settings
):
    user = User.objects.create_user("Lena", password="password for this account")
    change(settings, user_filter="(|(uid=%(user)s)(mail=%(user)s))")
    refused(sign_in("lena@example.com", PEOPLE["lena"]), "name_taken")
    assert not Identity.objects.filter(user=user).exists()


def test_of_several_values_the_first_of_the_alphabet_is_the_name(configured, settings):
    change(settings, user_filter="(cn=%(user)s)")
    sign_in("lena")
    sign_in("Helena", PEOPLE["lena"])
    assert Identity.objects.get().user.username == "helena"


def test_person_without_the_attribute_is_refused(configured, settings):
    change(settings, user_filter="(|(employeeNumber=%(user)s)(uid=%(user)s))")
    refused(sign_in("lena"), "not_named")


@pytest.mark.parametrize(
    ("user_filter", "attribute"),
    [
        ("(uid=%(user)s)", "uid"),
        ("(&(objectClass=person)(sAMAccountName=%(user)s))", "sAMAccountName"),
        ("(|( mail = %(user)s )(uid=%(user)s))", "mail"),
        ("(|(mail=%(user)s@example.com)(uid=%(user)s))", "uid"),
        ("(2.5.4.45=%(user)s)", "2.5.4.45"),
        ("(cn~=%(user)s)", ""),
        ("(cn=*%(user)s*)", ""),
        ("(uid=lena)", ""),
    ],
)
def test_attribute_that_names_people_is_the_first_compared(user_filter, attribute):
    assert directory(user_filter=user_filter).name_attribute == attribute


@pytest.mark.parametrize("password", ["wrong", " ", "lars's pass phrase"])
def test_wrong_password_is_refused(configured, password):
    refused(sign_in("lena", password))
    assert not User.objects.filter(username="lena").exists()


@pytest.mark.parametrize("name", ["*", "l*", "lena)(uid=*", "nobody", "(|"])
def test_odd_names_find_nobody(configured, name):
    refused(sign_in(name, PEOPLE["lena"]))


def test_person_without_a_mapped_group_is_refused(configured):
    refused(sign_in("lars"), "no_group")
    assert not User.objects.filter(username="lars").exists()


def test_default_role_is_for_the_rest(configured, settings):
    change(settings, default_role="viewer")
    sign_in("lars")
    assert role_of(User.objects.get(username="lars")) == Role.VIEWER


def test_groups_within_groups_count_where_that_is_set(configured, settings):
    change(settings, roles={"everybody": "viewer"})
    refused(sign_in("lena"), "no_group")
    change(settings, group_type="nested")
    assert sign_in("lena").url == "/"


def test_required_group_is_required(configured, settings):
    change(settings, required_group="staff")
    refused(sign_in("lena"), "required_group")


def test_role_follows_the_groups_at_each_sign_in(configured):
    sign_in("lena")
    user = User.objects.get(username="lena")
    user.groups.set([Group.objects.get_or_create(name="administrator")[0]])
    sign_in("lena")
    assert role_of(User.objects.get(username="lena")) == Role.OPERATOR


def test_groups_of_the_directory_give_clusters_too(
    configured, settings, cluster_factory
):
    alpha = cluster_factory("alpha")
    fields = {"role": "viewer", "clusters": [str(alpha.pk)]}
    GroupMapping.objects.create(provider="ldap", group="cup-operators", **fields)
    sign_in("lena")
    user = User.objects.get(username="lena")
    assert role_of(user) == Role.VIEWER
    assert users.limit_of(user) == [str(alpha.pk)]
    assert Identity.objects.get().groups == ["cup-operators"]


def test_mapping_without_a_place_of_groups_is_refused(
    configured, settings, administrator, client_of
):
    change(settings, group_base="")
    fields = {"provider": "ldap", "group": "staff", "role": "viewer"}
    page = client_of(administrator).post(reverse("accounts:groups"), fields)
    assert "provider" in page.context["form"].errors


def test_account_of_the_console_cannot_be_taken_over(configured):
    user = User.objects.create_user("Lena", password="password for this account")
    refused(sign_in("lena"))
    assert sign_in("Lena", "password for this account").url == "/"
    assert not Identity.objects.filter(user=user).exists()


def test_accounts_of_the_console_are_moved_by_command_only(configured):
    user = User.objects.create_user("Lena", password="password for this account")
    with pytest.raises(CommandError, match="'nobody'"):
        call_command("move_to_ldap", "Lena", "nobody")
    assert not Identity.objects.filter(user=user).exists()
    call_command("move_to_ldap", "Lena")
    refused(sign_in("Lena", "password for this account"))
    assert sign_in("lena").url == "/"
    assert User.objects.filter(username__iexact="lena").count() == 1
    with pytest.raises(CommandError, match="^Lena "):
        call_command("move_to_ldap", "Lena")


def test_nobody_is_moved_without_a_directory(db):
    with pytest.raises(CommandError, match=NO_DIRECTORY):
        call_command("move_to_ldap", "ada")


def test_deactivated_account_is_refused(configured):
    client = Client()
    sign_in("lena", client=client)
    User.objects.filter(username="lena").update(is_active=False)
    assert client.get("/").status_code == 302
    BrowserSession.objects.all().delete()
    refused(sign_in("lena"), "deactivated")


def test_lockout_counts_attempts_for_the_directory(configured):
    for _ in range(10):
        sign_in("lena", "wrong")
    refused(sign_in("lena"), "locked")


def test_password_of_the_directory_is_the_proof(configured, settings):
    change(settings, roles={"cup-operators": "administrator"})
    client = Client()
    sign_in("lena", client=client)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(minutes=6))
    url = reverse("accounts:add_user")
    assert b'type="password"' in client.get(url).content
    wrong = client.post(url, {"proof_password": "wrong", "proof_opened": "1"})
    assert b"password is wrong" in wrong.content
    right = {"proof_password": PEOPLE["lena"], "proof_opened": "1"}
    assert client.post(url, right).url == url


def test_passwords_of_the_directory_are_not_changed_here(configured, administrator):
    client = Client()
    sign_in("lena", client=client)
    page = client.get(reverse("account_change_password"))
    assert page.templates[0].name == "accounts/password_elsewhere.html"


def test_second_factor_is_asked_for_after_the_directory(configured):
    from tests.accounts.test_second_factor import set_up

    client = Client()
    sign_in("lena", client=client)
    set_up(client)
    assert sign_in("lena").url == reverse("mfa_authenticate")


def test_accounts_of_the_console_work_while_the_directory_is_down(configured, settings):
    change(settings, uri="ldaps://localhost:9")
    refused(sign_in("lena"), "no_answer")
    assert sign_in("ada", "correct horse battery").url == "/"


def test_certificate_of_the_directory_must_be_right(configured, settings):
    change(settings, ca_file="")
    refused(sign_in("lena"), "no_answer")


def test_wrong_bind_password_is_said(configured, settings):
    change(settings, bind_password="wrong")
    refused(sign_in("lena"), "no_answer")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"uri": ""}, "E021.* CUPADMIN_LDAP_URI "),
        ({"user_base": ""}, "E021.* CUPADMIN_LDAP_USER_BASE "),
        ({"uri": "http://x"}, "E022"),
        ({"bind_password": ""}, "E023"),
        ({"user_filter": "(uid=lena)"}, "E024"),
        ({"user_filter": "(cn=%(user)s*)"}, "E024"),
        ({"group_type": "x"}, "E025"),
        ({"group_base": ""}, "E026"),
        ({"ca_file": "/nowhere"}, "E014.* CUPADMIN_LDAP_CA_FILE "),
        ({"roles": {"a": "root"}}, "E015.* CUPADMIN_LDAP_ROLES "),
    ],
)
def test_half_a_configuration_is_refused(settings, fields, code):
    settings.LDAP = directory()
    change(settings, **fields)
    with pytest.raises(Exception, match=f"accounts.{code}"):
        call_command("check")


def test_accounts_without_a_role_are_a_warning(settings):
    settings.LDAP = directory()
    change(settings, roles={})
    assert [found.id for found in sign_in_is_configured(None)] == ["accounts.W016"]


def test_missing_library_is_said(settings, monkeypatch):
    settings.LDAP = directory()
    monkeypatch.setattr("accounts.identity_checks.find_spec", lambda name: None)
    with pytest.raises(Exception, match="accounts.E020"):
        call_command("check")
