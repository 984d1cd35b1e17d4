"""Signals of certificates."""

from django.dispatch import Signal

# No arguments. The certificates of some nodes were read.
certificates_read = Signal()
