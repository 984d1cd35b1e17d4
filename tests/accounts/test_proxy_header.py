"""A proxy in front names people in a header, and nobody else can."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts import audit, grants, users
from accounts.identity_settings import Admission, ProxyHeader
from accounts.models import ApiToken, AuditEntry, BrowserSession, GroupMapping, Identity
from accounts.roles import Role, role_of
from tests.accounts.test_second_factor import CODE, code_of, set_up
from tests.elements import codes_in

LOGIN = "/administration/system/sign-in/"
START = f"{LOGIN}proxy/"
CLUSTERS = "/administration/system/clusters/"
INDEX = "/administration/system/second-factor/"
PROXY = "10.0.0.9"
ROLES = {"cup-admins": "administrator", "cup-operators": "operator"}


@pytest.fixture
def proxy(settings, administrator):
    settings.PROXIES = 1
    settings.PROXY_HEADER = ProxyHeader(
        user="X-Remote-User",
        networks=["10.0.0.9/32"],
        groups="X-Remote-Groups",
        email="X-Remote-Email",
        full_name="X-Remote-Name",
        name="Gate",
        admission=Admission(roles=ROLES),
    )
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "accounts.backends.ProxyBackend",
    ]


def change(settings, **fields):
    admission = {name: fields.pop(name) for name in list(fields) if name not in FIELDS}
    found = replace(settings.PROXY_HEADER.admission, **admission)
    settings.PROXY_HEADER = replace(settings.PROXY_HEADER, admission=found, **fields)


FIELDS = ("second_factor", "sign_out_url", "separator", "groups", "networks")


def named(user="", groups="cup-operators", peer=PROXY, **more):
    """What the console gets of the proxy, as Waitress gives it."""
    given = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "192.0.2.7", **more}
    if user:
        given |= {"HTTP_X_REMOTE_USER": user, "HTTP_X_REMOTE_GROUPS": groups}
    return given


def sign_in(user="pia", groups="cup-operators", client=None, **more):
    client = client or Client()
    more = {"follow": True, **more}
    return client, client.get(CLUSTERS, **more, **named(user, groups))


def who(client, **given):
    """Whom a page greets; None where it leads to the sign-in page."""
    answer = client.get(CLUSTERS, **given)
    if answer.status_code == 302:
        assert answer.url.startswith(LOGIN)
        return None
    return answer.wsgi_request.user.get_username()


def refused(client, answer, code):
    assert answer.redirect_chain[-1][0] == f"{LOGIN}?form"
    assert codes_in(answer) == [code]
    assert not BrowserSession.objects.exists()
    assert client.get(CLUSTERS, **named()).status_code == 302


def test_named_person_gets_an_account_and_the_page(proxy):
    client, answer = sign_in(
        HTTP_X_REMOTE_EMAIL="pia@example.com", HTTP_X_REMOTE_NAME="Pia van Dam"
    )
    assert answer.redirect_chain[-1][0] == CLUSTERS
    user = User.objects.get(username="pia")
    assert answer.wsgi_request.user == user
    assert (user.first_name, user.last_name) == ("Pia van", "Dam")
    assert user.email == "pia@example.com"
    assert role_of(user) == Role.OPERATOR
    assert not user.has_usable_password()
    assert Identity.objects.get(user=user).provider == "proxy"
    entry = AuditEntry.objects.get(action="sign in")
    assert (entry.actor, entry.address) == ("pia", "192.0.2.7")
    assert entry.changes == {"with": [None, "trusted proxy"]}
    assert AuditEntry.objects.get(action="add user").actor == "Gate"


def test_second_sign_in_is_the_same_account(proxy):
    sign_in()
    sign_in(groups="cup-admins")
    assert Identity.objects.count() == 1
    assert role_of(User.objects.get(username="pia")) == Role.ADMINISTRATOR


@pytest.mark.parametrize(
    "peer", ["10.0.0.10", "192.0.2.7", "127.0.0.1", "", "nonsense", "::1"]
)
def test_header_from_another_address_is_ignored(proxy, peer):
    client = Client()
    given = named("pia", peer=peer, HTTP_X_FORWARDED_FOR=PROXY)
    assert who(client, **given) is None
    page = client.get(LOGIN, **given)
    assert page.status_code == 200
    assert b"Gate" not in page.content
    assert client.get(START, **given).url == LOGIN
    assert not BrowserSession.objects.exists()
    assert not Identity.objects.exists()


def test_address_in_ipv6_clothes_is_the_same_proxy(proxy):
    given = named("pia", peer="::ffff:10.0.0.9")
    assert Client().get(CLUSTERS, follow=True, **given).wsgi_request.user.is_active


def test_header_means_nothing_without_the_setting(settings, administrator):
    settings.PROXIES = 1
    client = Client()
    assert who(client, **named("ada")) is None
    assert client.get(START, **named("ada")).url == LOGIN
    assert client.get(LOGIN, **named("ada")).status_code == 200
    assert not BrowserSession.objects.exists()


def test_header_of_another_name_means_nothing(proxy):
    given = named(HTTP_REMOTE_USER="ada", HTTP_X_REMOTE="ada", REMOTE_USER="ada")
    assert who(Client(), **given) is None
    assert Client().get(LOGIN, **given).status_code == 200


ODD = [
    "pia, ada",
    "pia,ada",
    "pia,",
    ", ",
    "p\0ia",
    "pia\r\nX-A: b",
    "pia\t",
    "p\x7fia",
    "\u00a0pia",
    "x" * 151,
    "x" * 60_000,
    "\xff\xfe",
    "pi\u0430"[:2] + "\udcff",
    "ｐｉａ".encode().decode("latin-1"),
    "p\u202eia".encode().decode("latin-1"),
    "   ",
]


@pytest.mark.parametrize("value", ODD)
def test_odd_name_never_signs_in(proxy, value):
    client = Client()
    answer = client.get(CLUSTERS, follow=True, **named(value))
    refused(client, answer, "odd_name")
    assert not Identity.objects.exists()
    entry = AuditEntry.objects.get(action="refuse sign-in")
    assert (entry.actor, entry.address) == ("anonymous", "192.0.2.7")


@pytest.mark.parametrize("value", ["DOM\\pia", "pia smith", "pia/../ada", "<b>pia</b>"])
def test_name_that_no_account_may_have_is_refused(proxy, value):
    client, answer = sign_in(value)
    refused(client, answer, "unfit_name")


def test_empty_header_names_nobody(proxy):
    given = named(HTTP_X_REMOTE_USER="")
    assert who(Client(), **given) is None
    assert Client().get(LOGIN, **given).status_code == 200
    assert not AuditEntry.objects.filter(action="refuse sign-in").exists()


@pytest.mark.parametrize("value", ["cup-admins\0", "\xff", "cup\x1b[0m"])
def test_odd_groups_never_sign_in(proxy, value):
    client, answer = sign_in(groups=value)
    refused(client, answer, "odd_groups")


def test_odd_address_and_name_are_left_out(proxy):
    sign_in(HTTP_X_REMOTE_EMAIL="p\0ia@x", HTTP_X_REMOTE_NAME="P\0ia\xff")
    user = User.objects.get(username="pia")
    assert (user.first_name, user.last_name, user.email) == ("", "", "")


def test_name_in_utf_8_is_read_as_the_proxy_wrote_it(proxy):
    sign_in("zoë".encode().decode("latin-1"))
    assert User.objects.filter(username="zoë").exists()


def test_somebody_else_in_the_header_ends_the_session(proxy):
    client, _ = sign_in()
    answer = client.get(CLUSTERS, **named("quin"))
    assert answer.status_code == 302
    assert not BrowserSession.objects.exists()
    entry = AuditEntry.objects.get(action="end session")
    assert (entry.actor, entry.changes) == ("pia", {"by": [None, "Gate"]})
    assert who(client, **named("pia")) is None
    sign_in("quin", client=client)
    assert who(client, **named("quin")) == "quin"


def test_somebody_else_who_is_refused_gets_nothing(proxy):
    client, _ = sign_in()
    answer = client.get(CLUSTERS, follow=True, **named("quin", "others"))
    refused(client, answer, "no_group")


def test_nothing_is_done_for_somebody_else(proxy):
    client, _ = sign_in()
    before = AuditEntry.objects.count()
    client.post(reverse("accounts:end_other_sessions"), **named("quin"))
    made = AuditEntry.objects.order_by("number")[before:]
    assert [entry.action for entry in made] == ["end session"]


@pytest.mark.parametrize(
    "given",
    [named(), named(HTTP_X_REMOTE_USER=""), named("pia, ada"), named("PIA")],
)
def test_session_ends_with_its_header(proxy, given):
    client, _ = sign_in()
    assert who(client, **named("pia")) == "pia"
    assert who(client, **given) is None
    assert not BrowserSession.objects.exists()


def test_session_does_not_go_around_the_proxy(proxy):
    client, _ = sign_in()
    assert who(client, **named("pia", peer="10.0.0.10")) is None
    assert not BrowserSession.objects.exists()


def test_session_ends_with_the_setting(proxy, settings):
    client, _ = sign_in()
    settings.PROXY_HEADER = None
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:-1]
    assert who(client, **named("pia")) is None


def test_session_goes_on_with_its_header(proxy):
    client, _ = sign_in()
    assert who(client, **named("pia")) == "pia"
    assert BrowserSession.objects.count() == 1
    answer = client.get(START, {"next": CLUSTERS}, **named("pia"))
    assert answer.url == CLUSTERS
    assert BrowserSession.objects.count() == 1


def test_sign_in_leads_to_no_other_host(proxy):
    answer = Client().get(START, {"next": "https://evil.example/"}, **named("pia"))
    assert answer.url == "/"


def typed(client, user="ada", **given):
    fields = {"login": user, "password": "correct horse battery"}
    return client.post(f"{LOGIN}?form", fields, **given)


@pytest.mark.parametrize("header", ["pia", "", "p,q"])
def test_password_of_the_console_signs_in_beside_the_header(proxy, header):
    client, given = Client(), named(header)
    typed(client, **given)
    assert who(client, **given) == "ada"
    assert who(client, **named()) == "ada"
    sign_in = AuditEntry.objects.get(action="sign in")
    assert (sign_in.actor, sign_in.changes) == ("ada", {})


def test_session_of_a_password_ends_when_the_proxy_names_another(proxy):
    client = Client()
    typed(client, **named())
    assert who(client, **named("pia")) is None
    assert not BrowserSession.objects.exists()
    typed(client, **named("pia"))
    assert who(client, **named("quin")) is None


def test_session_of_a_password_goes_on_when_the_proxy_names_the_same(
    proxy, administrator
):
    Identity.objects.create(user=administrator, provider="proxy", uid="ada.l")
    client = Client()
    typed(client, **named())
    assert who(client, **named("ada.l")) == "ada"


def test_name_that_an_account_has_is_not_proof(proxy):
    client, answer = sign_in("ada")
    refused(client, answer, "name_taken")


def test_account_is_connected_with_whom_the_proxy_names(proxy, administrator):
    client = Client()
    typed(client, **named("ada.l", ""))
    page = client.get(INDEX, **named("ada.l")).content.decode()
    assert "names you ada.l" in page
    connect = reverse("accounts:connect_proxy")
    assert b"from now on" in client.post(connect, follow=True, **named("ada.l")).content
    assert Identity.objects.get(user=administrator).uid == "ada.l"
    fresh, _ = sign_in("ada.l", "cup-admins")
    assert who(fresh, **named("ada.l")) == "ada"
    client.post(reverse("accounts:disconnect_proxy"), **named("ada.l"))
    assert not Identity.objects.exists()
    assert AuditEntry.objects.filter(action="disconnect account").exists()


def test_nobody_is_connected_without_the_header(proxy):
    client = Client()
    typed(client, **named())
    connect = reverse("accounts:connect_proxy")
    page = client.post(connect, follow=True, **named())
    assert codes_in(page) == ["not_named"]
    assert not Identity.objects.exists()


def test_signing_out_stays_signed_out(proxy, settings):
    client, _ = sign_in()
    answer = client.post(reverse("account_logout"), follow=True, **named("pia"))
    assert answer.redirect_chain == [(f"{LOGIN}?left=proxy", 302)]
    assert answer.context["left"].name == "Gate"
    assert f'href="{START}"' in answer.content.decode()
    assert not BrowserSession.objects.exists()
    change(settings, sign_out_url="/gate/sign-out")
    page = client.get(f"{LOGIN}?left=proxy", **named("pia")).content.decode()
    assert 'href="/gate/sign-out"' in page


def test_deactivated_account_is_refused(proxy):
    client, _ = sign_in()
    User.objects.filter(username="pia").update(is_active=False)
    assert who(client, **named("pia")) is None
    again, answer = sign_in()
    assert codes_in(answer) == ["deactivated"]
    assert who(again, **named("pia")) is None


def test_groups_give_a_role_and_clusters(proxy, alpha, bravo):
    clusters = [str(alpha.pk)]
    row = GroupMapping(
        provider="proxy", group="cup-emea", role="operator", clusters=clusters
    )
    grants.save_mapping(row, audit.CONSOLE)
    client, answer = sign_in(groups="others, cup-emea")
    assert b"alpha" in answer.content
    assert b"bravo" not in answer.content
    assert users.limit_of(User.objects.get(username="pia")) == clusters


def test_groups_are_separated_as_the_setting_says(proxy, settings):
    change(settings, separator="|", roles={"cn=ops,dc=example": "operator"})
    client, _ = sign_in(groups="others|cn=ops,dc=example")
    assert who(client, **named("pia")) == "pia"


def test_unmapped_group_gets_nothing(proxy):
    refused(*sign_in(groups="others"), "no_group")
    assert not User.objects.filter(username="pia").exists()


def test_groups_need_their_header(proxy, settings, administrator, client_of):
    change(settings, groups="")
    assert "CUPADMIN_PROXY_GROUPS_HEADER" in grants.why_not_mapped("proxy")
    fields = {"provider": "proxy", "group": "cup-emea", "role": "viewer"}
    page = client_of(administrator).post(
        "/administration/system/users/groups/", fields, **named()
    )
    assert "CUPADMIN_PROXY_GROUPS_HEADER" in page.content.decode()
    assert not GroupMapping.objects.exists()


def test_role_that_needs_a_second_factor_waits_for_it(proxy, settings):
    settings.REQUIRE_SECOND_FACTOR = ["operator"]
    client, answer = sign_in()
    assert answer.redirect_chain[-1][0] == INDEX
    change(settings, second_factor=True)
    assert who(client, **named("pia")) == "pia"


def waiting_for_the_code():
    """A browser of pia's, after the header and before the code of her app."""
    set_up(sign_in(client=Client(**named("pia")))[0])
    client = Client()
    answer = client.get(START, {"next": CLUSTERS}, **named("pia"))
    assert answer.url.startswith(CODE)
    return client, {"code": code_of(User.objects.get(username="pia"))}


def test_second_factor_follows_the_header(proxy):
    client, code = waiting_for_the_code()
    assert who(client, **named("pia")) is None
    assert client.post(CODE, code, **named("pia")).url == CLUSTERS
    assert who(client, **named("pia")) == "pia"
    entry = AuditEntry.objects.filter(action="sign in").order_by("number").last()
    assert entry.changes == {"with": [None, "trusted proxy, second factor"]}


@pytest.mark.parametrize("given", [named("quin"), named(), named("pia", peer="::1")])
def test_second_factor_is_not_for_somebody_else(proxy, given):
    client, code = waiting_for_the_code()
    BrowserSession.objects.all().delete()
    client.post(CODE, code, **given)
    assert not BrowserSession.objects.exists()
    assert who(client, **given) is None


def test_second_factor_of_the_proxy_is_enough(proxy, settings):
    set_up(sign_in(client=Client(**named("pia")))[0])
    change(settings, second_factor=True)
    client, _ = sign_in()
    assert who(client, **named("pia")) == "pia"


def test_rest_does_not_know_the_header(proxy, administrator):
    me = "/api/v1/me/"
    assert Client().get(me, **named("pia")).status_code == 401
    text = ApiToken.issue(administrator, "t", Role.VIEWER)[1]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {text}"}
    for header in ("pia", "", "p,q", "\0"):
        answer = Client().get(me, **bearer, **named(header))
        assert answer.json()["username"] == "ada"
        assert answer.json()["role"] == "viewer"
    assert Client().get(me, HTTP_AUTHORIZATION="Bearer x", **named("ada")).status_code
    assert not BrowserSession.objects.exists()


def test_rest_follows_the_end_of_the_session(proxy):
    client, _ = sign_in()
    assert client.get("/api/v1/me/", **named("pia")).json()["username"] == "pia"
    assert client.get("/api/v1/me/", **named("quin")).status_code == 401
    assert client.get("/api/v1/me/", **named("pia")).status_code == 401


def test_page_of_a_user_names_the_way(proxy, administrator, client_of):
    sign_in()
    pia = User.objects.get(username="pia")
    url = reverse("accounts:edit_user", args=[pia.pk])
    page = client_of(administrator).get(url, **named()).content.decode()
    assert "Trusted proxy" in page
