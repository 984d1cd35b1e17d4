from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.browsers import browser_name
from accounts.models import AuditEntry, BrowserSession
from accounts.tasks import clean_accounts
from tests.elements import codes_in

SESSIONS = "/administration/system/sessions/"


def earlier(**delta):
    return timezone.now() - timedelta(**delta)


def test_idle_session_ends(viewer, client_of):
    client = client_of(viewer)
    BrowserSession.objects.update(seen_at=earlier(minutes=31))
    assert client.get("/").status_code == 302
    assert not BrowserSession.objects.exists()


def test_what_an_ended_session_sent_is_said_to_be_lost(viewer, client_of):
    client, page = (
        client_of(viewer),
        "/administration/presence/inter-clustering/?rows=20",
    )
    BrowserSession.objects.update(seen_at=earlier(minutes=31))
    heads = {"Referer": f"http://testserver{page}"}
    answer = client.post(reverse("overview:check_now"), headers=heads, follow=True)
    assert codes_in(answer) == ["lost"]
    assert answer.redirect_chain[0][0].endswith(quote(page))


def test_another_site_does_not_say_where_the_sign_in_leads(client, db):
    heads = {"Referer": "https://elsewhere.example/page/"}
    answer = client.post(reverse("overview:check_now"), headers=heads)
    assert answer["Location"].endswith("?next=/")


def test_visits_keep_a_session_alive(viewer, client_of):
    client = client_of(viewer)
    BrowserSession.objects.update(seen_at=earlier(minutes=20))
    assert client.get("/").status_code == 200
    assert BrowserSession.objects.get().seen_at > earlier(minutes=1)


def test_polls_keep_no_session_alive(viewer, client_of):
    client = client_of(viewer)
    long_ago = earlier(minutes=20)
    BrowserSession.objects.update(seen_at=long_ago)
    client.get(reverse("jobs:badge"), headers={"HX-Request": "true", "HX-Poll": "true"})
    assert BrowserSession.objects.get().seen_at == long_ago


def test_no_session_outlives_its_hours(viewer, client_of):
    client = client_of(viewer)
    BrowserSession.objects.update(began_at=earlier(hours=8, minutes=1))
    assert client.get("/").status_code == 302


def test_ended_session_is_signed_out_at_once(viewer, client_of):
    lost, mine = client_of(viewer), client_of(viewer)
    row = BrowserSession.objects.order_by("began_at").first()
    mine.post(reverse("accounts:end_session", args=[row.pk]))
    assert lost.get("/").status_code == 302
    assert mine.get("/").status_code == 200
    assert AuditEntry.objects.filter(action="end session").exists()


def test_the_session_its_sign_in_and_the_role_take_three_queries(
    viewer, client_of, django_assert_num_queries
):
    client = client_of(viewer)
    with django_assert_num_queries(3):
        client.get(reverse("search"))


def test_a_session_of_an_older_password_is_signed_out(viewer, client_of):
    client = client_of(viewer)
    viewer.set_password("another long password")
    viewer.save()
    assert client.get("/").status_code == 302


def test_a_session_of_a_user_who_was_switched_off_is_signed_out(viewer, client_of):
    client = client_of(viewer)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    assert client.get("/").status_code == 302


def test_a_session_of_a_way_to_sign_in_that_is_gone_is_signed_out(
    viewer, client_of, settings
):
    client = client_of(viewer)
    settings.AUTHENTICATION_BACKENDS = ["accounts.backends.LockoutBackend"]
    assert client.get("/").status_code == 302


def test_a_sign_in_of_another_user_is_worth_nothing(viewer, operator, client_of):
    client = client_of(viewer)
    BrowserSession.objects.update(user=operator)
    assert client.get("/").status_code == 302


def test_others_end_together(viewer, client_of):
    lost, mine = client_of(viewer), client_of(viewer)
    mine.post(reverse("accounts:end_other_sessions"))
    assert lost.get("/").status_code == 302
    assert mine.get("/").status_code == 200


def test_there_may_be_no_other_session(viewer, client_of):
    response = client_of(viewer).post(
        reverse("accounts:end_other_sessions"), follow=True
    )
    assert [one.level_tag for one in response.context["messages"]] == ["info"]


def test_nobody_ends_the_session_of_another(viewer, operator, client_of):
    client_of(operator)
    row = operator.sessions.get()
    response = client_of(viewer).post(reverse("accounts:end_session", args=[row.pk]))
    assert response.status_code == 404
    assert operator.sessions.exists()


def test_list_shows_where_each_began(viewer, client_of):
    client = Client(REMOTE_ADDR="192.0.2.77", headers={"user-agent": "Lynx/2.9"})
    client.force_login(viewer)
    BrowserSession.objects.update(address="192.0.2.77", agent="Lynx/2.9")
    content = client_of(viewer).get(SESSIONS).content
    assert b"192.0.2.77" in content
    assert b"Lynx/2.9" in content


def test_password_change_ends_the_other_sessions(viewer, client_of):
    other, mine = client_of(viewer), client_of(viewer)
    fresh = "a much better pass phrase"
    response = mine.post(
        reverse("account_change_password"),
        {
            "oldpassword": "correct horse battery",
            "password1": fresh,
            "password2": fresh,
        },
    )
    assert response.status_code == 302
    assert mine.get("/").status_code == 200
    assert other.get("/").status_code == 302
    entry = AuditEntry.objects.get(action="change password")
    assert entry.changes == {"password": ["changed", "changed"]}


def test_current_password_cannot_be_tried_without_a_limit(viewer, client_of):
    client, fresh = client_of(viewer), "a much better pass phrase"
    url = reverse("account_change_password")
    fields = {"password1": fresh, "password2": fresh}
    for number in range(10):
        client.post(url, fields | {"oldpassword": f"guess {number}"})
    response = client.post(url, fields | {"oldpassword": "correct horse battery"})
    assert b"Too many attempts" in response.content
    viewer.refresh_from_db()
    assert viewer.check_password("correct horse battery")


def test_short_and_common_passwords_are_refused(viewer, client_of):
    client = client_of(viewer)
    for weak in ("short", "password1234"):
        fields = {"password1": weak, "password2": weak}
        response = client.post(
            reverse("account_change_password"),
            {"oldpassword": "correct horse battery", **fields},
        )
        assert response.status_code == 200, weak


def test_rows_of_old_sessions_are_cleaned_up(viewer, client_of):
    client_of(viewer)
    BrowserSession.objects.update(began_at=earlier(hours=9))
    clean_accounts.run()
    assert not BrowserSession.objects.exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
            "Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
            "Edge 126 on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) "
            "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
            "Mobile/15E148 Safari/604.1",
            "Safari 17 on iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named(agent, name):
    assert browser_name(agent) == name
