"""Filters of the list of problems, and what a person says of one."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from clusters.models import Cluster
from overview.models import Problem, ProblemQuerySet, Severity

# A snooze has an end; what is to stay quiet for longer is acknowledged.
LONGEST_SNOOZE = timedelta(days=365)
NOTE = 500


class ProblemFilterForm(forms.Form):
    """Filter problems by severity, cluster, kind and what was said of them."""

    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Open"),
            ("acknowledged", "Acknowledged or snoozed"),
            ("all", "All problems"),
        ],
    )
    severity = forms.ChoiceField(
        required=False, choices=[("", "Any severity"), *Severity.choices]
    )
    cluster = forms.ModelChoiceField(
        Cluster.objects.all(), required=False, empty_label="Any cluster"
    )
    code = forms.ChoiceField(required=False, label="Kind")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = Problem.objects.order_by("code").values_list("code", flat=True)
        choices = [(code, label_of(code)) for code in codes.distinct()]
        self.fields["code"].choices = [("", "Any kind"), *choices]  # type: ignore[attr-defined]

    def apply(self, problems: ProblemQuerySet) -> ProblemQuerySet:
        """Filter by what is valid; a value that is not valid filters nothing."""
        self.is_valid()
        filters = {name: value for name, value in self.cleaned_data.items() if value}
        state = filters.pop("state", "")
        if cluster := filters.pop("cluster", None):
            problems = problems.filter(touches__cluster=cluster.pk)
        if state != "all":
            problems = problems.acknowledged() if state else problems.open()
        return problems.filter(**filters)


def label_of(code: str) -> str:
    return code.replace("_", " ").capitalize()


class AcknowledgeForm(forms.Form):
    """What a person says of a problem."""

    note = forms.CharField(required=False, max_length=NOTE)


class SnoozeForm(AcknowledgeForm):
    """For how long a problem is to stay quiet."""

    hours = forms.TypedChoiceField(
        label="Snooze for",
        coerce=int,
        choices=[
            (1, "1 hour"),
            (4, "4 hours"),
            (24, "1 day"),
            (72, "3 days"),
            (168, "1 week"),
            (720, "30 days"),
        ],
        error_messages={"invalid_choice": "Choose how long to snooze the problem."},
    )

    @property
    def until(self) -> datetime:
        return timezone.now() + timedelta(hours=self.cleaned_data["hours"])
