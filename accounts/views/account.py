"""One's own account: password, sessions and API tokens."""

from typing import Any

from allauth.account.views import PasswordChangeView
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit, reauthentication, sessions, time_zones
from accounts.access import Role, access, role_of
from accounts.forms import TimeZoneForm, TokenForm
from accounts.http import Request
from accounts.models import ApiToken, BrowserSession
from accounts.time_zones import KEY


class PasswordChange(PasswordChangeView):  # type: ignore[misc]
    """Change it and end all other sessions of this person."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        request = self.request
        request.user.sessions.exclude(pk=request.sign_in.pk).delete()
        reauthentication.remember_proof(request)
        changes = {"password": ["changed", "changed"]}
        audit.append_entry(
            audit.actor_of(request), "change password", request.user, changes
        )
        messages.success(request, "Your password is changed. Other sessions ended.")
        return answer


page_of_password = PasswordChange.as_view(template_name="accounts/change_password.html")


@access(get=Role.VIEWER, post=Role.VIEWER)
def change_password(request: Request) -> HttpResponse:
    if not request.user.has_usable_password():
        return render(request, "accounts/password_elsewhere.html")
    answer: HttpResponse = page_of_password(request)
    return answer


@access(get=Role.VIEWER, post=Role.VIEWER)
def time_zone(request: Request) -> HttpResponse:
    """The zone in which this person reads times."""
    data = request.POST if request.method == "POST" else None
    form = TimeZoneForm(data, initial={KEY: request.session.get(KEY, "")})
    if form.is_bound and form.is_valid():
        time_zones.save_zone(request, request.user, form.cleaned_data[KEY])
        messages.success(request, "The time zone was saved.")
        return redirect("accounts:time_zone")
    return render(request, "accounts/time_zone.html", {"form": form})


@access(get=Role.VIEWER)
def list_sessions(request: Request) -> HttpResponse:
    context = {"sessions": request.user.sessions.all(), "current": request.sign_in}
    return render(request, "accounts/sessions.html", context)


@access(post=Role.VIEWER)
def end_session(request: Request, pk: str) -> HttpResponse:
    session = get_object_or_404(BrowserSession, pk=pk, user=request.user)
    sessions.end_by_row(session, audit.actor_of(request))
    messages.success(request, "The session is ended.")
    return redirect("accounts:sessions")


@access(post=Role.VIEWER)
def end_other_sessions(request: Request) -> HttpResponse:
    actor, current = audit.actor_of(request), request.sign_in
    if sessions.end_others(request.user, actor, current=current):
        messages.success(request, "All your other sessions are ended.")
    else:
        messages.info(request, "You have no other session.")
    return redirect("accounts:sessions")


@access(get=Role.VIEWER, post=Role.VIEWER)
def list_tokens(request: Request) -> HttpResponse:
    held = role_of(request.user) or Role.VIEWER
    form = TokenForm(request.POST or None, held=held)
    text = ""
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            token, text = ApiToken.issue(request.user, **form.cleaned_data)
            audit.append_entry(audit.actor_of(request), "create token", token)
        form = TokenForm(held=held)
    context = {"form": form, "tokens": request.user.tokens.all(), "text": text}
    return render(request, "accounts/tokens.html", context)


@access(post=Role.VIEWER)
@transaction.atomic
def revoke_token(request: Request, pk: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    audit.append_entry(audit.actor_of(request), "revoke token", token)
    token.delete()
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("accounts:tokens")
