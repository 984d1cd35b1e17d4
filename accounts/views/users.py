"""System > Users."""

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit, users
from accounts.access import Role, access
from accounts.forms import AddUserForm, EditUserForm
from accounts.http import Request
from accounts.proof import recent_proof


@access(get=Role.ADMINISTRATOR, all_clusters=True)
def find(request: Request) -> HttpResponse:
    term = request.GET.get("q", "").replace("\0", "").strip()
    names = Q(username__icontains=term) | Q(last_name__icontains=term)
    found = (
        User.objects.filter(names | Q(first_name__icontains=term))
        .prefetch_related("groups")
        .select_related("limit")
        .annotate(n_tokens=Count("tokens", distinct=True))
        .order_by("username")
    )
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/users.html", {"page": page, "q": term})


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof
def add(request: Request) -> HttpResponse:
    form = AddUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        role = Role(form.cleaned_data["role"])
        users.save(user, role, audit.actor_of(request), chosen(form))
        messages.success(request, f"{user} is added.")
        return redirect("accounts:users")
    return render(request, "accounts/add_user.html", {"form": form})


def chosen(form: AddUserForm | EditUserForm) -> list[str]:
    found: list[str] = form.cleaned_data.get("clusters", [])
    return found


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof
def edit(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = EditUserForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            users.save(form.instance, role, audit.actor_of(request), chosen(form))
        except users.LastAdministrator as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{user} is saved.")
            return redirect("accounts:users")
    context = {"form": form, "person": User.objects.get(pk=pk)}
    context["sessions"] = user.sessions.all()[:20]
    context["tokens"] = user.tokens.all()
    return render(request, "accounts/edit_user.html", context)


@access(get=Role.ADMINISTRATOR, post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof
def set_password(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if user.identities.exists() and not user.has_usable_password():
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
@recent_proof
def revoke_tokens(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    revoked = users.revoke_tokens(user, audit.actor_of(request))
    messages.success(request, f"{revoked} tokens of {user} are revoked.")
    return redirect("accounts:edit_user", pk)
