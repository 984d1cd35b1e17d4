"""What higher apps may want to hear; they connect, services does not know them."""

from django.dispatch import Signal

# Services were started, stopped or restarted (arguments `nodes`, `names`, `job`), with
# success or without: what is true of them now is worth a look.
services_controlled = Signal()
