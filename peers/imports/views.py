"""Presence > Inter-Clustering: import and export of clusters and peers."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.roles import Role
from base.unreadable import Unreadable
from jobs.locks import Busy
from peers.imports import apply, exports, parse, uploads
from peers.jobs.import_file import ImportFile
from peers.models import Upload

ENDINGS = (".csv", ".yaml", ".yml")
EXPORTS: dict[str, Callable[[], HttpResponseBase]] = {
    "clusters-csv": exports.clusters_csv,
    "peers-csv": exports.peers_csv,
    "yaml": exports.all_yaml,
}
ROWS = 100
TOO_LARGE = f"The file is larger than {parse.LARGEST >> 20} MiB."


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label="File",
        help_text=f"CSV or YAML, up to {parse.LARGEST >> 20} MiB and "
        f"{parse.MOST_ROWS:,} rows, {parse.MOST_CLUSTERS:,} of them clusters.",
        widget=forms.FileInput(attrs={"accept": ",".join(ENDINGS)}),
    )

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(ENDINGS):
            raise forms.ValidationError(
                "The file name must end in .csv or .yaml.", "ending"
            )
        if file.size > parse.LARGEST:
            raise forms.ValidationError(TOO_LARGE, "too_large")
        return file


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def upload_file(request: Request) -> HttpResponse:
    """Take a file and show what it would do; nothing is changed yet."""
    sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    if sent and form.is_valid():
        try:
            file = form.cleaned_data["file"]
            stored = uploads.store_upload(request.user, file.name, file.read())
        except Unreadable as error:
            form.add_error("file", forms.ValidationError(str(error), error.code))
        else:
            return redirect("peers:import_preview", stored.pk)
    columns = {
        "clusters": parse.COLUMNS[parse.CLUSTER],
        "peers": parse.COLUMNS[parse.PEER],
    }
    return render(request, "peers/import.html", {"form": form, "columns": columns})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
@recent_proof("import a file")
def preview_upload(request: Request, pk: str) -> HttpResponse:
    """What the file would do, the worst first; posted, it is done.

    A long file is imported by a job, so that nobody waits for the page.
    """
    row = get_object_or_404(uploads.uploads_of(request.user), pk=pk)
    entries = uploads.entries_of(row)
    if request.method != "POST":
        result = apply.preview_import(entries)
    elif len(entries) > uploads.SOON:
        return import_by_job(request, row, len(entries))
    else:
        result = apply.apply_import(entries, audit.actor_of(request), row)
        if not (result.errors or result.refused):
            messages.success(request, result.sentence)
            return redirect("peers:find")
    page = Paginator(result.worst_first, ROWS).get_page(request.GET.get("page"))
    context = {"upload": row, "result": result, "page_obj": page}
    context["by_job"] = len(entries) > uploads.SOON
    return render(request, "peers/import_preview.html", context)


def import_by_job(request: Request, row: Upload, count: int) -> HttpResponse:
    try:
        job = ImportFile.submit(row, count, audit.actor_of(request))
    except Busy as error:
        job = error.job
    return redirect(job)


@access(get=Role.VIEWER)
def export_file(request: Request, what: str) -> HttpResponseBase:
    """A file that an import reads again; it holds no password."""
    if what not in EXPORTS:
        raise Http404
    return EXPORTS[what]()
