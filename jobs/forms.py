"""The filters of the list of jobs."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from jobs.kind import kind_choices
from jobs.models import Job, JobQuerySet

ACTIVE = "active"
STATES = [("queued", "Queued or waiting"), *Job.State.choices[1:]]


class JobFilterForm(forms.Form):
    """Filter jobs by kind, state, person and object."""

    kind = forms.ChoiceField(required=False)
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any state"), (ACTIVE, "Not finished"), *STATES],
    )
    requested_by = forms.ModelChoiceField(
        User.objects.order_by("username"),
        required=False,
        to_field_name="username",
        label="Requested by",
        empty_label="Anybody",
    )
    object = forms.CharField(
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Object"}),
    )
    target_type = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput
    )
    target_id = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    request_id = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", "Any kind"), *kind_choices()]  # type: ignore[attr-defined]

    def apply(self, jobs: JobQuerySet) -> JobQuerySet:
        """Filter by what is valid; a value that is not valid filters nothing."""
        self.is_valid()
        filters = {name: value for name, value in self.cleaned_data.items() if value}
        if filters.get("state") == ACTIVE:
            jobs = jobs.active()
            del filters["state"]
        if "object" in filters:
            jobs = jobs.filter(target_label__icontains=filters.pop("object"))
        target_type = filters.pop("target_type", "")
        if target_type and "target_id" in filters:
            jobs = jobs.about(target_type, filters.pop("target_id"))
        return jobs.filter(**filters)
