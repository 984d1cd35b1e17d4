"""Signals of proofs."""

from django.dispatch import Signal

# No arguments. A proof was recorded.
proof_recorded = Signal()
