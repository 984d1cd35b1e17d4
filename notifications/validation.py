"""Rules for webhooks and maintenance windows, the same for pages and REST."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils import timezone

from notifications.delivery import webhook_policy
from wire import WireError, parse_host

LONGEST = timedelta(days=14)
FARTHEST = timedelta(days=731)
# A form that was open for a while may still say "now".
GRACE = timedelta(minutes=5)


def validate_webhook(url: str) -> None:
    """Refuse what can be refused without asking DNS."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed, as in https://[::1
        raise ValidationError("Enter a valid URL.") from None
    if parts.username or parts.password:
        raise ValidationError("Leave out user name and password.")
    try:
        host = parse_host(parts.hostname or "")
        allowed = webhook_policy(parts.scheme)
        if host.ip:
            allowed.check(str(ip_address(host.text)))
    except WireError as error:
        raise ValidationError(error.message) from None
    if parts.scheme == "http" and not allowed.networks:
        raise ValidationError(
            "Use https; http is for addresses in CUPADMIN_WEBHOOK_NETWORKS."
        )


def validate_beginning(begins_at: datetime) -> None:
    now = timezone.now()
    if begins_at < now - GRACE:
        raise ValidationError("This is in the past.")
    if begins_at > now + FARTHEST:
        raise ValidationError("This is more than two years ahead.")


def validate_end(begins_at: datetime, ends_at: datetime) -> None:
    if ends_at <= max(begins_at, timezone.now()):
        raise ValidationError("The end must lie ahead, and after the beginning.")
    if ends_at - begins_at > LONGEST:
        raise ValidationError(f"At most {LONGEST.days} days.")
