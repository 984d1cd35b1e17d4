"""Signals of diagnostics."""

from django.dispatch import Signal

# Arguments: facts. Clusters were collected and recorded, in this transaction.
clusters_recorded = Signal()

# No arguments. The statuses of peers were recorded.
peers_recorded = Signal()
