"""What webhooks are sent: our own JSON, cards for chats, or a template of their own.

Texts of events may come from a cluster, so each form makes them harmless in its way.
"""

import json
import re
from collections.abc import Callable, Iterator
from string import Template
from typing import Any
from urllib.parse import quote, urljoin

from django.conf import settings
from django.core.exceptions import ValidationError

from notifications.models import Message, Subscriber

# Events that a chat shows; the rest is counted.
MOST_EVENTS = 20
LONGEST_TEXT = 300
LONGEST_TEMPLATE = 4000
DEEPEST = 10
NAMES = ("id", "subject", "text", "url", "topic", "state", "key", "at", "count")
# What Adaptive Cards take for markup, and what Slack takes for a link or a mention.
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+.!|~-])")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
CARD = "application/vnd.microsoft.card.adaptive"

Event = dict[str, Any]


def absolute_link(path: str) -> str:
    return urljoin(settings.CONSOLE_URL, path)


def web_link(path: str) -> str:
    """A link that a chat can open; empty where the console does not know its URL."""
    link = absolute_link(path)
    safe = quote(link, safe=":/?&=#%@+,;~")
    return safe if link.startswith(("https://", "http://")) else ""


def body_of(message: Message) -> bytes:
    """The body of the POST of a message, in the format of its webhook."""
    build = BODIES[Subscriber.Format(message.subscriber.format)]
    return json.dumps(build(message)).encode()


def own_body(message: Message) -> Any:
    events = [event | {"url": absolute_link(event["url"])} for event in message.events]
    return {"id": str(message.pk), "subject": message.subject, "events": events}


def slack_body(message: Message) -> Any:
    return {"text": "\n".join(slack_lines(message.events))}


def slack_lines(events: list[Event]) -> Iterator[str]:
    for event in events[:MOST_EVENTS]:
        text = "".join(ENTITIES.get(c, c) for c in one_line(event["text"]))
        link = web_link(event["url"])
        yield f"• {text} <{link}|Open>" if link else f"• {text}"
    yield from more_line(events)


def teams_body(message: Message) -> Any:
    """An Adaptive Card, as Workflows of Microsoft Teams take it."""
    links = list(filter(None, (web_link(event["url"]) for event in message.events)))
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": line, "wrap": True}
            for line in teams_lines(message.events)
        ],
    }
    if links:
        opening = {"type": "Action.OpenUrl", "title": "Open", "url": links[0]}
        content["actions"] = [opening]
    attached = {"contentType": CARD, "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attached]}


def teams_lines(events: list[Event]) -> Iterator[str]:
    for event in events[:MOST_EVENTS]:
        yield MARKUP.sub(r"\\\1", one_line(event["text"]))
    yield from more_line(events)


def more_line(events: list[Event]) -> Iterator[str]:
    if (more := len(events) - MOST_EVENTS) > 0:
        yield f"And {more} more."


def one_line(text: Any) -> str:
    return " ".join(str(text).split())[:LONGEST_TEXT]


def template_body(message: Message) -> Any:
    """The webhook's own document; what is put in can only be text in its strings."""
    document = json.loads(message.subscriber.template)
    return fill_strings(document, template_values(message))


def template_values(message: Message) -> dict[str, str]:
    first = message.events[0] if message.events else {}
    lines = [one_line(event["text"]) for event in message.events[:MOST_EVENTS]]
    lines += more_line(message.events)
    return {
        "id": str(message.pk),
        "subject": message.subject,
        "text": "\n".join(lines),
        "url": absolute_link(first.get("url", "/")),
        "count": str(len(message.events)),
        **{name: str(first.get(name, "")) for name in ("topic", "state", "key", "at")},
    }


def fill_strings(part: Any, values: dict[str, str]) -> Any:
    if isinstance(part, str):
        return Template(part).safe_substitute(values)
    if isinstance(part, list):
        return [fill_strings(one, values) for one in part]
    if isinstance(part, dict):
        return {name: fill_strings(one, values) for name, one in part.items()}
    return part


def validate_template(text: str) -> None:
    """Refuse what is no JSON object, or names what there is not."""
    if len(text) > LONGEST_TEMPLATE:
        raise ValidationError(f"At most {LONGEST_TEMPLATE} characters.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"This is not JSON: {error}"[:300]) from None
    if not isinstance(document, dict):
        raise ValidationError("A template is a JSON object.")
    for found in texts_in(document):
        template = Template(found)
        if not template.is_valid():
            raise ValidationError(f"{found[:60]}: write $$ for a dollar sign.")
        unknown = set(template.get_identifiers()) - set(NAMES)
        if unknown:
            known = ", ".join(f"${name}" for name in NAMES)
            raise ValidationError(f"There is no ${min(unknown)}; there are {known}.")


def texts_in(part: Any, depth: int = 0) -> Iterator[str]:
    if depth > DEEPEST:
        raise ValidationError(f"Nested deeper than {DEEPEST} levels.")
    if isinstance(part, str):
        yield part
    elif isinstance(part, list | dict):
        for one in part.values() if isinstance(part, dict) else part:
            yield from texts_in(one, depth + 1)


BODIES: dict[Subscriber.Format, Callable[[Message], Any]] = {
    Subscriber.Format.JSON: own_body,
    Subscriber.Format.SLACK: slack_body,
    Subscriber.Format.TEAMS: teams_body,
    Subscriber.Format.TEMPLATE: template_body,
}
