import base64
import re
import threading
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.adapters import MfaAdapter
from accounts.models import Attempts, AuditEntry, BrowserSession
from accounts.rotation import keys_in_use, rotate_keys

PASSWORD = "correct horse battery"
PAGE = "/administration/system/second-factor/"
CODE = "/administration/system/sign-in/code/"


APP = PAGE + "app/"
CODES = PAGE + "recovery-codes/"


def code_of(user, ahead=0):
    """What the app shows, or shows `ahead` steps from now."""
    return app_code(secret_of(user), ahead)


def app_code(secret, ahead=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def begin_set_up(client):
    """Open the page of the set-up and return the secret that it shows."""
    return re.search(r'data-copy="([A-Z2-7]{32})"', client.get(APP).content.decode())[1]


def set_up(client):
    """Set up an app and return the page of recovery codes."""
    secret = begin_set_up(client)
    return client.post(APP, {"code": app_code(secret, -1)}, follow=True)


def codes_in(response):
    return re.findall(r"<li>(\d{4} \d{4} \d{4} \d{4})</li>", response.content.decode())


@pytest.fixture
def vera(viewer, client_of):
    """A viewer with an authenticator app."""
    set_up(client_of(viewer))
    return viewer


def with_password(client=None, **extra):
    client = client or Client()
    url = reverse("account_login")
    client.post(url, {"login": "vera", "password": PASSWORD, **extra})
    return client


def signed_in(client):
    return client.get("/").status_code == 200


def secret_of(user):
    return MfaAdapter().decrypt(
        Authenticator.objects.get(user=user, type="totp").data["secret"]
    )


def everything_stored():
    """The rows of second factors and the decoded sessions, as text."""
    rows = list(Authenticator.objects.values_list("data", flat=True))
    rows += [row.get_decoded() for row in Session.objects.all()]
    return str(rows)


def test_set_up_shows_the_secret_as_drawing_and_text(viewer, client_of):
    client = client_of(viewer)
    assert b'class="qr"' not in client.get(PAGE).content
    content = client.get(APP).content.decode()
    assert 'viewBox="0 0' in content
    assert "style=" not in content[content.index('class="qr"') :]
    assert re.search("[A-Z2-7]{32}", content)


def test_a_secret_that_is_being_set_up_lies_sealed_in_the_session(viewer, client_of):
    secret = begin_set_up(client_of(viewer))
    assert secret not in everything_stored()
    assert "v1|" in everything_stored()


def test_the_secrets_lie_sealed_and_are_never_shown_again(vera, client_of):
    assert secret_of(vera) not in everything_stored()
    client = client_of(vera)
    assert secret_of(vera).encode() not in client.get(PAGE).content
    assert client.get(APP).status_code == 302
    assert '"seed": "v1|' in str(everything_stored()).replace("'", '"')


def test_confirmation_shows_ten_recovery_codes_once(viewer, client_of):
    client = client_of(viewer)
    codes = codes_in(set_up(client))
    assert len(set(codes)) == 10
    assert codes_in(client.get(CODES)) == []
    actions = AuditEntry.objects.values_list("action", flat=True)
    assert {"set up second factor", "make recovery codes"} <= set(actions)


def test_wrong_first_code_switches_nothing_on(viewer, client_of):
    client = client_of(viewer)
    begin_set_up(client)
    for typed in ("000000", "", "abcdef", "1" * 41, "١٢٣٤٥٦", "0\x00"):
        assert b"Nothing was saved" in client.post(APP, {"code": typed}).content
    assert not Authenticator.objects.exists()
    assert signed_in(with_password())


def test_confirming_without_a_secret_saves_nothing(viewer, client_of):
    response = client_of(viewer).post(APP, {"code": "123456"})
    assert b"Nothing was saved" in response.content


def test_password_alone_no_longer_signs_in(vera):
    client = with_password()
    assert not signed_in(client)
    assert BrowserSession.objects.count() == 1  # the one that set it up


def test_password_and_code_sign_in_and_lead_on(vera):
    client = with_password(next="/search/?q=x")
    assert b"six digits" in client.get(CODE).content
    code = code_of(vera)
    response = client.post(CODE, {"code": f"{code[:3]} {code[3:]}"})
    assert response.url == "/search/?q=x"
    assert signed_in(client)
    assert BrowserSession.objects.count() == 2


def test_no_code_is_right_twice(vera):
    code = code_of(vera)
    assert with_password().post(CODE, {"code": code}).status_code == 302
    again = with_password().post(CODE, {"code": code})
    assert b"was used already" in again.content


def test_code_of_the_set_up_does_not_sign_in(viewer, client_of):
    client = client_of(viewer)
    secret = begin_set_up(client)
    code = app_code(secret)
    client.post(APP, {"code": code})
    assert not signed_in(posted(with_password(), code))


def test_code_of_an_earlier_time_is_refused(vera):
    response = with_password().post(CODE, {"code": code_of(vera, -2)})
    assert response.context["form"].has_error("code", "incorrect_code")
    assert AuditEntry.objects.filter(action="refuse second factor").count() == 1


def test_recovery_code_signs_in_once(viewer, client_of):
    client = client_of(viewer)
    code = codes_in(set_up(client))[3]
    assert signed_in(posted(with_password(), code))
    assert not signed_in(posted(with_password(), code))
    assert b"<dd>9</dd>" in client.get(PAGE).content.replace(b"\n", b"")


def posted(client, code):
    client.post(CODE, {"code": code})
    return client


def test_new_recovery_codes_void_the_old_ones(viewer, client_of):
    client = client_of(viewer)
    old = codes_in(set_up(client))
    new = codes_in(client.post(CODES + "new/", follow=True))
    assert not set(old) & set(new)
    assert not signed_in(posted(with_password(), old[0]))
    assert signed_in(posted(with_password(), new[0]))


def test_wrong_codes_lock_like_wrong_passwords(vera):
    client = with_password()
    for _ in range(9):
        client.post(CODE, {"code": "000000"})
    locked = client.post(CODE, {"code": code_of(vera)})
    assert b"Too many attempts" in locked.content
    assert AuditEntry.objects.filter(action="lock sign-in").count() == 1


def test_right_password_gives_no_fresh_attempts_for_codes(vera):
    for _ in range(5):
        client = with_password()
        client.post(CODE, {"code": "000000"})
    locked = client.post(CODE, {"code": code_of(vera)})
    assert b"Too many attempts" in locked.content


def test_full_sign_in_takes_all_attempts_back(vera):
    for ahead in (0, 1):
        client = with_password()
        for _ in range(7):
            client.post(CODE, {"code": "000000"})
        assert signed_in(posted(client, code_of(vera, ahead)))
    assert not Attempts.objects.filter(count__gt=14).exists()


def test_code_page_without_a_password_leads_to_the_sign_in(db):
    response = Client().get(CODE, follow=True)
    assert response.redirect_chain[-1][0] == reverse("account_login")
    assert Client().post(CODE, {"code": "123456"}).status_code == 302


def test_right_password_waits_for_its_code_five_minutes(vera, settings):
    settings.ACCOUNT_LOGIN_TIMEOUT = -1
    assert with_password().post(CODE, {"code": code_of(vera)}).status_code == 302
    assert BrowserSession.objects.count() == 1


def test_code_page_ends_with_another_password(vera):
    client = with_password()
    vera.set_password("quite another phrase")
    vera.save()
    assert not signed_in(posted(client, code_of(vera)))


def test_code_page_ends_for_a_deactivated_user(vera):
    client = with_password()
    type(vera).objects.update(is_active=False)
    assert not signed_in(posted(client, code_of(vera)))


def test_changes_of_second_factors_need_a_recent_proof(vera, client_of):
    client = client_of(vera)
    BrowserSession.objects.update(proved_at=vera.date_joined.replace(year=2020))
    for page in (APP, APP + "remove/", CODES, CODES + "new/", PAGE + "passkeys/add/"):
        for response in (client.get(page), client.post(page)):
            assert b'name="proof_password"' in response.content, page
    assert Authenticator.objects.count() == 2


def test_without_the_app_the_password_is_enough(vera, client_of):
    client = client_of(vera)
    assert client.get(APP + "remove/").status_code == 200
    assert client.post(APP + "remove/").url == PAGE
    assert signed_in(with_password())
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.filter(action="switch off second factor").count() == 1


def test_set_up_does_not_replace_the_one_in_use(vera, client_of):
    before = secret_of(vera)
    client_of(vera).post(APP, {"code": "123456"})
    assert secret_of(vera) == before


def test_administrator_resets_the_factor_of_another(vera, administrator, client_of):
    response = client_of(administrator).post(
        reverse("accounts:reset_factor", args=[vera.pk]), follow=True
    )
    assert b"all sessions ended" in response.content
    assert not vera.sessions.exists()
    entry = AuditEntry.objects.get(action="reset second factor")
    assert (entry.actor, entry.object_label) == ("ada", "vera")


def test_there_may_be_nothing_to_reset(viewer, administrator, client_of):
    response = client_of(administrator).post(
        reverse("accounts:reset_factor", args=[viewer.pk]), follow=True
    )
    (said,) = response.context["messages"]
    assert said.level_tag == "info" and str(said).startswith("vera ")


def test_command_resets_the_factor(vera):
    call_command("reset_second_factor", "vera")
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(action="reset second factor").actor == "cupadmin"
    with pytest.raises(CommandError, match="^vera "):
        call_command("reset_second_factor", "vera")
    with pytest.raises(CommandError, match="no user"):
        call_command("reset_second_factor", "nobody")


def test_tokens_go_on_working(vera, api):
    assert api(vera).get("/api/v1/jobs/").status_code == 200


def test_password_alone_makes_no_token(vera):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic("vera", PASSWORD))
    response = client.post("/api/v1/tokens/", {"name": "script"})
    assert response.status_code == 401
    assert "second factor" in response.json()["detail"]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_codes_outlive_the_rotation_of_the_key(viewer, client_of, settings):
    codes = codes_in(set_up(client_of(viewer)))
    settings.FIELD_KEYS = {"new": b"n" * 32, **settings.FIELD_KEYS}
    assert dict(rotate_keys())["mfa.Authenticator.data"] == 2
    settings.FIELD_KEYS = {"new": b"n" * 32}
    assert signed_in(posted(with_password(), code_of(viewer)))
    assert signed_in(posted(with_password(), codes[0]))


def test_key_of_second_factors_counts_as_in_use(vera, settings):
    settings.FIELD_KEYS = {"new": b"n" * 32, **settings.FIELD_KEYS}
    old = next(key for key in settings.FIELD_KEYS if key != "new")
    assert keys_in_use()[old] == 2
    dict(rotate_keys())
    assert keys_in_use() == {"new": 2, old: 0}


def test_trail_says_that_a_second_factor_was_used(vera):
    posted(with_password(), code_of(vera))
    entry = AuditEntry.objects.filter(action="sign in").first()
    assert entry.changes == {"with": [None, "second factor"]}


@pytest.fixture
def required(settings):
    settings.REQUIRE_SECOND_FACTOR = ["administrator"]


def test_required_factor_comes_before_all_else(required, administrator, client_of):
    client = client_of(administrator)
    for url in ("/", "/search/?q=x", reverse("accounts:tokens")):
        assert client.get(url).url == PAGE
    assert client.post(reverse("accounts:tokens"), {"name": "x"}).url == PAGE
    page = client.get(PAGE)
    assert page.context["forced"]
    assert b"Control Center" not in page.content
    response = client.get("/api/v1/jobs/")
    assert response.status_code == 403
    assert "second factor" in response.json()["detail"]
    set_up(client)
    assert signed_in(client)
    assert client.get("/api/v1/jobs/").status_code == 200


def test_required_factor_leaves_other_roles_alone(required, viewer, client_of):
    assert signed_in(client_of(viewer))


def test_person_may_sign_out_instead(required, administrator, client_of):
    client = client_of(administrator)
    assert client.post(reverse("account_logout")).url == reverse("account_login")


def test_required_factor_stops_password_tokens(required, administrator):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic("ada", PASSWORD))
    assert client.post("/api/v1/tokens/", {"name": "x"}).status_code == 401


def test_unknown_required_role_stops_the_start(settings):
    settings.REQUIRE_SECOND_FACTOR = ["admin"]
    with pytest.raises(Exception, match="REQUIRE_SECOND_FACTOR"):
        call_command("check")


def in_parallel(clients, code):
    """Send one code by all of them at once; return the statuses."""
    statuses = []

    def send(client):
        statuses.append(client.post(CODE, {"code": code}).status_code)
        connection.close()

    threads = [threading.Thread(target=send, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_many_that_send_one_code_at_once_one_signs_in(
    viewer, client_of, settings, kind
):
    settings.SIGN_IN_LIMIT = 100
    codes = codes_in(set_up(client_of(viewer)))
    code = code_of(viewer) if kind == "app" else codes[0]
    clients = [with_password() for _ in range(6)]
    assert in_parallel(clients, code) == [200] * 5 + [302]


@pytest.mark.django_db(transaction=True)
def test_of_many_wrong_codes_at_once_as_many_as_allowed_are_looked_at(
    viewer, client_of, monkeypatch
):
    set_up(client_of(viewer))
    looked_at = []
    monkeypatch.setattr(
        "allauth.mfa.totp.internal.auth.TOTP.validate_code",
        lambda self, code: looked_at.append(code),
    )
    waiting = with_password()
    assert in_parallel([waiting] * 30, "000000") == [200] * 30
    # The password was the first of the ten attempts.
    assert len(looked_at) == 9
