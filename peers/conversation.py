"""Asking a node over AXL from a job, and remembering what it turned out to be."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import wire
from peers.connections import address_of
from peers.models import Node
from wire import AxlClient, Code, NodeAddress, Secret, WireError

T = TypeVar("T")
Question = Callable[[AxlClient], Awaitable[T]]


def ask(node: Node, question: Question[T], user: tuple[str, Secret] | None = None) -> T:
    """Ask one node; raises WireError. Never call this from a request.

    Args:
        user: user name and password, instead of the cluster's own AXL user.
    """
    try:
        address = address_of(node)
        if user is not None:
            username, password = user
            address = replace(address, username=username, password=password)
        answer, axl_version = wire.run(_ask(address, question))
    except WireError as error:
        remember_error(node, error)
        raise
    if axl_version and axl_version != node.axl_version:
        Node.objects.filter(pk=node.pk).update(axl_version=axl_version)
    return answer


async def _ask(address: NodeAddress, question: Question[T]) -> tuple[T, str | None]:
    async with AxlClient(address) as axl:
        return await question(axl), axl.axl_version


def remember_error(node: Node, error: WireError) -> None:
    """A certificate that changed stops every later call to the node."""
    if error.code == Code.CERTIFICATE_CHANGED:
        node.remember_change()
