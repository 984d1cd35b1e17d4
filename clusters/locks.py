"""Locks of jobs about clusters that more than one app knows."""

from uuid import UUID

MESH_LOCK = "mesh:"


def mesh_lock_of(pk: UUID | str) -> str:
    """The lock of a cluster whose peerings a job sets up."""
    return f"{MESH_LOCK}{pk}"
