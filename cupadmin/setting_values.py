"""Settings that need more than a type: a wrong one stops the start with a sentence."""

from collections.abc import Callable, Collection
from ipaddress import ip_network
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from environs import Env

T = TypeVar("T")


def read_list(env: Env, name: str, parse: Callable[[str], T], example: str) -> list[T]:
    """Read values separated by commas; the sentence names the one that is wrong."""
    given: list[str] = env.list(name, [])
    texts = filter(None, map(str.strip, given))
    return [value_of(name, text, parse, example) for text in texts]


def read_networks(env: Env, name: str) -> list[str]:
    return read_list(env, name, lambda text: str(ip_network(text)), "10.0.0.0/8")


def read_ports(env: Env, name: str) -> list[int]:
    return read_list(env, name, port_in, "8443")


def read_time_zone(env: Env, name: str) -> str:
    zone = env.str(name, "UTC")
    return value_of(name, zone, lambda text: ZoneInfo(text).key, "Europe/Vienna")


def read_choice(env: Env, name: str, choices: Collection[str], default: str) -> str:
    """Read one of some words, in whatever case."""
    word = env.str(name, "").upper() or default
    if word not in choices:
        raise ImproperlyConfigured(f"CUPADMIN_{name} is one of {', '.join(choices)}.")
    return word


def value_of(name: str, text: str, parse: Callable[[str], T], example: str) -> T:
    try:
        return parse(text)
    except (ValueError, LookupError, OSError):
        raise ImproperlyConfigured(
            f"CUPADMIN_{name}: {text[:60]!r} is not a valid value; an example of one "
            f"is {example}."
        ) from None


def port_in(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise ValueError(text)
    return number
