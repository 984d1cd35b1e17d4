"""The filter of the list of runs."""

from django import forms
from django.db.models import Exists, OuterRef, QuerySet

from clusters.models import Cluster
from diagnostics.models import TroubleshooterResult, TroubleshooterRun


class RunFilterForm(forms.Form):
    """Filter runs by a cluster that they tested, and by what they found."""

    FAILED, GOOD, RUNNING = "failed", "good", "running"

    cluster = forms.ModelChoiceField(
        Cluster.objects.all(), required=False, empty_label="All clusters"
    )
    show = forms.ChoiceField(
        required=False,
        label="Result",
        choices=[
            ("", "Any result"),
            (FAILED, "With failed tests"),
            (GOOD, "Without failed tests"),
            (RUNNING, "Not finished"),
        ],
    )

    def apply(self, runs: QuerySet[TroubleshooterRun]) -> QuerySet[TroubleshooterRun]:
        """Filter by what is valid; what is not is shown as an error of the form."""
        self.is_valid()
        cluster, show = map(self.cleaned_data.get, ("cluster", "show"))
        results = TroubleshooterResult.objects.filter(run=OuterRef("pk"))
        if cluster:
            runs = runs.filter(Exists(results.filter(cluster=cluster)))
        failed = Exists(results.filter(outcome=TroubleshooterResult.Outcome.FAILED))
        if show == self.FAILED:
            runs = runs.filter(failed)
        if show == self.GOOD:
            runs = runs.filter(~failed, finished_at__isnull=False)
        if show == self.RUNNING:
            runs = runs.filter(finished_at=None)
        return runs
