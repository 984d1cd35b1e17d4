import pytest
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, BrowserSession

URL = "/administration/system/sign-in/"
PASSWORD = "correct horse battery"


def sign_in(name, password=PASSWORD, client=None, **extra):
    client = client or Client()
    return client.post(URL, {"login": name, "password": password}, **extra)


def test_right_password_leads_to_the_overview(viewer):
    response = sign_in("vera")
    assert response.status_code == 302
    assert response.url == "/"


def test_sign_in_leads_on_to_the_page_that_was_asked_for(viewer):
    response = Client().post(
        URL, {"login": "vera", "password": PASSWORD, "next": "/search/?q=x"}
    )
    assert response.url == "/search/?q=x"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", r"\\evil.example", "javascript:1"],
)
def test_sign_in_never_leads_to_another_host(viewer, target):
    response = Client().post(
        URL, {"login": "vera", "password": PASSWORD, "next": target}
    )
    assert response.url == "/"


def test_page_without_sign_in_leads_to_the_sign_in(db):
    response = Client().get("/search/?q=x")
    assert response.status_code == 302
    assert response.url == f"{URL}?next=/search/%3Fq%3Dx"


def test_sign_in_is_recorded_with_its_address(viewer):
    sign_in("vera", REMOTE_ADDR="192.0.2.9")
    entry = AuditEntry.objects.get(action="sign in")
    assert (entry.actor, entry.address) == ("vera", "192.0.2.9")
    assert entry.request_id


def test_sign_out_is_recorded_and_ends_the_session(viewer, client_of):
    client = client_of(viewer)
    client.post(reverse("account_logout"))
    assert AuditEntry.objects.filter(action="sign out", actor="vera").exists()
    assert client.get("/").status_code == 302
    assert not BrowserSession.objects.exists()


def test_sign_out_needs_a_post(viewer, client_of):
    assert client_of(viewer).get(reverse("account_logout")).status_code == 405


def test_refused_sign_in_names_a_known_user_only(viewer):
    sign_in("vera", "wrong")
    sign_in("my secret typed into the wrong field", "wrong")
    known, unknown = AuditEntry.objects.order_by("number")
    assert (known.actor, known.object_label) == ("anonymous", "vera")
    assert (unknown.actor, unknown.object_label) == ("anonymous", "")


def test_wrong_name_and_wrong_password_read_alike(viewer):
    shown = [sign_in("nobody"), sign_in("vera", "wrong")]
    forms = [answer.context["form"] for answer in shown]
    assert all(form.has_error(NON_FIELD_ERRORS, "wrong") for form in forms)
    assert forms[0].errors == forms[1].errors


def test_inactive_user_is_refused(viewer):
    User.objects.update(is_active=False)
    assert sign_in("vera").status_code == 200


def test_eleventh_attempt_is_refused_even_with_the_right_password(viewer):
    for _ in range(10):
        sign_in("vera", "wrong")
    response = sign_in("vera")
    assert response.status_code == 200
    form = response.context["form"]
    assert form.has_error(NON_FIELD_ERRORS, "locked")
    assert " 15 minutes" in form.non_field_errors()[0]
    assert AuditEntry.objects.filter(action="lock sign-in").count() == 1


def test_lock_is_recorded_once(viewer):
    for _ in range(14):
        sign_in("vera", "wrong")
    assert AuditEntry.objects.filter(action="refuse sign-in").count() == 10
    assert AuditEntry.objects.filter(action="lock sign-in").count() == 1


def test_lock_holds_for_the_address_that_earned_it(viewer):
    for _ in range(11):
        sign_in("vera", "wrong", REMOTE_ADDR="192.0.2.66")
    assert sign_in("vera", REMOTE_ADDR="192.0.2.1").status_code == 302


def test_one_address_cannot_try_many_names(viewer, settings):
    settings.SIGN_IN_LIMIT = 2
    for number in range(10):
        sign_in(f"guess{number}", "wrong")
    form = sign_in("vera").context["form"]
    assert form.has_error(NON_FIELD_ERRORS, "locked")


def test_lock_ends_after_its_time(viewer, settings):
    settings.SIGN_IN_LOCK_MINUTES = 0
    for _ in range(15):
        sign_in("vera", "wrong")
    assert sign_in("vera").status_code == 302


def test_right_password_takes_the_attempts_back(viewer):
    for _ in range(3):
        for _ in range(9):
            sign_in("vera", "wrong")
        assert sign_in("vera").status_code == 302


def test_nul_in_a_name_is_a_wrong_name(db):
    assert sign_in("ve\0ra", "x").status_code == 200


def test_sign_in_form_keeps_the_name_and_never_the_password(viewer):
    response = sign_in("vera", "wrong pass phrase")
    assert b'value="vera"' in response.content
    assert b"wrong pass phrase" not in response.content


def test_sign_in_without_csrf_token_is_refused(viewer):
    client = Client(enforce_csrf_checks=True)
    response = sign_in("vera", client=client)
    assert response.status_code == 403
    assert response.templates[0].name == "403_csrf.html"


def test_answer_to_a_script_shows_no_password(viewer):
    wrong = "wrong pass phrase"
    for headers in (
        {"accept": "application/json"},
        {"x-requested-with": "XMLHttpRequest"},
    ):
        response = sign_in("vera", wrong, headers=headers)
        assert response["Content-Type"].startswith("text/html")
        assert wrong.encode() not in response.content


def test_key_of_a_browser_changes_with_the_password(viewer):
    """Who planted a key in a browser holds nothing after the password was typed."""
    from tests.accounts.test_second_factor import set_up

    client = Client()
    client.force_login(viewer)
    set_up(client)
    planted = Client()
    planted.get(URL + "code/", follow=True)
    planted.session.save()
    before = planted.cookies["cupadmin-sid"].value
    sign_in("vera", client=planted)
    assert planted.cookies["cupadmin-sid"].value != before
    thief = Client()
    thief.cookies["cupadmin-sid"] = before
    assert thief.get(URL + "code/").url == URL
