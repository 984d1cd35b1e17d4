"""Rules for what people type into the forms of this app."""

import ipaddress
from typing import Any

from django.core.exceptions import ValidationError

MOST_NETWORKS = 50


def validate_networks(value: Any) -> None:
    """Accept a list of addresses and networks as text."""
    if not isinstance(value, list) or len(value) > MOST_NETWORKS:
        raise ValidationError(f"Give a list of at most {MOST_NETWORKS} networks.")
    for text in value:
        if not isinstance(text, str):
            raise ValidationError("A network is text, as in 192.0.2.0/24.")
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise ValidationError(
                f"{text[:60]} is no address or network, as in 192.0.2.0/24."
            ) from error
