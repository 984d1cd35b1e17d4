"""The product's own pages of a cluster: describe them, download what was found."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from clusters import page_structure
from clusters.jobs.describe import DescribePages
from clusters.models import Cluster
from jobs.locks import Busy


@access(post=Role.OPERATOR)
def describe_pages(request: Request, pk: str) -> HttpResponse:
    """Start the job that looks at the pages."""
    cluster = get_object_or_404(Cluster, pk=pk)
    try:
        return redirect(DescribePages.submit(cluster, audit.actor_of(request)))
    except Busy as error:
        messages.info(request, str(error))
        return redirect(cluster)


@access(get=Role.VIEWER)
def download_description(request: Request, pk: str) -> HttpResponse:
    """Give what the last visit found as a file, to read and to send."""
    cluster = get_object_or_404(Cluster, pk=pk)
    structure = page_structure.structure_data(cluster)
    if structure["state"] == "never":
        raise Http404("The pages of this cluster were not described yet.")
    text = json.dumps(structure, indent=2, ensure_ascii=False)
    name = slugify(cluster.name) or "cluster"
    return HttpResponse(
        text,
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="pages-{name}.json"'},
    )
