#!/usr/bin/python
"""Intercluster peers of the console, as they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: peer_info
short_description: Intercluster peers of a cupadmin console
version_added: 0.2.0
description: Returns peers with their status. Changes nothing, and checks none.
attributes:
  check_mode:
    support: full
    description: Changes nothing.
options:
  cluster:
    description: Name of the cluster whose entries they are.
    type: str
  remote_cluster:
    description: Name of the cluster to which they point.
    type: str
  outcome:
    description: Worst result of the last check.
    type: str
    choices: [passed, warning, failed, unknown]
extends_documentation_fragment: cupadmin.console.console
"""

EXAMPLES = r"""
- name: Which peers fail
  cupadmin.console.peer_info:
    outcome: failed
  register: failed
"""

RETURN = r"""
peers:
  description: Peers as REST shows them.
  type: list
  elements: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cupadmin.console.plugins.module_utils.console import (
    CONNECTION,
    ConsoleFailure,
    RestConsole,
    Row,
    failures_reported,
)

ENDS = ("cluster", "remote_cluster")


def options() -> Row:
    return {
        **CONNECTION,
        **{name: {"type": "str"} for name in ENDS},
        "outcome": {"choices": ["passed", "warning", "failed", "unknown"]},
    }


def peer_filters(console: RestConsole, params: Row) -> Row:
    query: Row = {"outcome": params["outcome"] or ""}
    for end in ENDS:
        if params[end] is None:
            continue
        found = console.cluster_named(params[end])
        if found is None:
            raise ConsoleFailure(f"There is no cluster {params[end]}.")
        query[end] = found["id"]
    return query


def main() -> None:
    module = AnsibleModule(argument_spec=options(), supports_check_mode=True)
    with failures_reported(module):
        console = RestConsole(module.params)
        query = peer_filters(console, module.params)
        module.exit_json(changed=False, peers=console.every("peers/", **query))


if __name__ == "__main__":
    main()
