"""Long names where there is little room."""

from collections.abc import Iterable
from os.path import commonprefix

# So long a name fits the head of a dense matrix.
FITTING = 20


def shorten_name(name: str) -> str:
    """Leave out the middle of a long name: what tells two apart is mostly their end."""
    if len(name) <= FITTING:
        return name
    end = FITTING // 2
    return f"{name[: FITTING - end - 1]}…{name[-end:]}"


def shared_domain(hosts: Iterable[str]) -> str:
    """Return the labels that all names end in, with their dot; none of addresses."""
    reversed_labels = [host.split(".")[:0:-1] for host in hosts]
    shared = commonprefix(reversed_labels)
    if not shared or shared[0].isdigit():
        return ""
    return "." + ".".join(reversed(shared))


def shorten_host(name: str, domain: str) -> str:
    """Leave out first what the name shares with the others, its domain."""
    return shorten_name(name.removesuffix(domain))
