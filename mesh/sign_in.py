"""Trying the application users with which new entries sign in, before any is written.

A wrong password would else be on a cluster before anybody is told, and be found only
when the time for the users to agree is up.
"""

from uuid import UUID

from jobs.models import Job
from jobs.run import Ended
from peers.conversation import ask
from peers.discovery import publisher_of
from peers.models import Cluster, Peer
from wire import AxlClient, Code, Secret, WireError

REFUSED = (Code.UNAUTHORIZED, Code.FORBIDDEN)


class SignIns:
    """The users that the clusters accepted in one attempt at a job."""

    def __init__(self) -> None:
        # By remote cluster; compared whole, so that a corrected password is tried.
        self.accepted: dict[UUID, list[tuple[str, Secret]]] = {}

    def try_out(self, peer: Peer) -> None:
        """Sign in to the remote publisher as the entry will.

        Raises:
            Ended: the remote cluster refuses the user.
            WireError: it could not be asked.
        """
        remote = peer.remote_cluster
        if remote is None:
            return
        user = peer.username, peer.unseal("password")
        if user == own_user(remote) or user in self.accepted.get(remote.pk, ()):
            return
        try:
            ask(publisher_of(remote), AxlClient.probe, user)
        except WireError as error:
            if error.code not in REFUSED:
                raise
            raise Ended(Job.State.FAILED, refusal(peer, error)) from None
        self.accepted.setdefault(remote.pk, []).append(user)


def own_user(cluster: Cluster) -> tuple[str, Secret]:
    """The user of the console itself, which the cluster accepted when it was ready."""
    return cluster.axl_username, cluster.unseal("axl_password")


def refusal(peer: Peer, error: WireError) -> str:
    remote, name = peer.remote_cluster, peer.username
    if error.code == Code.UNAUTHORIZED:
        said = f"{remote} does not accept the user name and password of {name}"
    else:
        said = f"{remote} does not let {name} use AXL: {error.remedy.rstrip('.')}"
    return f"{said}, with which {peer.cluster} would sign in; nothing was written."
