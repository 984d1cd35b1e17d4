"""System > Users > Groups: what the groups of a provider or directory give."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit, grants, users
from accounts.access import Role, access
from accounts.forms import GroupMappingForm
from accounts.http import Request
from accounts.models import GroupMapping
from accounts.reauthentication import recent_proof


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("add a group", to_open=False)
def list_mappings(request: Request) -> HttpResponse:
    form = GroupMappingForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and save_mapping(request, form):
        return redirect("accounts:groups")
    context = {
        "form": form,
        "rows": mapping_rows(),
        "providers": grants.configured_rules(),
    }
    return render(request, "accounts/groups.html", context)


def mapping_rows() -> list[dict[str, object]]:
    """Return all mappings: those of this page, then those of the settings."""
    stored = list(GroupMapping.objects.all())
    on_page = {(row.provider, row.group) for row in stored}
    found = [
        {
            "mapping": row,
            "clusters": users.cluster_names(row.clusters) if row.clusters else "",
        }
        for row in stored
    ]
    for provider, admission in grants.configured_rules().items():
        found += [
            {"mapping": row, "by_setting": True}
            for group, role in sorted(admission.roles.items())
            if (provider, group) not in on_page
            for row in [GroupMapping(provider=provider, group=group, role=role)]
        ]
    return found


def save_mapping(request: Request, form: GroupMappingForm) -> bool:
    """Store the mapping and say what it changed; False where it may not be."""
    try:
        changed = grants.save_mapping(form.mapping(), audit.actor_of(request))
    except users.LastAdministrator as error:
        form.add_error(None, ValidationError(str(error), error.code))
        return False
    report_change(request, f"Group {form.instance.group} is saved.", changed)
    return True


def report_change(request: Request, sentence: str, changed: int) -> None:
    accounts = "account" if changed == 1 else "accounts"
    messages.success(request, f"{sentence} {changed} {accounts} changed.")


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("change group {}", GroupMapping, to_open=False)
def edit_mapping(request: Request, pk: object) -> HttpResponse:
    row = get_object_or_404(GroupMapping, pk=pk)
    form = GroupMappingForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid() and save_mapping(request, form):
        return redirect("accounts:groups")
    context = {"form": form, "mapping": GroupMapping.objects.get(pk=row.pk)}
    return render(request, "accounts/edit_group.html", context)


@access(post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("delete group {}", GroupMapping)
def delete_mapping(request: Request, pk: object) -> HttpResponse:
    row = get_object_or_404(GroupMapping, pk=pk)
    try:
        changed = grants.delete_mapping(row, audit.actor_of(request))
    except users.LastAdministrator as error:
        messages.error(request, str(error))
        return redirect("accounts:edit_group", pk)
    report_change(request, f"Group {row.group} is deleted.", changed)
    return redirect("accounts:groups")
