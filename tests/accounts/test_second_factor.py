import base64
import re
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import second_factor
from accounts.models import Attempts, AuditEntry, BrowserSession, SecondFactor
from accounts.rotation import rotate

PASSWORD = "correct horse battery"
PAGE = "/administration/system/second-factor/"
CODE = "/administration/system/sign-in/code/"


def code_of(factor, ahead=0):
    """What the app shows, or shows `ahead` steps from now."""
    at = int(time.time()) + ahead * second_factor.SECONDS
    return second_factor.totp(factor).generate(at).decode()


def set_up(client):
    client.post(reverse("accounts:begin_second_factor"))
    factor = SecondFactor.objects.latest("created_at")
    url = reverse("accounts:confirm_second_factor")
    return factor, client.post(url, {"code": code_of(factor, -1)})


def codes_in(response):
    return re.findall(r"<li>(\d{4} \d{4} \d{4} \d{4})</li>", response.content.decode())


@pytest.fixture
def factor(viewer, client_of):
    return set_up(client_of(viewer))[0]


def with_password(client=None, **extra):
    client = client or Client()
    url = reverse("accounts:login")
    client.post(url, {"username": "vera", "password": PASSWORD, **extra})
    return client


def signed_in(client):
    return client.get("/").status_code == 200


def test_set_up_shows_the_secret_as_drawing_and_text(viewer, client_of):
    client = client_of(viewer)
    assert b'class="qr"' not in client.get(PAGE).content
    client.post(reverse("accounts:begin_second_factor"))
    content = client.get(PAGE).content.decode()
    factor = SecondFactor.objects.get()
    assert factor.unseal("secret").reveal() in content
    assert 'viewBox="0 0' in content
    assert "style=" not in content[content.index('class="qr"') :]


def test_the_secret_lies_sealed_and_is_never_shown_again(factor, viewer, client_of):
    plain = factor.unseal("secret").reveal()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_secondfactor")
        assert plain not in str(cursor.fetchall())
    assert plain.encode() not in client_of(viewer).get(PAGE).content


def test_confirmation_shows_ten_recovery_codes_once(viewer, client_of):
    client = client_of(viewer)
    codes = codes_in(set_up(client)[1])
    assert len(set(codes)) == 10
    assert codes[0].encode() not in client.get(PAGE).content
    assert AuditEntry.objects.filter(action="set up second factor").count() == 1


def test_wrong_first_code_switches_nothing_on(viewer, client_of):
    client = client_of(viewer)
    client.post(reverse("accounts:begin_second_factor"))
    url = reverse("accounts:confirm_second_factor")
    for typed in ("000000", "", "abcdef", "1" * 41, "١٢٣٤٥٦"):
        assert b"Nothing was saved" in client.post(url, {"code": typed}).content
    assert SecondFactor.objects.get().confirmed_at is None
    assert signed_in(with_password())


def test_confirming_without_a_secret_leads_back(viewer, client_of):
    response = client_of(viewer).post(reverse("accounts:confirm_second_factor"))
    assert response.url == PAGE


def test_password_alone_no_longer_signs_in(factor):
    client = with_password()
    assert not signed_in(client)
    assert BrowserSession.objects.count() == 1  # the one that set it up


def test_password_and_code_sign_in_and_lead_on(factor):
    client = with_password(next="/search/?q=x")
    assert b"six digits" in client.get(CODE).content
    code = code_of(factor)
    response = client.post(CODE, {"code": f"{code[:3]} {code[3:]}"})
    assert response.url == "/search/?q=x"
    assert signed_in(client)
    assert BrowserSession.objects.count() == 2


def test_no_code_is_right_twice(factor):
    code = code_of(factor)
    assert with_password().post(CODE, {"code": code}).status_code == 302
    again = with_password().post(CODE, {"code": code})
    assert b"was used already" in again.content


def test_code_of_an_earlier_time_is_refused(factor):
    response = with_password().post(CODE, {"code": code_of(factor, -2)})
    assert b"The code is wrong" in response.content
    assert AuditEntry.objects.filter(action="refuse second factor").count() == 1


def test_recovery_code_signs_in_once(viewer, client_of):
    client = client_of(viewer)
    code = codes_in(set_up(client)[1])[3]
    assert signed_in(posted(with_password(), code))
    assert not signed_in(posted(with_password(), code))
    assert b"<dd>9</dd>" in client.get(PAGE).content.replace(b"\n", b"")


def posted(client, code):
    client.post(CODE, {"code": code})
    return client


def test_new_recovery_codes_void_the_old_ones(viewer, client_of):
    client = client_of(viewer)
    old = codes_in(set_up(client)[1])
    new = codes_in(client.post(reverse("accounts:renew_codes")))
    assert not set(old) & set(new)
    assert not signed_in(posted(with_password(), old[0]))
    assert signed_in(posted(with_password(), new[0]))


def test_wrong_codes_lock_like_wrong_passwords(factor):
    client = with_password()
    for _ in range(9):
        client.post(CODE, {"code": "000000"})
    locked = client.post(CODE, {"code": code_of(factor)})
    assert b"Too many attempts" in locked.content
    assert AuditEntry.objects.filter(action="lock sign-in").count() == 1


def test_right_password_gives_no_fresh_attempts_for_codes(factor):
    for _ in range(5):
        client = with_password()
        client.post(CODE, {"code": "000000"})
    locked = client.post(CODE, {"code": code_of(factor)})
    assert b"Too many attempts" in locked.content


def test_full_sign_in_takes_all_attempts_back(factor):
    for ahead in (0, 1):
        client = with_password()
        for _ in range(7):
            client.post(CODE, {"code": "000000"})
        assert signed_in(posted(client, code_of(factor, ahead)))
    assert not Attempts.objects.filter(count__gt=14).exists()


def test_code_page_without_a_password_leads_to_the_sign_in(db):
    response = Client().get(CODE, follow=True)
    assert response.redirect_chain[-1][0] == reverse("accounts:login")
    assert Client().post(CODE, {"code": "123456"}).status_code == 302


def test_right_password_waits_for_its_code_five_minutes(factor, monkeypatch):
    monkeypatch.setattr("accounts.second_step.SECONDS", -1)
    assert with_password().post(CODE, {"code": code_of(factor)}).status_code == 302
    assert BrowserSession.objects.count() == 1


def test_code_page_ends_with_another_password(factor, viewer):
    client = with_password()
    viewer.set_password("quite another phrase")
    viewer.save()
    assert not signed_in(posted(client, code_of(factor)))


def test_code_page_ends_for_a_deactivated_user(factor, viewer):
    client = with_password()
    type(viewer).objects.update(is_active=False)
    assert not signed_in(posted(client, code_of(factor)))


def test_switching_off_needs_a_recent_proof(factor, viewer, client_of):
    client = client_of(viewer)
    long_ago = factor.created_at.replace(year=2020)
    BrowserSession.objects.update(proved_at=long_ago)
    for name in ("remove_factor", "renew_codes", "begin_second_factor"):
        response = client.post(reverse(f"accounts:{name}"))
        assert b"Confirm your password" in response.content, name
    assert SecondFactor.objects.exists()


def test_switched_off_the_password_is_enough(factor, viewer, client_of):
    client_of(viewer).post(reverse("accounts:remove_factor"))
    assert signed_in(with_password())
    assert AuditEntry.objects.filter(action="switch off second factor").exists()


def test_set_up_does_not_replace_the_one_in_use(factor, viewer, client_of):
    before = factor.secret
    client_of(viewer).post(reverse("accounts:begin_second_factor"))
    factor.refresh_from_db()
    assert factor.secret == before


def test_administrator_resets_the_factor_of_another(factor, administrator, client_of):
    response = client_of(administrator).post(
        reverse("accounts:reset_factor", args=[factor.user.pk]), follow=True
    )
    assert b"all sessions ended" in response.content
    assert not factor.user.sessions.exists()
    entry = AuditEntry.objects.get(action="reset second factor")
    assert (entry.actor, entry.object_label) == ("ada", "vera")


def test_there_may_be_nothing_to_reset(viewer, administrator, client_of):
    response = client_of(administrator).post(
        reverse("accounts:reset_factor", args=[viewer.pk]), follow=True
    )
    assert b"vera has no second factor." in response.content


def test_command_resets_the_factor(factor):
    call_command("reset_second_factor", "vera")
    assert not SecondFactor.objects.exists()
    assert AuditEntry.objects.get(action="reset second factor").actor == "cupadmin"
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("reset_second_factor", "vera")
    with pytest.raises(CommandError, match="no user"):
        call_command("reset_second_factor", "nobody")


def test_tokens_go_on_working(factor, viewer, api):
    assert api(viewer).get("/api/v1/jobs/").status_code == 200


def test_password_alone_makes_no_token(factor):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic("vera", PASSWORD))
    response = client.post("/api/v1/tokens/", {"name": "script"})
    assert response.status_code == 401
    assert "second factor" in response.json()["detail"]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_codes_outlive_the_rotation_of_the_key(viewer, client_of, settings):
    codes = codes_in(set_up(client_of(viewer))[1])
    settings.FIELD_KEYS = {"new": b"n" * 32, **settings.FIELD_KEYS}
    assert dict(rotate())["accounts.SecondFactor.secret"] == 1
    settings.FIELD_KEYS = {"new": b"n" * 32}
    factor = SecondFactor.objects.get()
    assert signed_in(posted(with_password(), code_of(factor)))
    assert signed_in(posted(with_password(), codes[0]))


def test_trail_says_that_a_second_factor_was_used(factor):
    posted(with_password(), code_of(factor))
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
    page = client.get(PAGE).content
    assert b"Your role needs a second factor" in page
    assert b"Control Center" not in page
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
    assert client.post(reverse("accounts:logout")).url == reverse("accounts:login")


def test_required_factor_stops_password_tokens(required, administrator):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=basic("ada", PASSWORD))
    assert client.post("/api/v1/tokens/", {"name": "x"}).status_code == 401


def test_unknown_required_role_stops_the_start(settings):
    settings.REQUIRE_SECOND_FACTOR = ["admin"]
    with pytest.raises(Exception, match="REQUIRE_SECOND_FACTOR"):
        call_command("check")


@pytest.mark.django_db(transaction=True)
def test_of_many_that_send_one_code_at_once_one_signs_in(viewer, client_of, settings):
    settings.SIGN_IN_LIMIT = 100
    factor = set_up(client_of(viewer))[0]
    code, clients = code_of(factor), [with_password() for _ in range(6)]
    statuses = []

    def send(client):
        statuses.append(client.post(CODE, {"code": code}).status_code)
        connection.close()

    threads = [threading.Thread(target=send, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [302]
