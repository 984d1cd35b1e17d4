"""What higher apps may want to hear; they connect, peers does not know them."""

from django.dispatch import Signal

# The cluster has the peer as wanted (argument `peer`): it is worth a check now.
peer_applied = Signal()

# The sync agent of a peer's home publisher shall be restarted (arguments `peer` and
# `actor`): the app that controls services answers with its job.
resync_requested = Signal()


# The cluster has the entry no more (argument `peer`, whose row is about to go).
peer_removed = Signal()
