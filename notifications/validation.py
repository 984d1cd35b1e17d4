"""Rules for webhooks and maintenance windows, the same for pages and REST."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone

from notifications import bodies, snmp, syslog
from notifications.delivery import ENCRYPTED, webhook_policy
from notifications.models import Subscriber
from wire import WireError, parse_host

LONGEST_WINDOW = timedelta(days=14)
FARTHEST = timedelta(days=731)
SHORTEST_SECRET = 16
LONGEST_SECRET = 128
FORMATS = {
    **dict.fromkeys(syslog.SCHEMES, Subscriber.Format.SYSLOG),
    **dict.fromkeys(snmp.SCHEMES, Subscriber.Format.SNMP),
}
# Of a webhook that is stored; None of a new one.
UrlAndFormat = tuple[str, str] | None
# A form that was open for a while may still say "now".
GRACE = timedelta(minutes=5)


def validate_webhook(url: str) -> None:
    """Refuse what can be refused without asking DNS."""
    validate_scheme(url)
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed, as in https://[::1
        raise ValidationError("Enter a valid URL.") from None
    if parts.username or parts.password:
        raise ValidationError("Leave out user name and password.")
    try:
        host = parse_host(parts.hostname or "")
    except WireError as error:
        raise ValidationError(error.message) from None
    allowed = webhook_policy(parts.scheme)
    if host.ip and not allowed.allows(str(ip_address(host.text))):
        raise ValidationError(
            f"{host.text} must be in CUPADMIN_WEBHOOK_NETWORKS: it is private, or"
            " reached without TLS."
        )
    if parts.scheme not in ENCRYPTED and not allowed.networks:
        raise ValidationError(
            "Use https or syslog+tls; what is not encrypted is for addresses in"
            " CUPADMIN_WEBHOOK_NETWORKS."
        )


def validate_scheme(url: str) -> None:
    """A URL of the web by Django's rules; any other is a host and a port."""
    if format_by_scheme(url) is None:
        URLValidator(schemes=["http", "https"])(url)
        return
    try:
        parts = urlsplit(url)
        bare = parts.netloc and not (parts.query or parts.fragment)
        plain = bare and parts.path in ("", "/") and parts.port != 0
    except ValueError:
        plain = False
    if not plain or not url.isprintable():
        scheme = url.partition("://")[0]
        raise ValidationError(f"Write {scheme}://HOST:PORT, and nothing else.")


def format_by_scheme(url: str) -> Subscriber.Format | None:
    """The format that this URL goes with alone; None where there is a choice."""
    return FORMATS.get(url.partition("://")[0])


def secret_problem(url: str, chosen: str, secret: str, old: UrlAndFormat) -> str:
    """What is wrong with a secret for a URL and a format.

    `old` is what the stored secret is for; an empty `secret` keeps that one, or asks
    for a new one. A community is sent as it is, so it is kept for its receiver alone.
    """
    snmp_now, snmp_before = (
        one == Subscriber.Format.SNMP for one in (chosen, old and old[1])
    )
    if not secret.isprintable():
        return "Control characters are not allowed."
    if snmp_now and not secret and old != (url, chosen):
        return "Write the community that the receiver expects."
    if snmp_before and not secret and not snmp_now:
        return "Write a new secret: the community signs nothing."
    if not snmp_now and secret and len(secret) < SHORTEST_SECRET:
        return f"At least {SHORTEST_SECRET} characters."
    return ""


def format_problems(url: str, chosen: str, template: str) -> dict[str, str]:
    """Say by field what of a receiver does not fit together."""
    found = {}
    by_scheme = format_by_scheme(url)
    if by_scheme is not None and chosen != by_scheme:
        found["format"] = f"This URL goes with the format {by_scheme.label}."
    elif by_scheme is None and chosen in FORMATS.values():
        schemes = [scheme for scheme, one in FORMATS.items() if one == chosen]
        found["format"] = f"This format goes with a URL of {' or '.join(schemes)}."
    if chosen == Subscriber.Format.TEMPLATE:
        try:
            bodies.validate_template(template)
        except ValidationError as error:
            found["template"] = " ".join(error.messages)
    elif template:
        found["template"] = "Only JSON by a template has one."
    return found


def validate_beginning(begins_at: datetime) -> None:
    now = timezone.now()
    if begins_at < now - GRACE:
        raise ValidationError("This is in the past.")
    if begins_at > now + FARTHEST:
        raise ValidationError("This is more than two years ahead.")


def validate_end(begins_at: datetime, ends_at: datetime) -> None:
    if ends_at <= max(begins_at, timezone.now()):
        raise ValidationError("The end must lie ahead, and after the beginning.")
    if ends_at - begins_at > LONGEST_WINDOW:
        raise ValidationError(f"At most {LONGEST_WINDOW.days} days.")
