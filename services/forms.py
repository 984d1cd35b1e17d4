"""The filters of the grid."""

from typing import Any

from django import forms

from peers.models import Cluster
from services.models import Service, ServiceQuerySet

UNREACHABLE = "unreachable"


class GridForm(forms.Form):
    """Filter services by cluster, node, name and status."""

    cluster = forms.ModelChoiceField(
        Cluster.objects.all(), required=False, empty_label="All clusters"
    )
    node = forms.CharField(
        required=False,
        max_length=253,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Node"}),
    )
    service = forms.ChoiceField(required=False)
    status = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any status"),
            *Service.Status.choices,
            (UNREACHABLE, "Unreachable"),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Service.objects.order_by("name").values_list("name", flat=True)
        choices = [("", "All services"), *((n, n) for n in names.distinct())]
        self.fields["service"].choices = choices  # type: ignore[attr-defined]

    @property
    def filters(self) -> bool:
        return self.is_valid() and any(self.cleaned_data.values())

    def apply(self, services: ServiceQuerySet) -> ServiceQuerySet:
        """Filter by what is valid; what is not is shown as an error of the form."""
        self.is_valid()
        wanted = self.cleaned_data
        if wanted.get("cluster"):
            services = services.filter(node__cluster=wanted["cluster"])
        if wanted.get("node"):
            services = services.filter(node__name__icontains=wanted["node"])
        if wanted.get("service"):
            services = services.filter(name=wanted["service"])
        if wanted.get("status") == UNREACHABLE:
            services = services.unreachable()
        elif wanted.get("status"):
            services = services.filter(status=wanted["status"])
        return services.order_by("node__cluster__name", "node__name", "group", "name")
