"""All sections of the troubleshooter; importing them registers their tests."""

from diagnostics.judge import (
    inter_clustering,
    mesh,
    peering,
    presence_addressing,
    services,
    sip_proxy,
    sync_agent,
    system,
    system_names,
    topology,
    users,
)
from diagnostics.judge.causes import judge_facts
from diagnostics.judge.tests import TESTS, Section, ordered_tests

__all__ = [
    "TESTS",
    "Section",
    "judge_facts",
    "inter_clustering",
    "mesh",
    "ordered_tests",
    "peering",
    "presence_addressing",
    "services",
    "sip_proxy",
    "sync_agent",
    "system",
    "system_names",
    "topology",
    "users",
]
