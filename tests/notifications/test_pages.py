from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.users import limit_user
from jobs.models import Job
from notifications.models import Maintenance, Message, Subscriber
from tests.elements import elements
from tests.notifications.conftest import judge

MINE = reverse("notifications:mine")
WEBHOOKS = reverse("notifications:webhooks")


def test_a_person_chooses_what_to_be_told_here_and_by_mail(client_of, viewer):
    chosen = {"topics": ["peer", "job"], "email": "vera@example.com"}
    response = client_of(viewer).post(MINE, chosen)
    assert response.status_code == 302
    saved = {one.channel: one for one in Subscriber.objects.filter(user=viewer)}
    assert saved["page"].topics == saved["mail"].topics == ["peer", "job"]
    assert saved["mail"].email == "vera@example.com"


def test_without_an_address_no_mail_is_sent_any_more(client_of, viewer):
    client = client_of(viewer)
    client.post(MINE, {"topics": ["peer"], "email": "vera@example.com"})
    client.post(MINE, {"topics": ["peer"], "email": ""})
    assert [one.channel for one in Subscriber.objects.all()] == ["page"]


def test_a_topic_that_does_not_exist_is_refused(client_of, viewer):
    response = client_of(viewer).post(MINE, {"topics": ["weather"]})
    assert response.context["form"].has_error("topics", "invalid_choice")
    assert not Subscriber.objects.exists()


def test_the_page_tells_with_links_and_marks_as_read(client_of, viewer, reader, peers):
    judge("failed", *peers)
    client = client_of(viewer)
    content = client.get(MINE).content.decode()
    assert all(peer.get_absolute_url() in content for peer in peers)
    client.post(reverse("notifications:read"))
    assert Message.objects.get().read_at is not None


def test_nobody_sees_what_another_was_told(client_of, operator, reader, peers):
    judge("failed", peers[0])
    client = client_of(operator)
    assert peers[0].address not in client.get(MINE).content.decode()
    client.post(reverse("notifications:read"))
    assert Message.objects.get().read_at is None


def test_choosing_here_keeps_what_was_chosen_by_rest(client_of, viewer, reader):
    reader.topics = ["peer", "job"]
    reader.save()
    Subscriber.objects.create(
        user=viewer, channel="mail", email="v@example.com", topics=["peer", "agent"]
    )
    client = client_of(viewer)
    form = client.get(MINE).context["form"]
    assert form.initial["topics"] == ["peer", "agent", "job"]
    topics = ["agent", "certificate", "job"]
    client.post(MINE, {"topics": topics, "email": "v@example.com"})
    saved = {one.channel: one.topics for one in Subscriber.objects.all()}
    assert saved == {"page": ["certificate", "job"], "mail": ["agent", "certificate"]}


def test_a_page_that_a_limit_empties_still_leads_to_the_others(
    client_of, reader, peers, home
):
    judge("failed", peers[0])
    message = Message.objects.get()
    elsewhere = [{**message.events[0], "clusters": [str(uuid4())]}]
    for _ in range(25):
        reader.messages.create(events=elsewhere, closed_at=message.created_at)
    limit_user(reader.user, [str(home.pk)])
    answer = client_of(reader.user).get(MINE)
    read = reverse("notifications:read")
    assert elements(answer, f"//form[@action='{read}']")
    assert elements(answer, "//*[@rel='next']")
    assert list(answer.context["page"]) == []
    assert len(elements(answer, "//tbody/tr")) == 1  # says why it is empty
    older = client_of(reader.user).get(MINE, {"page": 2}).content.decode()
    assert f"Peer {peers[0]} failed." in older


def test_many_webhooks_are_listed_in_as_many_queries_as_few(client_of, administrator):
    client = client_of(administrator)
    for n in range(8):
        webhook = Subscriber.objects.create(channel="webhook", name=f"Chat {n}")
        for error in (f"Old {n}.", f"New {n}."):
            webhook.messages.create(error=error, closed_at=timezone.now())
    with CaptureQueriesContext(connection) as requested:
        content = client.get(WEBHOOKS).content.decode()
    assert sum("notifications_message" in one["sql"] for one in requested) == 1
    assert all(f"New {n}." in content for n in range(8))
    assert "Old" not in content


def add(client, url):
    return client.post(WEBHOOKS, {"name": "Chat", "url": url, "topics": ["peer"]})


def test_a_new_webhook_shows_its_secret_once(client_of, administrator):
    client = client_of(administrator)
    content = add(client, "https://chat.example.com/hook").content.decode()
    secret = Subscriber.objects.get().unseal("secret").reveal()
    assert secret in content
    assert secret not in client.get(WEBHOOKS).content.decode()
    assert AuditEntry.objects.filter(action="add webhook").exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://10.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::1",
        "https://2130706433/hook",
        "https://user:word@chat.example.com/",
        "http://chat.example.com/hook",
        "ftp://chat.example.com/",
        "javascript:alert(1)",
    ],
)
def test_a_webhook_that_may_not_be_called_is_refused(client_of, administrator, url):
    response = add(client_of(administrator), url)
    assert "url" in response.context["form"].errors
    assert not Subscriber.objects.exists()


def test_a_webhook_is_tried_and_deleted(client_of, administrator):
    client = client_of(administrator)
    add(client, "https://chat.example.com/hook")
    webhook = Subscriber.objects.get()
    client.post(reverse("notifications:test_webhook", args=[webhook.pk]))
    assert Job.objects.get().kind == "send-notifications"
    assert Message.objects.get().events[0]["topic"] == "test"
    client.post(reverse("notifications:delete_webhook", args=[webhook.pk]))
    assert not Subscriber.objects.exists()


def test_a_webhook_is_edited_and_keeps_its_secret(client_of, administrator):
    client = client_of(administrator)
    add(client, "https://chat.example.com/hook")
    webhook = Subscriber.objects.get()
    url = reverse("notifications:edit_webhook", args=[webhook.pk])
    fields = {"name": "Room", "url": "https://chat.example.com/2", "topics": ["job"]}
    assert client.post(url, fields).status_code == 302
    saved = Subscriber.objects.get()
    assert (saved.name, saved.url, saved.topics) == ("Room", fields["url"], ["job"])
    assert saved.unseal("secret").reveal() == webhook.unseal("secret").reveal()
    entry = AuditEntry.objects.get(action="edit webhook")
    assert entry.changes["name"] == ["Chat", "Room"]


def test_a_replaced_secret_is_shown_once(client_of, administrator):
    client = client_of(administrator)
    add(client, "https://chat.example.com/hook")
    webhook = Subscriber.objects.get()
    url = reverse("notifications:edit_webhook", args=[webhook.pk])
    fields = {"name": "Chat", "url": webhook.url, "topics": ["job"]}
    content = client.post(url, {**fields, "renew_secret": "on"}).content.decode()
    secret = Subscriber.objects.get().unseal("secret").reveal()
    assert secret != webhook.unseal("secret").reveal()
    assert secret in content
    assert secret not in client.get(url).content.decode()


def test_an_edit_that_is_refused_keeps_what_was_typed(client_of, administrator):
    client = client_of(administrator)
    add(client, "https://chat.example.com/hook")
    url = reverse("notifications:edit_webhook", args=[Subscriber.objects.get().pk])
    fields = {"name": "Room", "url": "https://10.0.0.1/", "topics": ["job"]}
    answer = client.post(url, fields)
    assert answer.context["form"].errors.keys() == {"url"}
    assert "https://10.0.0.1/" in answer.content.decode()
    assert Subscriber.objects.get().name == "Chat"


def test_the_webhook_page_tells_what_did_not_arrive(client_of, administrator, webhook):
    webhook.messages.create(error="The webhook answered with status 500.")
    client = client_of(administrator)
    url = reverse("notifications:edit_webhook", args=[webhook.pk])
    assert "answered with status 500" in client.get(url).content.decode()
    mine = client.get(MINE)
    assert mine.context["undelivered"] == 1
    assert elements(mine, "//*[@class='notice failed']//a/@href") == [WEBHOOKS]
    badge = client.get(reverse("notifications:badge")).content.decode()
    assert '1<span class="visually-hidden"> not delivered' in badge


def test_the_header_counts_what_is_unread(client_of, viewer, reader, peers, webhook):
    webhook.messages.create(error="The webhook answered with status 500.")
    client, url = client_of(viewer), reverse("notifications:badge")
    judge("failed", peers[0])
    badge = client.get(url).content.decode()
    assert '1<span class="visually-hidden"> unread' in badge
    assert "not delivered" not in badge
    client.post(reverse("notifications:read"))
    assert "unread" not in client.get(url).content.decode()


def test_one_cannot_delete_a_person_as_a_webhook(client_of, administrator, reader):
    url = reverse("notifications:delete_webhook", args=[reader.pk])
    assert client_of(administrator).post(url).status_code == 404


def test_an_operator_begins_and_ends_maintenance(client_of, operator, home):
    client = client_of(operator)
    url = reverse("notifications:maintenance", args=[home.pk])
    planned = timezone.now() + timedelta(days=2)
    client.post(url, {"hours": 3, "reason": "Next", "begins_at": f"{planned:%FT%H:%M}"})
    client.post(url, {"hours": 3, "reason": "Upgrade"})
    assert Maintenance.objects.open().get().reason == "Upgrade"
    end = reverse("notifications:end_maintenance", args=[home.pk])
    assert end in client.get(url).content.decode()
    client.post(end)
    assert not Maintenance.objects.open().exists()
    assert Maintenance.objects.upcoming().get().reason == "Next"
    content = client.get(url).content.decode()
    assert end not in content
    assert f"{planned:%Y-%m-%d %H:%M}" in content


def test_an_operator_cancels_a_planned_window_and_no_other(client_of, operator, home):
    client = client_of(operator)
    now, hour = timezone.now(), timedelta(hours=1)
    for begins_at in (now - hour, now + hour):
        window = Maintenance.objects.create(
            cluster=home, begins_at=begins_at, ends_at=begins_at + 3 * hour
        )
        url = reverse("notifications:cancel_maintenance", args=[window.pk])
        client.post(url)
    assert Maintenance.objects.get().begins_at == now - hour
    assert AuditEntry.objects.filter(action="cancel maintenance").count() == 1


@pytest.mark.parametrize("begins_at", ["x", "2020-01-01T00:00", "2999-01-01T00:00"])
def test_a_window_at_an_odd_time_is_refused(client_of, operator, home, begins_at):
    url = reverse("notifications:maintenance", args=[home.pk])
    response = client_of(operator).post(url, {"hours": 1, "begins_at": begins_at})
    assert response.context["form"].errors.keys() == {"begins_at"}
    assert not Maintenance.objects.exists()


@pytest.mark.parametrize("hours", ["0", "-1", "9999", "x", ""])
def test_a_window_without_a_sensible_length_is_refused(
    client_of, operator, home, hours
):
    url = reverse("notifications:maintenance", args=[home.pk])
    response = client_of(operator).post(url, {"hours": hours})
    assert response.context["form"].errors.keys() == {"hours"}
    assert not Maintenance.objects.exists()


def test_a_viewer_sees_the_maintenance_and_cannot_change_it(client_of, viewer, home):
    client = client_of(viewer)
    url = reverse("notifications:maintenance", args=[home.pk])
    response = client.get(url, headers={"HX-Request": "true"})
    assert not response.context["windows"]
    fragment = response.content
    assert b"<form" not in fragment
    assert b"<details" not in fragment
    assert client.post(url, {"hours": 1}).status_code == 403
