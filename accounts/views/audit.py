"""System > Audit: search, one entry, download."""

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render

from accounts import audit
from accounts.access import Role, access
from accounts.cluster_limits import current_limit
from accounts.http import Request
from accounts.models import AuditEntry
from base.csv import csv_download
from base.loose_scan import values_in

COLUMNS = (
    "number",
    "at",
    "actor",
    "address",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "changes",
    "request_id",
    "job_id",
)


class SearchForm(forms.Form):
    """What to look for."""

    q = forms.CharField(label="Person or object", required=False, max_length=100)
    action = forms.CharField(label="What", required=False, max_length=60)
    since = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def entries(self) -> QuerySet[AuditEntry]:
        found = AuditEntry.objects.all()
        if not self.is_valid():
            return found.none()
        data = self.cleaned_data
        if data["q"]:
            found = found.filter(search_filter(data["q"]))
        if data["action"]:
            found = found.filter(action=data["action"])
        if data["since"]:
            found = found.filter(at__date__gte=data["since"])
        if data["until"]:
            found = found.filter(at__date__lte=data["until"])
        return found

    @property
    def is_empty(self) -> bool:
        """Whether it searches for nothing."""
        return self.is_valid() and not any(self.cleaned_data.values())


class EntryPaginator(Paginator[AuditEntry]):
    """Pages of all entries, or of those that a search found."""

    def __init__(self, entries: QuerySet[AuditEntry], everything: bool) -> None:
        super().__init__(entries, 50)
        self.everything = everything

    @cached_property
    def count(self) -> int:
        return audit.count_entries() if self.everything else super().count


def search_filter(term: str) -> Q:
    exact = Q(request_id=term) | Q(job_id=term) | Q(object_id=term)
    return (
        exact
        | Q(object_label__icontains=term)
        | Q(actor__icontains=term)
        | Q(address__startswith=term)
    )


@access(get=Role.ADMINISTRATOR)
def find_entries(request: Request) -> HttpResponse:
    form = SearchForm(request.GET)
    entries = form.entries()
    everything = form.is_empty and current_limit() is None
    page = EntryPaginator(entries, everything).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        # All that the console ever recorded, also for who is limited to clusters:
        # the words say nothing of an object.
        "actions": values_in(AuditEntry, "action"),
        "chosen": request.GET.get("action", ""),
    }
    return render(request, "accounts/audit.html", context)


@access(get=Role.ADMINISTRATOR)
def show_entry(request: Request, pk: str) -> HttpResponse:
    entry = get_object_or_404(AuditEntry, pk=pk)
    others = AuditEntry.objects.none()
    if entry.object_id:
        others = AuditEntry.objects.filter(
            object_type=entry.object_type, object_id=entry.object_id
        ).exclude(pk=pk)[:10]
    context = {
        "entry": entry,
        "others": others,
        "intact": entry.hash == audit.entry_digest(entry),
    }
    return render(request, "accounts/audit_entry.html", context)


@access(get=Role.ADMINISTRATOR)
def export_entries(request: Request) -> StreamingHttpResponse:
    entries = SearchForm(request.GET).entries()
    audit.append_entry(audit.actor_of(request), "export audit")
    return csv_download("audit", COLUMNS, csv_lines(entries))


def csv_lines(entries: QuerySet[AuditEntry]) -> Iterator[list[Any]]:
    for entry in entries.iterator(chunk_size=1000):
        values = {name: getattr(entry, name) for name in COLUMNS}
        values["at"] = entry.at.isoformat()
        values["changes"] = json.dumps(entry.changes, ensure_ascii=False)
        yield list(values.values())
