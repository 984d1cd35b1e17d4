"""One's own account: password, sessions and API tokens."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts import audit, proof
from accounts.access import Role, access, role_of
from accounts.forms import TokenForm
from accounts.http import Request
from accounts.models import ApiToken, BrowserSession


@access(get=Role.VIEWER, post=Role.VIEWER)
def change_password(request: Request) -> HttpResponse:
    """Change it and end all other sessions of this person."""
    if not request.user.has_usable_password():
        return render(request, "accounts/password_elsewhere.html")
    form = PasswordChangeForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            user = form.save()
            others = user.sessions.exclude(pk=request.sign_in.pk)
            others.delete()
            proof.remember(request)
            audit.record(
                audit.actor_of(request),
                "change password",
                user,
                {"password": ["changed", "changed"]},
            )
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed. Other sessions ended.")
        return redirect("accounts:sessions")
    return render(request, "accounts/change_password.html", {"form": form})


@access(get=Role.VIEWER)
def sessions(request: Request) -> HttpResponse:
    context = {"sessions": request.user.sessions.all(), "current": request.sign_in}
    return render(request, "accounts/sessions.html", context)


@access(post=Role.VIEWER)
@transaction.atomic
def end_session(request: Request, pk: str) -> HttpResponse:
    session = get_object_or_404(BrowserSession, pk=pk, user=request.user)
    audit.record(audit.actor_of(request), "end session", session)
    session.delete()
    messages.success(request, "The session is ended.")
    return redirect("accounts:sessions")


@access(post=Role.VIEWER)
@transaction.atomic
def end_other_sessions(request: Request) -> HttpResponse:
    others = request.user.sessions.exclude(pk=request.sign_in.pk)
    ended = others.count()
    if ended:
        audit.record(
            audit.actor_of(request), "end sessions", changes={"sessions": [ended, 0]}
        )
        others.delete()
        messages.success(request, "All your other sessions are ended.")
    else:
        messages.info(request, "You have no other session.")
    return redirect("accounts:sessions")


@access(get=Role.VIEWER, post=Role.VIEWER)
def tokens(request: Request) -> HttpResponse:
    held = role_of(request.user) or Role.VIEWER
    form = TokenForm(request.POST or None, held=held)
    text = ""
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            token, text = ApiToken.issue(request.user, **form.cleaned_data)
            audit.record(audit.actor_of(request), "create token", token)
        form = TokenForm(held=held)
    context = {"form": form, "tokens": request.user.tokens.all(), "text": text}
    return render(request, "accounts/tokens.html", context)


@access(post=Role.VIEWER)
@transaction.atomic
def revoke_token(request: Request, pk: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    audit.record(audit.actor_of(request), "revoke token", token)
    token.delete()
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("accounts:tokens")
