#!/usr/bin/python
"""Clusters of the console, as they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Clusters of a cupadmin console
version_added: 0.2.0
description: Returns one cluster or all, with nodes and health. Changes nothing.
attributes:
  check_mode:
    support: full
    description: Changes nothing.
options:
  name:
    description: Name of a cluster; all, if it is not set.
    type: str
extends_documentation_fragment: cupadmin.console.console
"""

EXAMPLES = r"""
- name: Which clusters are not well
  cupadmin.console.cluster_info:
  register: found

- ansible.builtin.debug:
    msg: "{{ found.clusters | rejectattr('health', 'equalto', 'ok') | map(attribute='name') }}"
"""

RETURN = r"""
clusters:
  description: Clusters as REST shows them; none if no cluster has the name.
  type: list
  elements: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cupadmin.console.plugins.module_utils.console import (
    CONNECTION,
    RestConsole,
    Row,
    failures_reported,
)


def options() -> Row:
    return {**CONNECTION, "name": {"type": "str"}}


def main() -> None:
    module = AnsibleModule(argument_spec=options(), supports_check_mode=True)
    with failures_reported(module):
        query = {"name": module.params["name"] or ""}
        clusters = RestConsole(module.params).every("clusters/", **query)
        module.exit_json(changed=False, clusters=clusters)


if __name__ == "__main__":
    main()
