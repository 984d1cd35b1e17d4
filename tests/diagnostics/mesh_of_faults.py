"""A mesh of five simulated clusters and four pairs, and fifteen ways to break it.

The pairs have domains of their own: what is wrong with users of one of them does not
hide what is wrong with another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from clusters.models import Cluster
from diagnostics.models import PeerCheck
from lab import Lab
from peers.models import Peer
from tests.conftest import register
from tests.waiting import eventually

MESH = range(5)
PAIRS = ((5, 6), (7, 8), (9, 10), (11, 12))
COUNT = 13
RELEASE = "11.5"
AGENT = "Cisco Intercluster Sync Agent"
Row = tuple[str, str]


class Mesh:
    """The lab's clusters and the console's, by the same numbers."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.there = lab.clusters
        self.here: list[Cluster] = []

    def register(self) -> None:
        """Take every cluster and both sides of every peering into the console."""
        told = self.lab.describe()["clusters"]
        self.here = [register(one) for one in told]
        for one, other in PAIRS:
            domain = f"pair{one}.example"
            ids = [self.here[one].pk, self.here[other].pk]
            Cluster.objects.filter(pk__in=ids).update(domain=domain)
        rows = [self.row(a, b) for a, b in self.directions()]
        Peer.objects.bulk_create(rows)

    def directions(self) -> list[tuple[int, int]]:
        mesh = [(a, b) for a in MESH for b in MESH if a != b]
        return mesh + [d for a, b in PAIRS for d in ((a, b), (b, a))]

    def row(self, a: int, b: int) -> Peer:
        target = self.there[b]
        peer = Peer(
            cluster=self.here[a],
            remote_cluster=self.here[b],
            address=target.publisher.name,
            username=target.intercluster_username,
            provisioning_state=Peer.ProvisioningState.APPLIED,
        )
        peer.seal("password", target.intercluster_password)
        return peer

    def peer(self, a: int, b: int) -> Peer:
        return Peer.objects.get(cluster=self.here[a], remote_cluster=self.here[b])

    def name(self, n: int, m: int = 0) -> str:
        return str(self.there[n].nodes[m].name)

    def write(self, a: int, b: int, address: str = "", protocol: str = "TCP") -> None:
        target = self.there[b]
        self.there[a].add_peer(
            address or target.publisher.name,
            target.intercluster_username,
            target.intercluster_password,
            protocol,
        )

    def remove(self, a: int, b: int) -> None:
        self.there[a].remove_peer(self.name(b))

    def mend(self) -> None:
        """Bring the lab back to a healthy mesh, whatever was done to it."""
        self.lab.clear_faults()
        for cluster in self.there:
            if cluster.release.short != RELEASE:
                cluster.become("imp", RELEASE)
            name, secret = cluster.intercluster_username, cluster.intercluster_password
            cluster.add_account(name, secret)
        for node in self.lab.nodes:
            node.service(AGENT).set("Started")
        for a, cluster in enumerate(self.there):
            wanted = {self.name(b) for x, b in self.directions() if x == a}
            good = {e.address for e in cluster.peers() if e.protocol == "TCP"} & wanted
            for entry in cluster.peers():
                if entry.address not in good:
                    cluster.remove_peer(entry.address)
            for x, b in self.directions():
                if x == a and self.name(b) not in good:
                    self.write(a, b)
        assert eventually(self.carried)

    def carried(self) -> bool:
        """Tell whether every cluster has the users of all its peers."""
        return all(
            self.there[a].associated_users
            == sum(self.there[b].local_users for x, b in self.directions() if x == a)
            for a in range(COUNT)
        )

    def seen_equal(self, hours: float) -> None:
        """Let the last check of every peer that found equal counts be so long ago."""
        at = timezone.now() - timedelta(hours=hours)
        PeerCheck.objects.all().delete()
        PeerCheck.objects.bulk_create(
            PeerCheck(
                peer=p, at=at, outcome="passed", associated_users=1, remote_users=1
            )
            for p in Peer.objects.all()
        )

    def subject(self, a: int, b: int, address: str = "") -> str:
        return f"{self.here[a].name} → {address or self.name(b)}"


@dataclass(frozen=True)
class Fault:
    """One of the fifteen: how it is set, and the rows that must name it."""

    number: int
    name: str
    set: Callable[[Mesh], set[Row]]
    # What else must be in the lab before it can be seen.
    ready: Callable[[Mesh], bool] = lambda mesh: True


def one_sided(mesh: Mesh) -> set[Row]:
    mesh.remove(1, 0)
    mesh.peer(1, 0).delete()
    return {("reverse_peer", mesh.subject(0, 1))}


def incomplete(mesh: Mesh) -> set[Row]:
    for a, b in ((2, 3), (3, 2)):
        mesh.remove(a, b)
        mesh.peer(a, b).delete()
    return {("mesh_complete", mesh.here[n].name) for n in (2, 3)}


def unreachable(mesh: Mesh) -> set[Row]:
    mesh.there[2].nodes[1].set_fault("node", "down")
    peer = mesh.peer(0, 2)
    peer.seal("password", "mistyped")
    peer.save()
    found = {("node_reachable", mesh.name(2, 1)), ("credentials", mesh.subject(0, 2))}
    mesh.there[1].nodes[1].set_fault("axl", "off")
    return found | {("node_axl", mesh.name(1, 1))}


def no_ptr(mesh: Mesh) -> set[Row]:
    mesh.there[3].nodes[1].set_fault("dns", "no-ptr")
    return {("dns_reverse", mesh.name(3, 1))}


def lost_role(mesh: Mesh) -> set[Row]:
    target = mesh.there[4]
    name, secret = target.intercluster_username, target.intercluster_password
    target.add_account(name, secret, "none")
    return {("credentials", mesh.subject(n, 4)) for n in range(4)}


def changed_certificate(mesh: Mesh) -> set[Row]:
    mesh.there[4].nodes[1].set_fault("tls", "changed")
    return {("node_certificate", mesh.name(4, 1))}


def fewer_users(mesh: Mesh) -> set[Row]:
    mesh.there[5].set_fault("agent", "skip:1")
    return {("associated_users", mesh.subject(5, 6))}


def stuck(mesh: Mesh) -> set[Row]:
    mesh.there[7].set_fault("agent", "frozen")
    mesh.there[8].add_users(1)
    peer = mesh.peer(7, 8)
    peer.user_trail["equal_at"] = (timezone.now() - timedelta(hours=3)).isoformat()
    peer.save(update_fields=["user_trail"])
    return {("stale_sync", mesh.subject(7, 8))}


def same_user(mesh: Mesh) -> set[Row]:
    userid = mesh.there[9].users()[0]
    mesh.there[10].database.execute(
        "INSERT INTO enduser (userid, directoryuri, mailid, primarynodeid) "
        "VALUES (?, 'own@lab.example', 'own@lab.example', 1)",
        userid.upper(),
    )
    mesh.there[10].database.users_revision += 1
    return {("unique_userids", mesh.here[n].name) for n in (9, 10)}


def same_uri(mesh: Mesh) -> set[Row]:
    one, other = mesh.there[11].database, mesh.there[12].database
    uri = one.value("SELECT directoryuri FROM enduser WHERE tkuserprofile = 1")
    other.execute(
        "UPDATE enduser SET directoryuri = ? WHERE userid = ?",
        uri.upper(),
        mesh.there[12].users()[0],
    )
    other.users_revision += 1
    return {("unique_uris", mesh.here[n].name) for n in (11, 12)}


def twice(mesh: Mesh) -> set[Row]:
    mesh.write(0, 3, mesh.name(3, 1))
    return {("duplicate_peer", mesh.subject(0, 3))}


def other_name(mesh: Mesh) -> set[Row]:
    address = mesh.there[2].publisher.address
    mesh.remove(1, 2)
    mesh.write(1, 2, address)
    Peer.objects.filter(pk=mesh.peer(1, 2).pk).update(address=address)
    return {("address_is_name", mesh.subject(1, 2, address))}


def other_protocol(mesh: Mesh) -> set[Row]:
    mesh.remove(1, 3)
    mesh.write(1, 3, protocol="UDP")
    Peer.objects.filter(pk=mesh.peer(1, 3).pk).update(protocol="UDP")
    return {("protocol_match", mesh.subject(a, b)) for a, b in ((1, 3), (3, 1))}


def stopped_agent(mesh: Mesh) -> set[Row]:
    mesh.there[0].nodes[1].service(AGENT).set("Stopped")
    return {("sync_agent", mesh.here[0].name)}


def unsupported(mesh: Mesh) -> set[Row]:
    mesh.there[4].become("imp", "14")
    there = {("versions", mesh.subject(4, n)) for n in range(4)}
    return there | {("versions", mesh.subject(n, 4)) for n in range(4)}


FAULTS = [
    Fault(1, "one-sided peering", one_sided),
    Fault(2, "incomplete mesh", incomplete),
    Fault(3, "unreachable, wrong password, AXL off", unreachable),
    Fault(4, "no PTR record", no_ptr),
    Fault(5, "lost role", lost_role),
    Fault(6, "changed certificate", changed_certificate),
    Fault(7, "count mismatch", fewer_users),
    Fault(8, "stuck sync", stuck),
    Fault(9, "duplicate user ID", same_user),
    Fault(10, "duplicate directory URI", same_uri),
    Fault(11, "duplicate peer", twice),
    Fault(12, "address that is not the node's name", other_name),
    Fault(13, "protocols that differ", other_protocol),
    Fault(14, "stopped sync agent", stopped_agent),
    Fault(15, "unsupported mix", unsupported),
]
