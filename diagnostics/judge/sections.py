"""All sections of the troubleshooter; importing them registers their tests."""

from diagnostics.judge import (
    inter_clustering,
    mesh,
    peering,
    services,
    sip_proxy,
    sync_agent,
    system,
    system_names,
    topology,
    users,
)
from diagnostics.judge.causes import findings
from diagnostics.judge.tests import TESTS, Section, ordered

__all__ = [
    "TESTS",
    "Section",
    "findings",
    "inter_clustering",
    "mesh",
    "ordered",
    "peering",
    "services",
    "sip_proxy",
    "sync_agent",
    "system",
    "system_names",
    "topology",
    "users",
]
