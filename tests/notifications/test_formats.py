"""What chats and templates are sent, also when a cluster names things oddly."""

import json

import pytest
from django.urls import reverse

from notifications import bodies
from notifications.models import Message, Subscriber
from tests.notifications.conftest import judge, sent

URL = "https://chat.example.com/hook"
API = "/api/v1/webhooks/"
HOSTILE = 'a <!channel> & [x](https://evil.example) "} \n *b*'


def event(text="Peer 10.0.0.1 on berlin failed.", **changes):
    return {
        "topic": "peer",
        "key": "peer:1",
        "state": "failed",
        "text": text,
        "url": "/administration/presence/",
        "at": "2026-01-31T08:15:00+00:00",
        **changes,
    }


@pytest.fixture
def body(settings, db):
    """The body that a webhook of a format is sent."""
    settings.CONSOLE_URL = "https://cup.example.com"

    def build(format, *events, template=""):
        row = Subscriber.objects.create(
            channel="webhook", name=format, url=URL, format=format, template=template
        )
        message = row.messages.create(events=list(events))
        return json.loads(bodies.body_of(message))

    return build


def test_slack_gets_a_line_with_a_link(body):
    link = "https://cup.example.com/administration/presence/"
    text = body("slack", event())["text"]
    assert text == f"• Peer 10.0.0.1 on berlin failed. <{link}|Open>"


def test_slack_is_not_made_to_mention_or_link(body):
    text = body("slack", event(HOSTILE))["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; [x]" in text
    assert text.count("<") == 1


def test_teams_gets_a_card(body):
    found = body("teams", event(), event("Another."))
    (attached,) = found["attachments"]
    content = attached["content"]
    assert (found["type"], content["type"]) == ("message", "AdaptiveCard")
    assert [block["type"] for block in content["body"]] == ["TextBlock"] * 2
    assert content["actions"][0]["url"].startswith("https://cup.example.com/")


def test_teams_is_not_made_to_link(body):
    content = body("teams", event(HOSTILE))["attachments"][0]["content"]
    assert "\\[x\\]\\(https" in content["body"][0]["text"]
    assert "\\*b\\*" in content["body"][0]["text"]


@pytest.mark.parametrize("format", ["slack", "teams"])
def test_a_console_without_a_url_sends_no_link(body, settings, format):
    settings.CONSOLE_URL = ""
    assert "/administration" not in json.dumps(body(format, event()))


@pytest.mark.parametrize("format", ["slack", "teams"])
def test_a_storm_is_cut_and_counted(body, format):
    text = json.dumps(body(format, *[event("x" * 1000)] * 500))
    assert "And 480 more." in text
    assert len(text) < 20_000


def test_a_template_is_filled_in_its_strings_only(body):
    template = json.dumps(
        {"$key": 1, "a": ["$subject", {"b": "$$5 $state"}], "n": 7, "t": "$text"}
    )
    found = body("template", event(HOSTILE), template=template)
    assert found["a"] == [HOSTILE, {"b": "$5 failed"}]
    assert (found["$key"], found["n"]) == (1, 7)
    # What a text holds is text, not a name to be put in.
    found = body("template", event("$id ${state}"), template='{"t": "$text"}')
    assert found == {"t": "$id ${state}"}


@pytest.mark.parametrize(
    "template",
    [
        "",
        "[]",
        "text",
        '{"a": "$nothing"}',
        '{"a": "100 $"}',
        '{"a": "${subject"}',
        '{"a": ' * 12 + "1" + "}" * 12,
        '{"a": "' + "x" * 4000 + '"}',
    ],
)
def test_what_is_no_template_is_refused(administrator, api, template):
    values = {"name": "T", "url": URL, "topics": ["peer"], "format": "template"}
    answer = api(administrator).post(API, values | {"template": template})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"template"}
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"format": "syslog"}, "format"),
        ({"url": "syslog+tls://log.example.com", "format": "slack"}, "format"),
        ({"template": "{}"}, "template"),
        ({"format": "xml"}, "format"),
        ({"url": "ftp://chat.example.com"}, "url"),
        ({"url": "syslog://log.example.com"}, "url"),
        ({"url": "syslog+tls://log.example.com/path"}, "url"),
        ({"url": "syslog+tls://me:pw@log.example.com"}, "url"),
        ({"url": "syslog+tls://"}, "url"),
        ({"url": "syslog+tls://log.example.com:x"}, "url"),
        ({"url": "syslog+udp://log.example.com:514"}, "url"),
    ],
)
def test_what_does_not_fit_is_refused(administrator, api, client_of, values, field):
    values = {"name": "T", "url": URL, "format": "json", "topics": ["peer"]} | values
    answer = api(administrator).post(API, values)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    page = client_of(administrator).post(reverse("notifications:webhooks"), values)
    assert field in page.context["form"].errors
    assert not Subscriber.objects.exists()


def test_format_is_changed_by_rest_and_page(administrator, api, client_of):
    client = api(administrator)
    made = client.post(API, {"name": "T", "url": URL, "topics": ["peer"]}).json()
    assert made["format"] == "json"
    url = f"{API}{made['id']}/"
    assert client.patch(url, {"format": "teams"}).json()["format"] == "teams"
    assert client.patch(url, {"format": "template"}).status_code == 400
    page = reverse("notifications:edit_webhook", args=[made["id"]])
    values = {"name": "T", "url": URL, "format": "slack", "topics": ["peer"]}
    assert client_of(administrator).post(page, values).status_code == 302
    assert Subscriber.objects.get().format == "slack"


def test_a_syslog_url_needs_no_format(administrator, api):
    values = {"name": "T", "url": "syslog+tls://log.example.com", "topics": ["peer"]}
    answer = api(administrator).post(API, values)
    assert answer.json()["format"] == "syslog"


def test_a_chat_is_posted_what_it_takes(webserver, webhook, peers):
    Subscriber.objects.update(format="slack")
    judge("failed", peers[0])
    sent()
    [(_, headers, body)] = webserver.calls
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["text"].startswith(f"• Peer {peers[0].address}")


def test_a_test_mail_is_sent_by_rest_and_page(smtp, mailed, operator, api, client_of):
    answer = api(operator).post(f"/api/v1/subscriptions/{mailed.pk}/test/")
    assert answer.status_code == 202
    sent()
    page = client_of(operator)
    assert b"Send test mail" in page.get(reverse("notifications:mine")).content
    assert page.post(reverse("notifications:test_mail")).status_code == 302
    sent()
    assert len(smtp.mails) == 2
    assert all("test" in mail for mail in smtp.mails)


def test_a_test_mail_reaches_who_is_limited(smtp, mailed, operator, home, api):
    from accounts.users import limit_user

    limit_user(operator, [str(home.pk)])
    api(operator).post(f"/api/v1/subscriptions/{mailed.pk}/test/")
    sent()
    assert len(smtp.mails) == 1


def test_only_mail_is_tested_and_only_ones_own(reader, mailed, viewer, api):
    client = api(viewer)
    url = "/api/v1/subscriptions/{}/test/"
    assert client.post(url.format(reader.pk)).status_code == 409
    assert client.post(url.format(mailed.pk)).status_code == 404
    assert not Message.objects.exists()
