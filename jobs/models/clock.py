"""Times by the database's clock; the clocks of workers may differ."""

from datetime import timedelta

from django.db import models
from django.db.models import ExpressionWrapper
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now


def from_now(delta: timedelta) -> "ExpressionWrapper[CombinedExpression]":
    return ExpressionWrapper(Now() + delta, output_field=models.DateTimeField())
