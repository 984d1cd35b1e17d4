"""Asking a node over AXL from a job, and remembering what it turned out to be."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from django.utils import timezone

import wire
from clusters import contacts
from clusters.connections import address_of
from clusters.models import Node
from wire import AxlClient, NodeAddress, Secret, WireError

T = TypeVar("T")
Question = Callable[[AxlClient], Awaitable[T]]


def ask_node(
    node: Node, question: Question[T], user: tuple[str, Secret] | None = None
) -> T:
    """Ask one node; raises WireError. Never call this from a request.

    Args:
        user: user name and password, instead of the cluster's own AXL user.
    """
    asked_at = timezone.now()
    try:
        address = address_of(node)
        if user is not None:
            username, password = user
            address = replace(address, username=username, password=password)
        answer, axl_version = wire.run_loop(_ask_address(address, question))
    except WireError as error:
        contacts.remember_error(node, error)
        if user is None and error.code not in contacts.ANSWERED:
            text = f"{error.message} {error.remedy}".strip()
            _store_contact(node, asked_at, error.code, text)
        raise
    _store_contact(node, asked_at)
    if axl_version and axl_version != node.axl_version:
        Node.objects.filter(pk=node.pk).remember_found(axl_version=axl_version)
    return answer


def _store_contact(node: Node, at: datetime, code: str = "", error: str = "") -> None:
    """Store how it went, unless account, address or certificate are others by now."""
    as_asked = Node.objects.filter(
        pk=node.pk, revision=node.revision, cluster__revision=node.cluster.revision
    )
    if as_asked.exists():
        contacts.store_contact(node.pk, at, code, error)


async def _ask_address(
    address: NodeAddress, question: Question[T]
) -> tuple[T, str | None]:
    async with AxlClient(address) as axl:
        return await question(axl), axl.axl_version
