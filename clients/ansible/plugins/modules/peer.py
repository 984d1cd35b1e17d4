#!/usr/bin/python
"""An intercluster peer: the entry of one cluster that points to another."""

from __future__ import annotations

DOCUMENTATION = r"""
module: peer
short_description: An intercluster peer of a cupadmin console
version_added: 0.2.0
description:
  - Adds, changes or deletes the entry of one cluster that points to another one.
  - An entry that was changed or removed on the cluster itself is written again.
  - For both entries of a peering, or for many peerings, use M(cupadmin.console.mesh).
attributes:
  check_mode:
    support: full
    description: Nothing is changed.
  diff_mode:
    support: full
    description: Of a password only that it is set or changed.
options:
  cluster:
    description: Name of the cluster whose entry it is.
    type: str
    required: true
  address:
    description: Address of the remote cluster's publisher, as the entry names it.
    type: str
    required: true
  state:
    description: Whether the cluster has the entry.
    type: str
    choices: [present, absent]
    default: present
  username:
    description: Application user of the remote cluster. Required for a new peer.
    type: str
  password:
    description: Password of that user. Required for a new peer.
    type: str
  update_password:
    description:
      - No cluster reveals a password, so it cannot be compared.
      - C(on_create) sends it only with a new peer; C(always) sends it each time, and the
        task is then always changed.
    type: str
    choices: [on_create, always]
    default: on_create
  protocol:
    description: Preferred protocol.
    type: str
    choices: [TCP, UDP, TLS]
  external_phone_number_mask:
    description: Mask of the numbers of the remote users; empty for none.
    type: str
  both_sides:
    description: With O(state=absent), delete the matching entry of the remote cluster too.
    type: bool
    default: false
  forget:
    description: With O(state=absent), delete it on the console only.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the entry is on its cluster. On a cluster that is provisioned
        manually that takes a person.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for a job of the console.
    type: int
    default: 600
extends_documentation_fragment: cupadmin.console.console
"""

EXAMPLES = r"""
- name: Vienna has an entry for Oslo
  cupadmin.console.peer:
    cluster: Vienna
    address: oslo-pub.example.com
    username: icuser
    password: "{{ oslo_peering_password }}"
    protocol: TLS

- name: No entry for Rome, on either cluster
  cupadmin.console.peer:
    cluster: Vienna
    address: rome-pub.example.com
    state: absent
    both_sides: true
"""

RETURN = r"""
peer:
  description: The peer as REST shows it.
  type: dict
  returned: when it is on the console
warnings:
  description: What the console advises on the entry.
  type: list
  elements: str
  returned: when there are any
status:
  description: Code of the answer that refused the task.
  type: int
  returned: on failure
problem:
  description: That answer, as RFC 9457 has it.
  type: dict
  returned: on failure
job:
  description: The job that ended without success, or did not end in time.
  type: dict
  returned: on failure
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cupadmin.console.plugins.module_utils.console import (
    CONNECTION,
    JOB_WAIT,
    POLL_PAUSE,
    ConsoleFailure,
    RestConsole,
    Row,
    diff_between,
    differing_values,
    failures_reported,
    given_values,
)

VALUES = ("username", "protocol", "external_phone_number_mask")
NEEDED = ("username", "password")
# The cluster does not have the entry as the console has it.
TO_WRITE_AGAIN = ("failed", "absent")


def options() -> Row:
    return {
        **CONNECTION,
        **JOB_WAIT,
        "cluster": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "state": {"choices": ["present", "absent"], "default": "present"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "update_password": {
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "protocol": {"choices": ["TCP", "UDP", "TLS"]},
        "external_phone_number_mask": {"type": "str"},
        "both_sides": {"type": "bool", "default": False},
        "forget": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
    }


class PeerTask:
    """Brings one peer of the console to what a task says."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: Row = module.params
        self.dry = module.check_mode
        self.console = RestConsole(self.params)
        self.cluster = self.console.cluster_named(self.params["cluster"])
        # An earlier task of the same check may be what would add the cluster.
        absent = self.params["state"] == "absent"
        if self.cluster is None and not self.dry and not absent:
            raise ConsoleFailure(f"There is no cluster {self.params['cluster']}.")
        self.row = self.found_row()
        self.before: Row = {}
        self.after: Row = {}

    def found_row(self) -> Row:
        if self.cluster is None:
            return {}
        address = self.params["address"].strip().casefold()
        query = {"cluster": self.cluster["id"], "address__icontains": address}
        rows = self.console.every("peers/", **query)
        return next((r for r in rows if r["address"].casefold() == address), {})

    @property
    def path(self) -> str:
        return f"peers/{self.row['id']}/"

    def make_present(self) -> Row:
        values = given_values(self.params, VALUES)
        job = self.add_peer(values) if not self.row else self.edit_peer(values)
        if self.params["wait"] and not self.dry:
            self.wait_until_written(job)
        if self.row and not self.dry:
            self.row = self.console.get(self.path)
        return {"peer": self.row, **self.outcome()}

    def make_absent(self) -> Row:
        if not self.row:
            return self.outcome()
        self.before = {"address": self.row["address"], "state": "present"}
        self.after = {"address": self.row["address"], "state": "absent"}
        if not self.dry:
            job = self.console.when_free(self.delete_peer)
            if job and self.params["wait"]:
                self.console.wait(job)
        return self.outcome()

    def delete_peer(self) -> Row | None:
        flags = [name for name in ("both_sides", "forget") if self.params[name]]
        query = dict.fromkeys(flags, "true")
        job: Row | None = self.console.delete(self.path, **query)
        return job

    def outcome(self) -> Row:
        return {
            "changed": self.before != self.after,
            "diff": diff_between(self.before, self.after),
        }

    def add_peer(self, values: Row) -> str | None:
        body = {**values, **given_values(self.params, ("password",))}
        missing = [name for name in NEEDED if name not in body]
        if missing:
            raise ConsoleFailure(f"A new peer needs {' and '.join(missing)}.")
        self.before = {"state": "absent"}
        self.after = {"state": "present", **values, "password": "new"}
        if self.dry or self.cluster is None:
            return None
        body |= {"cluster": self.cluster["id"], "address": self.params["address"]}
        return self.keep_saved(self.console.post("peers/", body))

    def edit_peer(self, values: Row) -> str | None:
        """Save what differs, or have the cluster's entry written again."""
        edits = differing_values(self.row, values)
        self.before = {name: self.row[name] for name in edits}
        self.after = dict(edits)
        if self.params["update_password"] == "always" and self.params["password"]:
            edits["password"] = self.params["password"]
            self.before["password"], self.after["password"] = "stored", "new"
        if edits:
            if self.dry:
                return None
            patch = self.console.patch
            return self.keep_saved(
                self.console.when_free(lambda: patch(self.path, edits))
            )
        return self.write_again()

    def keep_saved(self, saved: Row) -> str | None:
        for sentence in saved.pop("warnings", []):
            self.module.warn(sentence)
        job: str | None = saved.pop("job", None)
        self.row = saved
        return job

    def write_again(self) -> str | None:
        state = self.row["provisioning_state"]
        drift = self.row["drift"]
        if not drift and state not in TO_WRITE_AGAIN:
            return None
        for name, values in drift.items():
            self.before[name], self.after[name] = values["cluster"], values["wanted"]
        self.before["entry"], self.after["entry"] = state, "written again"
        if self.dry:
            return None
        path = f"{self.path}write-again/"
        job: str = self.console.when_free(lambda: self.console.post(path))["id"]
        return job

    def wait_until_written(self, job: str | None) -> None:
        if job is not None:
            self.console.wait(self.console.get(f"jobs/{job}/"))
            return
        # A job of an earlier run may still write it.
        until = time.monotonic() + self.console.wait_timeout
        while self.console.get(self.path)["provisioning_state"] == "pending":
            if time.monotonic() >= until:
                raise ConsoleFailure("The entry is not on its cluster yet.")
            time.sleep(POLL_PAUSE)


def main() -> None:
    module = AnsibleModule(
        argument_spec=options(),
        supports_check_mode=True,
    )
    with failures_reported(module):
        task = PeerTask(module)
        absent = module.params["state"] == "absent"
        module.exit_json(**(task.make_absent() if absent else task.make_present()))


if __name__ == "__main__":
    main()
