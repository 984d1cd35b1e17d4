import hashlib
import hmac
import json

import pytest
from django.urls import reverse
from django.utils.html import escape

from jobs.engine import perform_job
from jobs.models import Job
from notifications.delivery import WebhookPolicy, webhook_policy
from notifications.jobs.send import BACKOFF
from notifications.models import Message, Subscriber
from tests.notifications.conftest import judge, sent
from wire import WireError


def test_a_mail_tells_what_happened_with_a_link(smtp, mailed, peers, settings):
    settings.CONSOLE_URL = "https://cup.example.com"
    judge("failed", peers[0])
    assert sent().state == Job.State.SUCCEEDED
    [mail] = smtp.mails
    assert f"Subject: [cupadmin] Peer {peers[0].address}" in mail
    assert f"https://cup.example.com{peers[0].get_absolute_url()}" in mail


def test_a_webhook_is_signed(webserver, webhook, peers):
    judge("failed", *peers)
    assert sent().state == Job.State.SUCCEEDED
    [(path, headers, body)] = webserver.calls
    signed = headers["X-Cupadmin-Timestamp"].encode() + b"." + body
    digest = hmac.new(b"a shared secret", signed, hashlib.sha256).hexdigest()
    assert headers["X-Cupadmin-Signature"] == f"sha256={digest}"
    assert (path, len(json.loads(body)["events"])) == ("/hook?room=1", 3)


def test_a_webhook_that_fails_is_tried_again_with_the_same_message(
    webserver, webhook, peers
):
    webserver.statuses += [500, 503]
    judge("failed", peers[0])
    assert sent().state == Job.State.SUCCEEDED
    assert len(webserver.calls) == 3
    assert len({body for _, _, body in webserver.calls}) == 1
    assert len({head["X-Cupadmin-Delivery"] for _, head, _ in webserver.calls}) == 1


def test_while_it_is_tried_again_the_pages_say_why(
    webserver, webhook, peers, client_of, administrator
):
    webserver.statuses += [500] * 100
    judge("failed", peers[0])
    job = Job.objects.get(kind="send-notifications")
    perform_job(str(job.pk))
    client = client_of(administrator)
    url = reverse("notifications:edit_webhook", args=[webhook.pk])
    step = job.steps.get()
    assert step.memo["failures"] == 1 and "500" in step.detail
    for page in (job.get_absolute_url(), url):
        assert escape(step.detail) in client.get(page).content.decode()
    assert peers[0].address in step.label


def test_after_all_attempts_it_is_given_up_and_said_why(webserver, webhook, peers):
    webserver.statuses += [500] * 100
    judge("failed", peers[0])
    job = sent()
    assert (job.state, len(webserver.calls)) == ("failed", len(BACKOFF) + 1)
    assert "500" in Message.objects.get().error
    webserver.statuses.clear()
    judge("failed", peers[1])
    assert sent().state == Job.State.SUCCEEDED


def test_a_redirect_is_not_followed(webserver, webhook, peers):
    webserver.statuses += [302] * 100
    judge("failed", peers[0])
    sent()
    assert {path for path, _, _ in webserver.calls} == {"/hook?room=1"}


def test_what_comes_soon_after_waits_and_is_one_message(webserver, webhook, peers):
    judge("failed", peers[0])
    sent()
    judge("failed", peers[1])
    later = Job.objects.get(kind="send-notifications", state="queued")
    perform_job(str(later.pk))
    judge("failed", peers[2])
    assert len(webserver.calls) == 1
    waiting = Message.objects.get(closed_at=None)
    assert len(waiting.events) == 2


def test_without_the_setting_a_webhook_to_this_machine_is_refused(
    webserver, webhook, peers, settings
):
    settings.WEBHOOK_NETWORKS = []
    judge("failed", peers[0])
    error = sent().error
    assert "127.0.0.1" in error and "networks" in error
    assert webserver.calls == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
    ],
)
def test_no_address_inside_is_dialled(settings, address):
    settings.WEBHOOK_NETWORKS = []
    with pytest.raises(WireError):
        webhook_policy("https").check(address)


def test_public_addresses_are_dialled_only_with_tls(settings):
    settings.WEBHOOK_NETWORKS = ["10.0.0.0/8"]
    assert webhook_policy("https").allows("9.9.9.9")
    assert webhook_policy("https").allows("10.0.0.1")
    assert webhook_policy("http").allows("10.0.0.1")
    assert not webhook_policy("http").allows("9.9.9.9")
    assert not WebhookPolicy().allows("192.168.0.1")


def test_a_secret_is_not_stored_in_clear(webhook):
    assert "a shared secret" not in str(Subscriber.objects.values().get())


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Console <console@cup.example.com>", "cup.example.com"),
        ("console@cup.example.com", "cup.example.com"),
    ],
)
def test_a_message_id_has_the_domain_of_the_sender(
    smtp, mailed, peers, settings, sender, domain
):
    settings.DEFAULT_FROM_EMAIL = sender
    judge("failed", peers[0])
    sent()
    [mail] = smtp.mails
    assert f"Message-ID: <{Message.objects.get().pk}@{domain}>\r\n" in mail


def test_a_webhook_with_letters_beyond_ascii_is_called(webserver, webhook, peers):
    webhook.url = webhook.url.replace("hook?room=1", "hök%20?room=größe&x=%C3%B6")
    webhook.save()
    judge("failed", peers[0])
    assert sent().state == Job.State.SUCCEEDED
    [(path, _, _)] = webserver.calls
    assert path == "/h%C3%B6k%20?room=gr%C3%B6%C3%9Fe&x=%C3%B6"


def test_who_was_deactivated_meanwhile_gets_no_mail(smtp, mailed, peers):
    judge("failed", peers[0])
    mailed.user.is_active = False
    mailed.user.save()
    sent()
    assert smtp.mails == []
