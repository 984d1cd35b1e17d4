"""Presence > Inter-Clustering: one peer."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django_htmx.http import HttpResponseStopPolling, trigger_client_event

from accounts import audit
from accounts.access import access
from accounts.http import Request
from accounts.roles import Role, has_role
from base.revisions import Stale
from clusters.models import Cluster
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle
from peers.advice import Advice
from peers.forms import BOTH, KEEP, ManualSyncForm, PeerForm, RemovalForm
from peers.guide import entry_jobs
from peers.jobs.manual_sync import ManualSync, NotByPages
from peers.mask import LONGEST_MASK, apply_mask, validate_mask, validate_number
from peers.models import Peer
from peers.resync import NoPublisher, request_resync

N_JOBS = 8


def get_peer(pk: str) -> Peer:
    peers = Peer.objects.select_related("cluster", "remote_cluster")
    return get_object_or_404(peers, pk=pk)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def add_peer(request: Request) -> HttpResponse:
    """A new peer; a link may propose its home cluster and its address."""
    if request.method == "POST":
        form = PeerForm(request.POST)
    else:
        form = PeerForm(None, initial=proposed_values(request))
    advice = Advice.of(form.instance) if form.is_valid() else None
    unread = is_unread(request, form, advice)
    if advice and not unread:
        try:
            job = save_form(request, form)
        except IntegrityError:
            form.add_error("address", "Somebody has just added a peer of this address.")
        else:
            return saved_response(request, form.instance, job, advice)
    context = {"form": form, "no_clusters": not Cluster.objects.exists()}
    context["advice"] = advice if unread else None
    return render(request, "peers/add_peer.html", context)


def is_unread(request: Request, form: PeerForm, advice: Advice | None) -> bool:
    """Whether advice on a new address is serious, and the form had not shown it."""
    if advice is None or not advice.serious or was_shown(request, advice):
        return False
    return form.adding or "address" in form.edited


def was_shown(request: Request, advice: Advice) -> bool:
    return request.POST.get("advised") == advice.key


@access(post=Role.ADMINISTRATOR)
def advise(request: Request) -> HttpResponse:
    """What should be known of the peer that is typed; saves nothing."""
    edited = peer_called(request.GET.get("peer"))
    home = edited.cluster if edited else cluster_called(request.POST.get("cluster"))
    address, protocol = (request.POST.get(name, "") for name in ("address", "protocol"))
    advice = Advice.on(home, address, protocol, edited)
    return render(request, "peers/_advice.html", {"advice": advice})


def proposed_values(request: Request) -> dict[str, Any]:
    """Return initial values from the query: other pages link here with them."""
    home = cluster_called(request.GET.get("cluster"))
    remote = cluster_called(request.GET.get("remote"))
    publisher = remote.publisher if remote else None
    back = Peer.objects.between(remote, home).first() if home and remote else None
    return {
        "cluster": home,
        "address": publisher.name if publisher else request.GET.get("address", ""),
        "protocol": back.protocol if back else Peer.Protocol.TCP,
    }


def cluster_called(pk: str | None) -> Cluster | None:
    try:
        return Cluster.objects.filter(pk=pk).first() if pk else None
    except ValidationError:
        return None


def peer_called(pk: str | None) -> Peer | None:
    try:
        return Peer.objects.filter(pk=pk).first() if pk else None
    except ValidationError:
        return None


def save_form(request: Request, form: PeerForm) -> Job:
    """Save and provision what the form holds."""
    return lifecycle.save_peer(
        form.instance,
        audit.actor_of(request),
        password=form.cleaned_data["password"],
        fields=() if form.adding else form.edited,
    )


def saved_response(
    request: Request, peer: Peer, job: Job, advice: Advice
) -> HttpResponse:
    """Say so, and what an administrator should know about the peer."""
    messages.success(request, f"The peer {peer} was saved. {job.label} started.")
    if not was_shown(request, advice):
        for code, sentence in advice.warnings.items():
            messages.warning(request, sentence, code)
    return redirect(peer)


@access(get=Role.VIEWER, post=Role.ADMINISTRATOR)
def edit_peer(request: Request, pk: str) -> HttpResponse:
    """The peer: what is wanted, what its cluster has, and its status."""
    peer = get_peer(pk)
    data = request.POST if request.method == "POST" else None
    form = PeerForm(data, instance=peer)
    if form.is_valid() and not (form.edited or form.cleaned_data["password"]):
        messages.info(request, "Nothing was changed.")
        return redirect(peer)
    advice = Advice.of(form.instance) if form.is_valid() else None
    unread = is_unread(request, form, advice)
    if advice and not unread:
        try:
            job = save_form(request, form)
        except Stale:
            form = PeerForm(data, instance=get_peer(pk))
        except Busy as error:
            form.add_error(None, f"{error} Save again when it is done.")
        except IntegrityError:
            form.add_error("address", "Somebody has just added a peer of this address.")
        else:
            return saved_response(request, peer, job, advice)
    if not has_role(request.user, Role.ADMINISTRATOR):
        show_only(form)
    # The form wrote what was typed into its row; the page shows what is stored.
    stored = peer if data is None else get_peer(pk)
    context = {"form": form, "peer": stored, **context_of(stored)}
    context["advice"] = advice if unread else None
    return render(request, "peers/edit_peer.html", context)


def show_only(form: PeerForm) -> None:
    """Let nobody type; what the preview of the mask needs is still sent with it."""
    for name, field in form.fields.items():
        field.required = False
        if name in ("address", "external_phone_number_mask"):
            field.widget.attrs["readonly"] = True
        else:
            field.disabled = True


def context_of(peer: Peer) -> dict[str, Any]:
    """What stands beside the form: the matching peer, the jobs."""
    jobs = Job.objects.about("peer", str(peer.pk)).select_related("requested_by")
    return {"back": peer.reverse, "jobs": jobs[:N_JOBS], **progress_of(peer)}


def progress_of(peer: Peer) -> dict[str, Any]:
    return {"job": entry_jobs(peer).first()}


@access(get=Role.VIEWER)
def show_progress(request: Request, pk: str) -> HttpResponse:
    """The fragment that follows the job of the last save, until it ends."""
    peer = Peer.objects.filter(pk=pk).select_related("cluster").first()
    if peer is None:
        return HttpResponseStopPolling(b"<p>The peer was removed.</p>")
    context = {"peer": peer, **progress_of(peer)}
    response = render(request, "peers/_provisioning.html", context)
    job = context["job"]
    if job and job.active:
        return response
    ended = HttpResponseStopPolling(response.content)
    return trigger_client_event(ended, "provisioned")


def delete_within(peer: Peer, scope: str, request: Request) -> Job | None:
    """Delete the peer from the console, and from the clusters that the scope names."""
    actor = audit.actor_of(request)
    if scope == KEEP:
        lifecycle.drop_record(peer, actor)
        return None
    return lifecycle.request_removal(peer, actor, both_sides=scope == BOTH)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR)
def delete_peer(request: Request, pk: str) -> HttpResponse:
    peer = get_peer(pk)
    data = request.POST if request.method == "POST" else None
    form = RemovalForm.of(peer, data)
    if data is not None and form.is_valid():
        try:
            job = delete_within(peer, form.cleaned_data["scope"], request)
        except Busy as error:
            messages.error(request, f"{error} Wait for it, or cancel it.")
            return redirect(peer)
        if job:
            return redirect(job)
        messages.success(request, f"The peer {peer} was deleted.")
        return redirect("peers:find")
    back = peer.reverse
    context = {"form": form, "peer": peer, "back": back, "matching": [back]}
    return render(request, "peers/delete_peer.html", context)


@access(get=Role.OPERATOR, post=Role.OPERATOR)
def resync_peer(request: Request, pk: str) -> HttpResponse:
    """Restart the Intercluster Sync Agent of the home publisher, after asking."""
    peer = get_peer(pk)
    if request.method == "GET":
        return render(request, "peers/resync.html", {"peer": peer})
    try:
        job = request_resync(peer, audit.actor_of(request))
    except (Busy, NoPublisher) as error:
        messages.info(request, str(error))
        return redirect(peer)
    return redirect(job)


@access(get=Role.OPERATOR, post=Role.OPERATOR)
def force_sync(request: Request, pk: str) -> HttpResponse:
    """Start a sync on the product's own peer page, after asking."""
    peer = get_peer(pk)
    form = ManualSyncForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "peers/manual_sync.html", {"peer": peer, "form": form})
    certificates = form.cleaned_data["certificates"]
    actor = audit.actor_of(request)
    try:
        job = ManualSync.submit(peer, actor, certificates=certificates)
    except (Busy, NotByPages) as error:
        messages.info(request, str(error))
        return redirect(peer)
    return redirect(job)


@access(post=Role.VIEWER)
def mask_preview(request: Request) -> HttpResponse:
    """What the typed mask makes of a sample directory number; saves nothing."""
    mask = request.POST.get("external_phone_number_mask", "").strip()
    sample = request.POST.get("sample", "").strip()[:LONGEST_MASK]
    context: dict[str, Any] = {"mask": mask, "sample": sample}
    try:
        validate_mask(mask)
        validate_number(sample)
    except ValidationError as error:
        context["error"] = error.messages[0]
    else:
        context["result"] = apply_mask(mask, sample)
    part = "peers/_mask_preview.html" if request.htmx else "peers/mask_preview.html"
    return render(request, part, context)
