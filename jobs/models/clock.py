"""Times by the database's clock; the clocks of workers may differ."""

from datetime import timedelta

from django.db import models
from django.db.models import ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def from_now(delta: timedelta) -> Combinable:
    # SQLite writes a sum with more digits than the time itself, so that `now` would
    # come before `now + 0` for the rest of a millisecond.
    if not delta:
        return Now()
    return ExpressionWrapper(Now() + delta, output_field=models.DateTimeField())
