"""Who is seen in which state: of a cluster's own users, and of users of its peers.

A state goes from cluster to cluster only while the peering works: names resolve, both
sync agents run, both have the entry with one protocol, and the proxies are started.
What stops to work leaves the last state that was carried.
"""

from typing import TYPE_CHECKING

from .agent import REMOTE_PROFILE

if TYPE_CHECKING:
    from .cluster import LabCluster
    from .node import LabNode

OFFLINE = "UNAVAILABLE"
STRANGER = "UNKNOWN"
STATES = ("AVAILABLE", "BUSY", "DND", "AWAY", OFFLINE, "VACATION")
# Since 10.5 the server makes one of three.
BECOME_AWAY = ("BUSY", "VACATION")


class LabAvailability:
    """The states that one cluster knows."""

    def __init__(self, cluster: "LabCluster") -> None:
        self.cluster = cluster
        self.states: dict[str, str] = {}
        self.carried: dict[str, str] = {}

    def set(self, userid: str, state: str) -> None:
        major = self.cluster.release.major
        late = self.cluster.generation == "imp" and major >= 10
        self.states[userid] = "AWAY" if late and state in BECOME_AWAY else state
        self.cluster.lab.availability_changed()

    def end(self, userid: str) -> None:
        self.states.pop(userid, None)
        self.cluster.lab.availability_changed()

    def own(self, userid: str) -> str:
        return self.states.get(userid, OFFLINE)

    def home_node(self, userid: str) -> "LabNode | None":
        """Return the node of a local user."""
        number = self.cluster.database.value(
            "SELECT primarynodeid FROM enduser WHERE userid = ? AND tkuserprofile = 1",
            userid,
        )
        return next((n for n in self.cluster.nodes if n.number == number), None)

    def seen(self, uri: str) -> str | None:
        """Return the state of a user as a watcher of this cluster sees it.

        None: nothing has come, and nobody has said that there is no such user.
        """
        userid, _, domain = uri.partition("@")
        if domain.casefold() != self.cluster.domain:
            return STRANGER
        if self.home_node(userid):
            return self.own(userid)
        home = self.home_of_copy(userid)
        if home is None:
            return STRANGER
        if self.is_open_to(home):
            blocked = home.faults.get("presence", "blocked")
            self.carried[userid] = OFFLINE if blocked else home.availability.own(userid)
        return self.carried.get(userid)

    def home_of_copy(self, userid: str) -> "LabCluster | None":
        """Return the cluster from which the sync agent has carried a user here."""
        name = self.cluster.database.value(
            "SELECT s.value FROM enduser u JOIN enterprisenode n "
            "ON n.id = u.primarynodeid JOIN lab_setting s "
            "ON s.name = 'remote ' || n.name "
            "WHERE u.userid = ? AND u.tkuserprofile = ?",
            userid,
            REMOTE_PROFILE,
        )
        return self.cluster.lab.cluster(name) if name else None

    def is_open_to(self, home: "LabCluster") -> bool:
        """Tell whether states go between this cluster and another."""
        entry, back = self.cluster.peer_to(home), home.peer_to(self.cluster)
        if entry is None or back is None or entry.protocol != back.protocol:
            return False
        return self.works() and home.availability.works()

    def works(self) -> bool:
        """Tell whether this cluster's side of any peering works."""
        cluster, publisher = self.cluster, self.cluster.publisher
        if publisher.is_down or cluster.faults.get("presence", "frozen"):
            return False
        resolves = publisher.faults.get("dns")
        if resolves and resolves.value not in ("slow", "no-ptr"):
            return False
        agent = publisher.service(cluster.release.sync_agent).is_started
        return agent and publisher.sip_proxy.is_started
