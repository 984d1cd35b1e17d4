"""The filters of the lists of services and agents."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet

from clusters.models import Cluster
from services.models import Service, ServiceQuerySet, SyncAgent

UNREACHABLE = "unreachable"


class NodeFilterForm(forms.Form):
    """Filter by cluster and node."""

    cluster = forms.ModelChoiceField(
        Cluster.objects.all(), required=False, empty_label="All clusters"
    )
    node = forms.CharField(
        required=False,
        max_length=253,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Node"}),
    )


class ServiceGridForm(NodeFilterForm):
    """Filter services by cluster, node, name and status."""

    group = forms.ChoiceField(required=False)
    service = forms.ChoiceField(required=False)
    status = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any status"),
            *Service.Status.choices,
            (UNREACHABLE, "Unreachable"),
        ],
    )

    controllable = forms.BooleanField(
        required=False, label="Only services that can be controlled"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for column, field, everything in (
            ("name", "service", "All services"),
            ("group", "group", "All groups"),
        ):
            found = Service.objects.order_by(column).values_list(column, flat=True)
            choices = [("", everything), *((n, n) for n in found.distinct() if n)]
            self.fields[field].choices = choices  # type: ignore[attr-defined]

    @property
    def filters(self) -> bool:
        return self.is_valid() and any(self.cleaned_data.values())

    def apply(self, services: ServiceQuerySet) -> ServiceQuerySet:
        """Filter by what is valid; what is not is shown as an error of the form."""
        self.is_valid()
        filters = self.cleaned_data
        if filters.get("cluster"):
            services = services.filter(node__cluster=filters["cluster"])
        if filters.get("node"):
            services = services.filter(node__name__icontains=filters["node"])
        if filters.get("group"):
            services = services.filter(group=filters["group"])
        if filters.get("service"):
            services = services.filter(name=filters["service"])
        if filters.get("controllable"):
            services = services.controllable()
        if filters.get("status") == UNREACHABLE:
            services = services.unreachable()
        elif filters.get("status"):
            services = services.filter(status=filters["status"])
        return services.order_by("node__cluster__name", "node__name", "group", "name")


NOT_RUNNING = "off"


class ServerForm(NodeFilterForm):
    """Filter servers by cluster, name or address, and what was read of them."""

    STOPPED, UNREAD = "stopped", "unread"

    show = forms.ChoiceField(
        required=False,
        label="State",
        choices=[
            ("", "Any state"),
            (STOPPED, "With stopped services"),
            (UNREAD, "Services not read"),
        ],
    )

    def apply(self, nodes: QuerySet[Any]) -> QuerySet[Any]:
        """Filter by what is valid; `stopped` and `listed` are the counts of each."""
        self.is_valid()
        cluster, text, show = map(self.cleaned_data.get, ("cluster", "node", "show"))
        if cluster:
            nodes = nodes.filter(cluster=cluster)
        if text:
            nodes = nodes.filter(Q(name__icontains=text) | Q(address__icontains=text))
        if show == self.STOPPED:
            nodes = nodes.filter(stopped__gt=0)
        if show == self.UNREAD:
            nodes = nodes.filter(Q(listed=0) | ~Q(reading__error_code=""))
        return nodes


class AgentForm(NodeFilterForm):
    """Filter agents by cluster, node and state."""

    show = forms.ChoiceField(
        required=False,
        label="State",
        choices=[("", "Any state"), (NOT_RUNNING, "Not running")],
    )

    def __init__(self, *args: Any, agents: Sequence[SyncAgent], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = sorted({(agent.state, agent.label) for agent in agents})
        show = cast(forms.ChoiceField, self.fields["show"])
        show.choices = [*show.choices, *states]  # type: ignore[misc]
        self.agents = agents

    @property
    def chosen(self) -> list[SyncAgent]:
        """Filter by what is valid; what is not is shown as an error of the form."""
        self.is_valid()
        return [agent for agent in self.agents if self.admits(agent)]

    def admits(self, agent: SyncAgent) -> bool:
        wanted = self.cleaned_data
        cluster, node, show = (wanted.get(n) for n in ("cluster", "node", "show"))
        if cluster and agent.node.cluster_id != cluster.pk:
            return False
        if node and node.casefold() not in agent.node.name.casefold():
            return False
        if show == NOT_RUNNING:
            return not agent.on
        return not show or agent.state == show
