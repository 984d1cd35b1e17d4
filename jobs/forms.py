"""The filters of the list of jobs."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from jobs import kinds
from jobs.models import Job, JobQuerySet

ACTIVE = "active"


class JobFilterForm(forms.Form):
    """Filter jobs by kind, state, person and object."""

    kind = forms.ChoiceField(required=False)
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any state"), (ACTIVE, "Not finished"), *Job.State.choices],
    )
    requested_by = forms.ModelChoiceField(
        User.objects.order_by("username"),
        required=False,
        to_field_name="username",
        label="Asked by",
        empty_label="Anybody",
    )
    object = forms.CharField(
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Object"}),
    )
    target_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    request_id = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Any kind"), *kinds.choices()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def apply(self, jobs: JobQuerySet) -> JobQuerySet:
        """Filter by what is valid; a value that is not valid filters nothing."""
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        if wanted.get("state") == ACTIVE:
            jobs = jobs.active()
            del wanted["state"]
        if "object" in wanted:
            jobs = jobs.filter(target_label__icontains=wanted.pop("object"))
        return jobs.filter(**wanted)
