"""Presence > Inter-Clustering: import and export of clusters and peers."""

from collections.abc import Callable
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.proof import recent_proof
from accounts.roles import Role
from peers.exchange import applying, reading, writing
from peers.models import Upload

KEPT_FOR = timedelta(hours=1)
ENDINGS = (".csv", ".yaml", ".yml")
EXPORTS: dict[str, Callable[[], HttpResponseBase]] = {
    "clusters-csv": writing.clusters_csv,
    "peers-csv": writing.peers_csv,
    "yaml": writing.all_yaml,
}
# The page shows so many of the entries that are fine; all of those that are not.
SHOWN = 200


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label="File",
        help_text="CSV or YAML in UTF-8, up to 1 MiB and 1,000 rows.",
        widget=forms.FileInput(attrs={"accept": ",".join(ENDINGS)}),
    )

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(ENDINGS):
            raise forms.ValidationError("The file name must end in .csv or .yaml.")
        if file.size > reading.LARGEST:
            raise forms.ValidationError("The file is larger than 1 MiB.")
        return file


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def upload(request: Request) -> HttpResponse:
    """Take a file and show what it would do; nothing is changed yet."""
    sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
    if sent and form.is_valid():
        try:
            kept = keep(request, form.cleaned_data["file"])
        except reading.Unreadable as error:
            form.add_error("file", str(error))
        else:
            return redirect("peers:import_preview", kept.pk)
    columns = {
        "clusters": reading.COLUMNS[reading.CLUSTER],
        "peers": reading.COLUMNS[reading.PEER],
    }
    return render(request, "peers/import.html", {"form": form, "columns": columns})


@sensitive_variables("content")
def keep(request: Request, file: forms.FileField) -> Upload:
    """Read the file once, then seal it until the preview is answered."""
    content = file.read()  # type: ignore[attr-defined]
    row = Upload(user=request.user, name=file.name[-100:])  # type: ignore[attr-defined]
    reading.read(content, is_yaml=row.is_yaml)
    row.seal("content", content.decode("utf-8-sig"))
    Upload.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    Upload.objects.filter(user=request.user).delete()
    row.save(force_insert=True)
    return row


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
@recent_proof
def preview(request: Request, pk: str) -> HttpResponse:
    """What the file would do, by line; posted, it is done in one transaction."""
    since = timezone.now() - KEPT_FOR
    row = get_object_or_404(Upload, pk=pk, user=request.user, created_at__gte=since)
    content = row.unseal("content").reveal().encode()
    entries = reading.read(content, is_yaml=row.is_yaml)
    wanted = request.method == "POST"
    result = applying.run(entries, audit.actor_of(request), preview=not wanted)
    if wanted and not result.errors:
        row.delete()
        messages.success(request, f"{result.added} added, {result.edited} changed.")
        return redirect("peers:find")
    fine = [effect for effect in result.effects if not effect.errors]
    context = {"upload": row, "result": result, "fine": fine[:SHOWN]}
    context["more"] = len(fine) - SHOWN
    return render(request, "peers/import_preview.html", context)


@access(get=Role.VIEWER)
def export(request: Request, what: str) -> HttpResponseBase:
    """A file that an import reads again; it holds no password."""
    if what not in EXPORTS:
        raise Http404
    return EXPORTS[what]()
