"""Trying the application users with which new entries sign in, before any is written.

A wrong password would else be on a cluster before anybody is told, and be found only
when the time for the users to agree is up.
"""

from uuid import UUID

from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.models import Cluster
from jobs.models import Job
from jobs.run import Ended
from peers.models import Peer
from wire import AxlClient, Code, Secret, WireError

User = tuple[str, Secret]
REFUSED = (Code.UNAUTHORIZED, Code.FORBIDDEN)


class SignIns:
    """The users that the clusters accepted in one attempt at a job."""

    def __init__(self) -> None:
        # By remote cluster; compared whole, so that a corrected password is tried.
        self.accepted: dict[UUID, list[User]] = {}

    def try_out(self, peer: Peer) -> None:
        """Sign in to the remote publisher as the entry will.

        Raises:
            Ended: the remote cluster refuses the user.
            WireError: it could not be asked.
        """
        if peer.remote_cluster is not None:
            user = peer.username, peer.unseal("password")
            self.try_user(peer.remote_cluster, user, f"with which {peer.cluster}")

    def try_user(self, remote: Cluster, user: User, whose: str) -> None:
        """Sign in to a publisher as this user; `whose` begins the end of a refusal."""
        if user == own_user(remote) or user in self.accepted.get(remote.pk, ()):
            return
        try:
            ask_node(require_publisher(remote), AxlClient.probe, user)
        except WireError as error:
            if error.code not in REFUSED:
                raise
            reason = refusal_text(remote, user[0], error)
            text = f"{reason}, {whose} would sign in; nothing was written."
            raise Ended(Job.State.FAILED, text, error.code) from None
        self.accepted.setdefault(remote.pk, []).append(user)


def own_user(cluster: Cluster) -> User:
    """The user of the console itself, which the cluster accepted when it was ready."""
    return cluster.axl_username, cluster.unseal("axl_password")


def refusal_text(remote: Cluster, name: str, error: WireError) -> str:
    if error.code == Code.UNAUTHORIZED:
        return f"{remote} does not accept the user name and password of {name}"
    return f"{remote} does not let {name} use AXL: {error.remedy.rstrip('.')}"
