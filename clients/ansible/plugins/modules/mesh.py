#!/usr/bin/python
"""All peerings between some clusters, by one plan."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh
short_description: The peerings between clusters of a cupadmin console
version_added: 0.2.0
description:
  - Plans both entries of every pair of clusters, and applies the plan if it changes anything.
  - The job of the console writes both entries, verifies them, and undoes a pair of which one
    entry fails.
  - Peerings with other clusters are left alone; nothing is deleted.
attributes:
  check_mode:
    support: full
    description: The plan is made, and not applied.
  diff_mode:
    support: full
    description: The entries before and after, without passwords.
options:
  clusters:
    description: Names of two or more clusters.
    type: list
    elements: str
    required: true
  protocol:
    description: Preferred protocol of all these peerings.
    type: str
    choices: [TCP, UDP, TLS]
    default: TCP
  mask:
    description: External phone number mask of the entries. If not set, masks stay as they are.
    type: str
  credentials:
    description:
      - By name of a cluster, the application user of I(that) cluster with which its peers
        sign in, as C({username, password}).
      - Without it, the one that the console has for the cluster, otherwise its AXL user.
    type: dict
  wait_timeout:
    description: Seconds to wait for a job of the console.
    type: int
    default: 1800
extends_documentation_fragment: cupadmin.console.console
"""

EXAMPLES = r"""
- name: Vienna, Oslo and Rome are peers of each other
  cupadmin.console.mesh:
    clusters: [Vienna, Oslo, Rome]
    protocol: TLS
    credentials:
      Vienna: {username: icuser, password: "{{ vienna_peering_password }}"}
"""

RETURN = r"""
steps:
  description: What the plan does with each entry.
  type: list
  elements: dict
  returned: when all clusters are on the console
missing:
  description: Clusters that are not on the console yet.
  type: list
  elements: str
  returned: in check mode
job:
  description: The job that applied the plan.
  type: dict
  returned: when it was applied
results:
  description: How far each pair came, and why no further.
  type: list
  elements: dict
  returned: when the job did not succeed
status:
  description: Code of the answer that refused the task.
  type: int
  returned: on failure
problem:
  description: That answer, as RFC 9457 has it.
  type: dict
  returned: on failure
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cupadmin.console.plugins.module_utils.console import (
    CONNECTION,
    ConsoleFailure,
    RestConsole,
    Row,
    diff_between,
    failures_reported,
)


def options() -> Row:
    return {
        **CONNECTION,
        "clusters": {"type": "list", "elements": "str", "required": True},
        "protocol": {"choices": ["TCP", "UDP", "TLS"], "default": "TCP"},
        "mask": {"type": "str"},
        "credentials": {"type": "dict", "no_log": True},
        "wait_timeout": {"type": "int", "default": 1800},
    }


class MeshTask:
    """Brings the peerings between clusters to what a task says."""

    def __init__(self, module: AnsibleModule) -> None:
        self.params: Row = module.params
        self.dry = module.check_mode
        self.console = RestConsole(self.params)
        self.module = module
        rows = self.console.every("clusters/")
        self.ids = {row["name"]: row["id"] for row in rows}
        self.names = {pk: name for name, pk in self.ids.items()}

    def make_peerings(self) -> Row:
        named = list(dict.fromkeys(self.params["clusters"]))
        if len(named) < 2:
            raise ConsoleFailure("Name at least two clusters.")
        credentials = self.params["credentials"] or {}
        if strangers := sorted(set(credentials) - set(named)):
            text = f"Credentials of {strangers[0]}, which is not among the clusters."
            raise ConsoleFailure(text)
        if missing := [name for name in named if name not in self.ids]:
            return self.planned_later(missing)
        intent = self.intent_for(named, credentials)
        # After the job of somebody else there may be less to do, or more.
        return self.console.when_free(lambda: self.apply_intent(intent))

    def planned_later(self, missing: list[str]) -> Row:
        """Say what an earlier task of the same check would have to add first."""
        if not self.dry:
            raise ConsoleFailure(f"There is no cluster {missing[0]}.")
        names = ", ".join(missing)
        self.module.warn(f"No plan without {names}, which the console does not have.")
        return {"changed": True, "missing": missing, "diff": diff_between({}, {})}

    def intent_for(self, named: list[str], credentials: Row) -> Row:
        intent: Row = {
            "clusters": [self.ids[name] for name in named],
            "protocol": self.params["protocol"],
        }
        if self.params["mask"] is not None:
            intent["mask"] = self.params["mask"]
        if credentials:
            by_id = {self.ids[name]: one for name, one in credentials.items()}
            intent["credentials"] = by_id
        return intent

    def apply_intent(self, intent: Row) -> Row:
        plan = self.console.post("mesh/plan/", intent)
        if plan["errors"]:
            text = " ".join(plan["errors"])
            raise ConsoleFailure(text, steps=plan["steps"])
        changes = [step for step in plan["steps"] if step["action"] != "none"]
        diff = diff_between(self.entries(changes, 0), self.entries(changes, 1))
        outcome = {"changed": bool(changes), "steps": plan["steps"], "diff": diff}
        if changes and not self.dry:
            body = {**intent, "plan_hash": plan["plan_hash"]}
            outcome["job"] = self.follow(self.console.post("mesh/apply/", body))
        return outcome

    def entries(self, steps: list[Row], side: int) -> Row:
        """Return the entries of steps by the pair of clusters, before or after."""
        key = ("before", "after")[side]
        return {
            f"{self.names[s['cluster']]} to {self.names[s['remote_cluster']]}": s[key]
            for s in steps
        }

    def follow(self, job: Row) -> Row:
        try:
            return self.console.wait(job)
        except ConsoleFailure as failure:
            failure.facts["results"] = self.console.get(f"mesh/results/{job['id']}/")
            raise


def main() -> None:
    module = AnsibleModule(argument_spec=options(), supports_check_mode=True)
    with failures_reported(module):
        module.exit_json(**MeshTask(module).make_peerings())


if __name__ == "__main__":
    main()
