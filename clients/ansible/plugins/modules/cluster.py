#!/usr/bin/python
"""A cluster of the console: its values, its publisher and its certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: A cluster of a cupadmin console
version_added: 0.2.0
description:
  - Adds, changes or deletes a cluster and its publisher.
  - Confirms the certificates of its nodes, if their fingerprints are stated here.
  - Reads version and subscribers from the publisher. Nothing is written to the cluster.
attributes:
  check_mode:
    support: full
    description: >-
      The nodes are asked for their certificates also in check mode; nothing is confirmed.
  diff_mode:
    support: full
    description: Of a password only that it is set or changed.
options:
  name:
    description: Name of the cluster on the console.
    type: str
    required: true
  state:
    description: Whether the console has it. C(absent) deletes it with its peers there only.
    type: str
    choices: [present, absent]
    default: present
  domain:
    description: Presence domain.
    type: str
  description:
    description: A text for people.
    type: str
  site:
    description: Site whose workers reach the cluster.
    type: str
  address_scheme:
    description: How the cluster makes addresses of users.
    type: str
    choices: [user_id, directory_uri]
  provisioning:
    description: How entries get onto the cluster.
    type: str
    choices: [guided, direct, pages]
  tls_mode:
    description: Whether certificates are confirmed one by one, or by their issuer.
    type: str
    choices: [pinned, ca]
  ca_certificate:
    description: Certificate of the issuer, as PEM.
    type: str
  legacy_tls:
    description: Whether outdated versions of TLS are accepted.
    type: bool
  axl_username:
    description: Application user for AXL. Required for a new cluster.
    type: str
  axl_password:
    description: Password of that user. Required for a new cluster.
    type: str
  peering_username:
    description: Application user with which the peers of the cluster sign in.
    type: str
  peering_password:
    description: Password of that user.
    type: str
  pages_username:
    description: User of the administration pages.
    type: str
  pages_password:
    description: Password of that user.
    type: str
  pages_port:
    description: Port of the administration pages.
    type: int
  os_username:
    description: User of the operating system's administration.
    type: str
  os_password:
    description: Password of that user.
    type: str
  update_password:
    description:
      - The console shows no password, so it cannot be compared.
      - C(on_create) sends one only if none is stored; C(always) sends it each time, and
        the task is then always changed.
    type: str
    choices: [on_create, always]
    default: on_create
  publisher:
    description: The first node. All others are read from it.
    type: dict
    suboptions:
      name:
        description: Name of the node, as the cluster itself has it.
        type: str
        required: true
      address:
        description: Host name or IP address to connect to.
        type: str
        required: true
      axl_port:
        description: Port of AXL.
        type: int
      sip_port:
        description: Port of SIP.
        type: int
      sip_tls_port:
        description: Port of SIP over TLS.
        type: int
      sip_peer_tls_port:
        description: Port of SIP over TLS with certificates of both sides.
        type: int
  fingerprints:
    description:
      - SHA-256 fingerprints of the certificates of the nodes, in hex, with or without colons.
      - A certificate is confirmed only if its fingerprint is in this list. A node that
        presents another one fails the task.
      - If the list is not set, no certificate is confirmed, and a warning names the nodes
        that need it.
    type: list
    elements: str
  discover:
    description:
      - Whether version and subscribers are read. C(auto) does so after the first
        certificate was confirmed and whenever a node was changed here.
    type: str
    choices: [auto, always, never]
    default: auto
  wait_timeout:
    description: Seconds to wait for a job of the console.
    type: int
    default: 600
extends_documentation_fragment: cupadmin.console.console
"""

EXAMPLES = r"""
- name: Vienna is on the console
  cupadmin.console.cluster:
    name: Vienna
    domain: example.com
    provisioning: direct
    axl_username: axladmin
    axl_password: "{{ vienna_axl_password }}"
    publisher: {name: vienna-pub.example.com, address: 192.0.2.10}
    fingerprints:
      - 3f:7a:12:c4:9e:0b:51:66:d8:20:47:af:33:95:be:01:3f:7a:12:c4:9e:0b:51:66:d8:20:47:af:33:95:be:01

- name: Oslo is not
  cupadmin.console.cluster:
    name: Oslo
    state: absent
"""

RETURN = r"""
cluster:
  description: The cluster as REST shows it, with its nodes.
  type: dict
  returned: when it is on the console
unconfirmed:
  description: Names of nodes whose certificates are not confirmed.
  type: list
  elements: str
  returned: when it is on the console
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cupadmin.console.plugins.module_utils.console import (
    CONNECTION,
    JOB_WAIT,
    ConsoleFailure,
    RestConsole,
    Row,
    diff_between,
    differing_values,
    failures_reported,
    given_values,
)

VALUES = (
    "domain",
    "description",
    "site",
    "address_scheme",
    "provisioning",
    "tls_mode",
    "ca_certificate",
    "legacy_tls",
    "axl_username",
    "peering_username",
    "pages_username",
    "pages_port",
    "os_username",
)
PASSWORDS = ("axl_password", "peering_password", "pages_password", "os_password")
PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")
NODE_VALUES = ("name", "address", *PORTS)
CHOICES = {
    "address_scheme": ["user_id", "directory_uri"],
    "provisioning": ["guided", "direct", "pages"],
    "tls_mode": ["pinned", "ca"],
}
TYPES = {"legacy_tls": "bool", "pages_port": "int"}
NEEDED = ("axl_username", "axl_password")


def options() -> Row:
    spec: Row = {name: {"type": TYPES.get(name, "str")} for name in VALUES}
    for name, choices in CHOICES.items():
        spec[name]["choices"] = choices
    ports = {name: {"type": "int"} for name in PORTS}
    required = {"type": "str", "required": True}
    return {
        **CONNECTION,
        **JOB_WAIT,
        **spec,
        **{name: {"type": "str", "no_log": True} for name in PASSWORDS},
        "name": required,
        "state": {"choices": ["present", "absent"], "default": "present"},
        "update_password": {
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "publisher": {
            "type": "dict",
            "options": {"name": required, "address": required, **ports},
        },
        "fingerprints": {"type": "list", "elements": "str"},
        "discover": {"choices": ["auto", "always", "never"], "default": "auto"},
    }


class ClusterTask:
    """Brings one cluster of the console to what a task says."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: Row = module.params
        self.dry = module.check_mode
        self.console = RestConsole(self.params)
        self.row: Row = self.console.cluster_named(self.params["name"]) or {}
        self.new = not self.row
        # What a run changes, value by value.
        self.before: Row = {}
        self.after: Row = {}
        self.certificates_changed = False

    @property
    def path(self) -> str:
        return f"clusters/{self.row['id']}/"

    def make_present(self) -> Row:
        self.save_cluster()
        self.save_publisher()
        self.confirm_certificates()
        self.read_cluster()
        if not self.dry:
            self.row = self.console.get(self.path)
        unconfirmed = [n["name"] for n in self.nodes() if not is_confirmed(n)]
        if unconfirmed and self.params["fingerprints"] is None:
            names = ", ".join(unconfirmed)
            self.module.warn(f"Certificates that are not confirmed: {names}.")
        return {"cluster": self.row, "unconfirmed": unconfirmed, **self.outcome()}

    def make_absent(self) -> Row:
        if self.new:
            return self.outcome()
        self.before = {"name": self.row["name"], "state": "present"}
        self.after = {"name": self.row["name"], "state": "absent"}
        if not self.dry:
            self.console.when_free(lambda: self.console.delete(self.path))
        return self.outcome()

    def outcome(self) -> Row:
        return {
            "changed": self.before != self.after,
            "diff": diff_between(self.before, self.after),
        }

    def note_change(self, name: str, old: object, new: object) -> None:
        self.before[name], self.after[name] = old, new

    def save_cluster(self) -> None:
        values = given_values(self.params, VALUES)
        edits = values if self.new else differing_values(self.row, values)
        for name, value in edits.items():
            self.note_change(name, self.row.get(name), value)
        secrets = self.secrets_to_send()
        for name in secrets:
            old = "stored" if self.row.get(f"{name}_set") else None
            self.note_change(name, old, "new")
        if self.new:
            self.add_cluster({**edits, **secrets})
        elif (edits or secrets) and not self.dry:
            self.row = self.console.patch(self.path, {**edits, **secrets})

    def add_cluster(self, body: Row) -> None:
        missing = [name for name in NEEDED if name not in body]
        if missing:
            raise ConsoleFailure(f"A new cluster needs {' and '.join(missing)}.")
        self.note_change("state", "absent", "present")
        if self.dry:
            self.row = {"name": self.params["name"], "nodes": [], "generation": None}
        else:
            body = {"name": self.params["name"], **body}
            self.row = self.console.post("clusters/", body)

    def secrets_to_send(self) -> Row:
        always = self.params["update_password"] == "always"
        given = given_values(self.params, PASSWORDS)
        return {
            name: text
            for name, text in given.items()
            if always or not self.row.get(f"{name}_set")
        }

    def save_publisher(self) -> None:
        if self.params["publisher"] is None:
            return
        values = given_values(self.params["publisher"], NODE_VALUES)
        found = [n for n in self.nodes() if n["role"] == "publisher"]
        edits = differing_values(found[0], values) if found else values
        if not edits:
            return
        old = {name: found[0].get(name) for name in edits} if found else None
        self.note_change("publisher", old, edits)
        self.certificates_changed = True
        if self.dry:
            return
        if found:
            self.console.patch(f"nodes/{found[0]['id']}/", edits)
        else:
            body = {**values, "cluster": self.row["id"], "role": "publisher"}
            self.console.post("nodes/", body)

    def nodes(self) -> list[Row]:
        if self.dry and self.new:
            return []
        found: list[Row] = self.console.every("nodes/", cluster=self.row["id"])
        return found

    def confirm_certificates(self) -> bool:
        """Confirm what the nodes present and the task states; whether there was any."""
        if self.params["fingerprints"] is None:
            return False
        stated = {plain_fingerprint(text) for text in self.params["fingerprints"]}
        pending = [n for n in self.nodes() if not is_stated(n, stated)]
        for node in pending:
            self.confirm_certificate(node, stated)
        self.certificates_changed |= bool(pending)
        return bool(pending)

    def confirm_certificate(self, node: Row, stated: set[str]) -> None:
        presented = self.console.get(f"nodes/{node['id']}/certificate/")["fingerprint"]
        if plain_fingerprint(presented) not in stated:
            text = f"{node['name']} presents an unexpected certificate: {presented}"
            raise ConsoleFailure(text, node=node["name"], fingerprint=presented)
        known = node["certificate_fingerprint"] if is_confirmed(node) else None
        self.note_change(f"certificate of {node['name']}", known, presented)
        if not self.dry:
            body = {"fingerprint": presented}
            self.console.post(f"nodes/{node['id']}/trust/", body)

    def read_cluster(self) -> None:
        """Read version and nodes, and the new nodes too, once they are confirmed."""
        if not self.needs_reading():
            return
        known = self.what_was_read()
        if self.dry:
            # What `always` finds is not known before.
            if self.params["discover"] == "auto":
                self.note_change("read", known, "to be read")
            return
        self.discover()
        if self.confirm_certificates():
            self.discover()
        self.row = self.console.get(self.path)
        self.note_change("read", known, self.what_was_read())

    def what_was_read(self) -> Row | None:
        if not self.row.get("version"):
            return None
        names = sorted(node["name"] for node in self.row["nodes"])
        return {"version": self.row["version"], "nodes": names}

    def needs_reading(self) -> bool:
        wish = self.params["discover"]
        if wish != "auto":
            return bool(wish == "always")
        if self.dry and self.new:
            return self.params["fingerprints"] is not None
        publishers = [n for n in self.nodes() if n["role"] == "publisher"]
        if not any(map(is_confirmed, publishers)) and not self.dry:
            return False
        return self.certificates_changed or not self.row.get("generation")

    def discover(self) -> None:
        path = f"{self.path}discover/"
        self.console.wait(self.console.when_free(lambda: self.console.post(path)))


def is_confirmed(node: Row) -> bool:
    return bool(node["certificate_state"] == "trusted")


def is_stated(node: Row, stated: set[str]) -> bool:
    known = plain_fingerprint(node["certificate_fingerprint"])
    return is_confirmed(node) and known in stated


def plain_fingerprint(text: str) -> str:
    return text.replace(":", "").strip().lower()


def main() -> None:
    module = AnsibleModule(argument_spec=options(), supports_check_mode=True)
    with failures_reported(module):
        task = ClusterTask(module)
        absent = module.params["state"] == "absent"
        outcome = task.make_absent() if absent else task.make_present()
        module.exit_json(**outcome)


if __name__ == "__main__":
    main()
