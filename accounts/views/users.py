"""System > Users."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit, grants, second_factor, users
from accounts.access import Role, access, role_of
from accounts.forms import AddUserForm, EditUserForm
from accounts.http import Request
from accounts.models import Identity
from accounts.reauthentication import recent_proof
from base import csv

EXPORTED: dict[str, Callable[[User], Any]] = {
    "username": attrgetter("username"),
    "name": User.get_full_name,
    "role": role_of,
    "limited": lambda user: "yes" if getattr(user, "limit", None) else "no",
    "active": lambda user: "yes" if user.is_active else "no",
    "tokens": attrgetter("n_tokens"),
    "last_login": attrgetter("last_login"),
}


@access(get=Role.ADMINISTRATOR, all_clusters=True)
def list_users(request: Request) -> HttpResponseBase:
    term = request.GET.get("q", "").replace("\0", "").strip()
    names = Q(username__icontains=term) | Q(last_name__icontains=term)
    found = (
        User.objects.filter(names | Q(first_name__icontains=term))
        .prefetch_related("groups")
        .select_related("limit")
        .annotate(n_tokens=Count("tokens", distinct=True))
        .order_by("username")
    )
    if csv.is_requested(request):
        return csv.list_download("users", EXPORTED, found)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/users.html", {"page": page, "q": term})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("add a user")
def add_user(request: Request) -> HttpResponse:
    form = AddUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        role = Role(form.cleaned_data["role"])
        chosen = form.cleaned_data.get("clusters", [])
        users.save_user(user, role, audit.actor_of(request), chosen)
        messages.success(request, f"{user} is added.")
        return redirect("accounts:users")
    return render(request, "accounts/add_user.html", {"form": form})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("change user {}", User, to_open=False)
def edit_user(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = EditUserForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            actor = audit.actor_of(request)
            users.save_user(form.instance, role, actor, form.chosen_clusters)
        except users.LastAdministrator as error:
            form.add_error(None, ValidationError(str(error), error.code))
        else:
            messages.success(request, f"{user} is saved.")
            return redirect("accounts:users")
    context: dict[str, Any] = {"form": form, "person": User.objects.get(pk=pk)}
    context["identities"] = Identity.objects.filter(user=user)
    context["by_groups"] = grants.by_groups_of(user)
    context["sessions"] = user.sessions.all()[:20]
    context["tokens"] = user.tokens.all()
    context["factors"] = second_factor.factors_of(user)
    return render(request, "accounts/edit_user.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("set the password of {}", User)
def set_password(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if Identity.objects.filter(user=user).exists() and not user.has_usable_password():
        context = {"person": user}
        return render(request, "accounts/password_elsewhere.html", context)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["new_password1"]
        users.set_password(user, password, audit.actor_of(request))
        messages.success(request, f"{user} has a new password; all sessions ended.")
        return redirect("accounts:edit_user", pk)
    return render(request, "accounts/set_password.html", {"form": form, "person": user})


@access(post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("revoke the tokens of {}", User)
def revoke_tokens(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    revoked = users.revoke_tokens(user, audit.actor_of(request))
    messages.success(request, f"{revoked} tokens of {user} are revoked.")
    return redirect("accounts:edit_user", pk)
