from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from jobs.models import Job
from notifications.models import Maintenance, Message, Subscriber
from tests.notifications.conftest import judge, sent

API = "/api/v1/"
HOOK = {"name": "Chat", "url": "https://chat.example.com/hook", "topics": ["job"]}


def at(**ahead):
    return (timezone.now() + timedelta(**ahead)).isoformat()


@pytest.fixture
def vera(viewer, api):
    return api(viewer)


@pytest.fixture
def otto(operator, api):
    return api(operator)


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


# subscriptions


def test_a_person_subscribes_changes_it_and_leaves(vera, viewer):
    body = {"channel": "mail", "email": "vera@example.com", "topics": ["peer"]}
    made = vera.post(f"{API}subscriptions/", body)
    assert made.status_code == 201
    url = f"{API}subscriptions/{made.json()['id']}/"
    changed = vera.patch(url, {"topics": ["job", "peer", "job"]})
    assert changed.json()["topics"] == ["peer", "job"]
    assert vera.delete(url).status_code == 204
    assert not Subscriber.objects.exists()
    reported = AuditEntry.objects.filter(action="choose notifications")
    assert [entry.changes.get("topics") for entry in reported.order_by("number")] == [
        [None, ["peer"]],
        [["peer"], ["peer", "job"]],
        [["peer", "job"], []],
    ]


def test_a_second_subscription_by_the_same_channel_is_a_conflict(vera, reader):
    body = {"channel": "page", "topics": ["peer"]}
    assert vera.post(f"{API}subscriptions/", body).status_code == 409
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": "mail", "topics": ["peer"]}, "email"),
        ({"channel": "mail", "email": "x", "topics": ["peer"]}, "email"),
        ({"channel": "page", "email": "v@example.com", "topics": []}, "email"),
        ({"channel": "webhook", "topics": ["peer"]}, "channel"),
        ({"channel": "page", "topics": ["weather"]}, "topics"),
        ({"channel": "page", "topics": "peer"}, "topics"),
        ({"channel": "page"}, "topics"),
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(vera, body, field):
    response = vera.post(f"{API}subscriptions/", body)
    assert response.status_code == 400
    assert field in response.json()["errors"]


def test_a_channel_stays_as_it_is(vera, reader):
    body = {"channel": "mail", "email": "vera@example.com"}
    response = vera.patch(f"{API}subscriptions/{reader.pk}/", body)
    assert "channel" in response.json()["errors"]


def test_nobody_reads_or_changes_the_subscription_of_another(otto, ada, reader):
    url = f"{API}subscriptions/{reader.pk}/"
    for client in (otto, ada):
        assert client.get(f"{API}subscriptions/").json()["count"] == 0
        assert client.get(url).status_code == 404
        assert client.delete(url).status_code == 404


# webhooks


def test_a_webhook_without_a_secret_is_given_one_that_is_shown_once(ada):
    made = ada.post(f"{API}webhooks/", HOOK).json()
    saved = Subscriber.objects.get()
    assert saved.unseal("secret").reveal() == made["secret"]
    again = ada.get(f"{API}webhooks/{made['id']}/").json()
    assert "secret" not in again
    assert again["secret_set"] is True
    assert made["secret"] not in str(AuditEntry.objects.values_list("changes"))


def test_a_secret_that_was_given_is_kept_and_not_repeated(ada):
    secret = "known to the receiver already"
    made = ada.post(f"{API}webhooks/", {**HOOK, "secret": secret})
    assert secret not in made.content.decode()
    assert Subscriber.objects.get().unseal("secret").reveal() == secret


def test_an_edit_keeps_the_secret_unless_it_brings_a_new_one(ada):
    made = ada.post(f"{API}webhooks/", HOOK).json()
    url = f"{API}webhooks/{made['id']}/"
    assert ada.patch(url, {"name": "Room"}).json()["name"] == "Room"
    assert Subscriber.objects.get().unseal("secret").reveal() == made["secret"]
    answer = ada.patch(url, {"secret": "another long secret"})
    assert "another" not in answer.content.decode()
    assert Subscriber.objects.get().unseal("secret").reveal() == "another long secret"
    entries = AuditEntry.objects.filter(action="edit webhook").order_by("number")
    assert [entry.changes for entry in entries] == [
        {"name": ["Chat", "Room"]},
        {"secret": [None, "changed"]},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://chat.example.com/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://u:p@chat.example.com/"},
        {"url": "ftp://chat.example.com/"},
        {"url": ""},
        {"name": ""},
        {"topics": []},
        {"secret": "short"},
        {"secret": "with\na control character"},
    ],
)
def test_a_webhook_that_may_not_be_is_refused(ada, wrong):
    response = ada.post(f"{API}webhooks/", {**HOOK, **wrong})
    assert response.status_code == 400
    assert list(wrong)[0] in response.json()["errors"]
    assert not Subscriber.objects.exists()


def test_a_webhook_is_tried_and_its_delivery_can_be_watched(ada, webhook, webserver):
    answer = ada.post(f"{API}webhooks/{webhook.pk}/test/")
    assert answer.status_code == 202
    delivery = f"{API}deliveries/{answer.json()['delivery']}/"
    assert ada.get(delivery).json()["state"] == "waiting"
    assert sent().state == Job.State.SUCCEEDED
    reported = ada.get(delivery).json()
    assert (reported["state"], reported["channel"]) == ("sent", "webhook")
    assert len(webserver.calls) == 1


def test_a_person_is_no_webhook(ada, reader):
    assert ada.get(f"{API}webhooks/{reader.pk}/").status_code == 404


# maintenance windows


def test_a_window_is_planned_moved_and_cancelled(otto, home):
    expected = {"cluster": str(home.pk), "reason": "Upgrade"}
    expected |= {"begins_at": at(hours=5), "ends_at": at(hours=9)}
    made = otto.post(f"{API}maintenance-windows/", expected)
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["created_by"]) == ("planned", "otto")
    url = f"{API}maintenance-windows/{made.json()['id']}/"
    assert otto.patch(url, {"ends_at": at(hours=12)}).status_code == 200
    assert otto.post(f"{url}end/").status_code == 409
    assert otto.delete(url).status_code == 204
    actions = AuditEntry.objects.filter(object_type="maintenance")
    assert list(actions.order_by("number").values_list("action", flat=True)) == [
        "plan maintenance",
        "edit maintenance",
        "cancel maintenance",
    ]


def test_a_window_of_nobody_in_particular_says_so_after_a_change_too(otto, home):
    expected = {"cluster": str(home.pk), "ends_at": at(hours=1)}
    made = otto.post(f"{API}maintenance-windows/", expected).json()
    Maintenance.objects.update(created_by=None)
    changed = otto.patch(f"{API}maintenance-windows/{made['id']}/", {})
    assert changed.json()["created_by"] is None


def test_a_window_without_a_beginning_begins_now_and_can_be_ended(otto, home):
    expected = {"cluster": str(home.pk), "ends_at": at(hours=1)}
    made = otto.post(f"{API}maintenance-windows/", expected).json()
    assert made["state"] == "open"
    url = f"{API}maintenance-windows/{made['id']}/"
    assert otto.delete(url).status_code == 409
    assert otto.patch(url, {"begins_at": at(minutes=9)}).status_code == 409
    assert otto.patch(url, {"reason": "Longer"}).json()["reason"] == "Longer"
    assert otto.post(f"{url}end/").json()["state"] == "past"
    assert otto.post(f"{url}end/").status_code == 409
    assert otto.patch(url, {"reason": "Too late"}).status_code == 409


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"ends_at": at(hours=-1)}, "ends_at"),
        ({"ends_at": at(days=15)}, "ends_at"),
        ({"begins_at": at(hours=2), "ends_at": at(hours=1)}, "ends_at"),
        ({"begins_at": at(hours=-2), "ends_at": at(hours=1)}, "begins_at"),
        ({"begins_at": at(days=800), "ends_at": at(days=801)}, "begins_at"),
        ({"ends_at": "9999-12-31T23:59:59-23:59"}, "ends_at"),
        ({"begins_at": at(hours=1)}, "ends_at"),
    ],
)
def test_a_window_at_an_odd_time_is_refused(otto, home, times, field):
    body = {"cluster": str(home.pk), **times}
    response = otto.post(f"{API}maintenance-windows/", body)
    assert response.status_code == 400
    assert field in response.json()["errors"]


def test_windows_are_found_by_state(otto, home):
    now, hour = timezone.now(), timedelta(hours=1)
    for n in (-5, 0, 5):
        Maintenance.objects.create(
            cluster=home, begins_at=now + n * hour, ends_at=now + (n + 2) * hour
        )
    for state in ("past", "open", "planned"):
        query = {"state": state, "cluster": str(home.pk)}
        (found,) = otto.get(f"{API}maintenance-windows/", query).json()["results"]
        assert found["state"] == state


def test_a_planned_window_silences_only_from_its_beginning_on(reader, peers, otto):
    cluster = peers[0].cluster
    body = {"cluster": str(cluster.pk), "begins_at": at(hours=1), "ends_at": at(days=1)}
    assert otto.post(f"{API}maintenance-windows/", body).status_code == 201
    assert judge("failed", peers[0]) == 1
    Maintenance.objects.update(begins_at=timezone.now() - timedelta(seconds=1))
    assert judge("failed", peers[1]) == 0


# deliveries


def test_a_person_reads_their_own_messages_and_marks_them(vera, otto, reader, peers):
    judge("failed", *peers)
    assert otto.get(f"{API}deliveries/").json()["count"] == 0
    (reported,) = vera.get(f"{API}deliveries/", {"unread": "true"}).json()["results"]
    assert (reported["state"], len(reported["events"])) == ("sent", 3)
    assert otto.post(f"{API}deliveries/read/").status_code == 204
    assert Message.objects.get().read_at is None
    assert vera.post(f"{API}deliveries/read/").status_code == 204
    assert vera.get(f"{API}deliveries/", {"unread": "true"}).json()["count"] == 0


def test_administrators_see_what_webhooks_did_not_get(ada, otto, webhook):
    webhook.messages.create(error="The webhook answered with status 500.")
    query = {"state": "failed", "channel": "webhook"}
    (reported,) = ada.get(f"{API}deliveries/", query).json()["results"]
    assert reported["subscriber"] == str(webhook.pk)
    assert "500" in reported["error"]
    assert otto.get(f"{API}deliveries/", query).json()["count"] == 0
    for state in ("sent", "waiting"):
        query["state"] = state
        assert ada.get(f"{API}deliveries/", query).json()["count"] == 0
