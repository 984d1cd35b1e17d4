"""Signals of diagnostics."""

from django.dispatch import Signal

# Arguments: facts. Clusters were collected and recorded, in this transaction.
clusters_recorded = Signal()
