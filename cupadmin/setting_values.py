"""Settings that need more than a type: a wrong one stops the start with a sentence."""

import re
from collections.abc import Callable, Collection, Sequence
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import dj_email_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env

T = TypeVar("T")

# The largest values: more is a typing error, and would overflow a date or a timer.
YEAR_OF_SECONDS = 366 * 86_400
YEAR_OF_MINUTES = 366 * 1_440
YEAR_OF_HOURS = 366 * 24
CENTURY_OF_DAYS = 36_600
MILLION = 1_000_000

HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"
ALLOWED_HOST = re.compile(rf"\*|\.?(?:{HOST})")
ORIGIN = re.compile(rf"https?://(?:\*\.)?(?:{HOST})(?::\d+)?")
# As the console's own column holds it, and the name of a queue.
SITE = re.compile(r"[A-Za-z0-9_-]{1,40}")
BROKERS = ("redis", "rediss", "amqp", "amqps", "atomic-filesystem", "memory")
ENGINES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")


def read_list(env: Env, name: str, parse: Callable[[str], T], example: str) -> list[T]:
    """Read values separated by commas; the sentence names the one that is wrong."""
    return [value_of(name, text, parse, example) for text in read_words(env, name)]


def read_words(env: Env, name: str) -> list[str]:
    """Read texts separated by commas; blanks around a comma do not matter."""
    given: list[str] = env.list(name, [])
    return [text for text in map(str.strip, given) if text]


def read_number(env: Env, name: str, default: int, least: int, most: int) -> int:
    """Read a whole number within its limits, both of which are possible."""
    number = env.int(name, default)
    if not least <= number <= most:
        raise ImproperlyConfigured(
            f"CUPADMIN_{name} must be a number from {least} to {most}."
        )
    return number


def read_hosts(env: Env, name: str, default: Sequence[str]) -> list[str]:
    example = "cupadmin.example.com"
    return read_list(env, name, text_like(ALLOWED_HOST), example) or list(default)


def read_origins(env: Env, name: str) -> list[str]:
    return read_list(env, name, origin_in, "https://cupadmin.example.com")


def read_sites(env: Env, name: str) -> list[str]:
    return read_list(env, name, text_like(SITE), "berlin")


def read_name_servers(env: Env, name: str) -> list[str]:
    return read_list(env, name, name_server_in, "192.0.2.53:53")


def read_address(env: Env, name: str) -> str:
    """Read where people open the console; may be empty."""
    text = env.str(name, "").strip()
    return value_of(name, text, web_address_in, "https://cup.example.com")


def read_sender(env: Env, name: str, default: str) -> str:
    text = env.str(name, "").strip() or default
    return value_of(name, text, sender_in, "cupadmin@example.com")


def refuse_unknown_broker(url: str) -> None:
    """Refuse a broker that is none; the URL may hold a password and is not shown."""
    try:
        known = urlsplit(url).scheme in BROKERS and urlsplit(url).port != 0
    except ValueError:
        known = False
    if not known:
        raise ImproperlyConfigured(
            "CUPADMIN_BROKER_URL is not the URL of a broker; examples are "
            "redis://127.0.0.1:6379/0 and amqp://127.0.0.1:5672//."
        )


def refuse_unknown_engine(engine: str) -> None:
    if engine not in ENGINES:
        raise ImproperlyConfigured(
            "CUPADMIN_DATABASE_URL must begin with postgres:// or sqlite://."
        )


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


def text_like(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """Return a function that gives back a text of this pattern, or fails."""

    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return parse


def origin_in(text: str) -> str:
    """Take an origin; browsers send it without the slash that people copy."""
    return text_like(ORIGIN)(text.rstrip("/"))


def name_server_in(text: str) -> str:
    """Take `address`, `address:port` or `[address]:port`."""
    host, port = text, "53"
    if "]" in text or text.count(":") == 1:
        host, _, port = text.rpartition(":")
    ip_address(host.removeprefix("[").removesuffix("]"))
    port_in(port)
    return text


def web_address_in(text: str) -> str:
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError(text)
    return text


def sender_in(text: str) -> str:
    if not text.isprintable() or "@" not in parseaddr(text)[1]:
        raise ValueError(text)
    return text


def email_settings(url: str) -> dict[str, Any]:
    """Take the URL of a mail server; the library itself accepts any scheme."""
    found: dict[str, Any] = dj_email_url.parse(url)
    if "EMAIL_BACKEND" not in found:
        raise ValueError("scheme")
    return found
