"""What an administrator should know of a peer before it is saved."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from clusters.models import Cluster
from clusters.rules import sentences_of
from clusters.validation import clean_host
from peers import inventory, rules
from peers.models import Peer
from peers.values import PEER_FIELDS

# Whoever breaks one of these most likely typed the wrong address.
SERIOUS = ("publisher", "exact-name", "address-on-7")


@dataclass(frozen=True)
class Advice:
    """Sentences about a peer as it is typed.

    Args:
        key: what the sentences are about; a form that was shown them sends it.
        warnings: by the rule that is broken.
        serious: whether they are to be seen before the peer is saved.
    """

    key: str
    errors: list[str] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)
    serious: bool = False

    @classmethod
    def of(cls, peer: Peer) -> "Advice":
        typed = {name: getattr(peer, name) for name in PEER_FIELDS}
        draft = Peer(pk=peer.pk, cluster=peer.cluster, **typed)
        # As a save links it.
        draft.remote_cluster = inventory.known_source().owner(draft.address)
        warnings = rules.peer_warnings(draft)
        return cls(
            f"{peer.cluster_id} {draft.address}",
            sentences_of(rules.peer_errors(draft)),
            warnings,
            serious=any(name in warnings for name in SERIOUS),
        )

    @classmethod
    def on(
        cls, home: Cluster | None, address: str, protocol: str, edited: Peer | None
    ) -> "Advice":
        """Advice on what is typed so far; none while that is no address."""
        try:
            host = clean_host(address)
        except ValidationError:
            host = ""
        if home is None or not host:
            return cls("")
        known = protocol in Peer.Protocol.values
        draft = Peer(cluster=home, address=host)
        draft.protocol = protocol if known else Peer.Protocol.TCP
        if edited is not None:
            draft.pk = edited.pk
        return cls.of(draft)
