"""What higher apps may want to hear; they connect, clusters does not know them."""

from django.dispatch import Signal

# The peer table of a cluster was recognised (argument `cluster`): its peers are worth a
# check now.
table_recognised = Signal()

# The entries of a peer table were read (arguments `cluster`, `entries`, `at`).
entries_read = Signal()

# What keeps a node from being used has changed (argument `pk`).
contact_changed = Signal()

# The nodes present their confirmed certificates, after a change or for the first time
# (argument `cluster`): they may be asked.
certificate_returned = Signal()

# A node was saved or deleted (arguments `node`, and `before`: the node before an edit),
# within the transaction.
node_changed = Signal()

# A cluster is about to be deleted (argument `cluster`), within the transaction. A
# receiver that raises Busy keeps it.
cluster_leaving = Signal()
