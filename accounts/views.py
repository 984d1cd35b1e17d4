"""Sign-in, sign-out, API tokens and the audit trail."""

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import requires_csrf_token

from accounts import audit
from accounts.access import Role, access, open_to_all, role_of
from accounts.forms import TokenForm
from accounts.http import Request
from accounts.models import ApiToken, AuditEntry

login = open_to_all(
    auth_views.LoginView.as_view(
        template_name="accounts/login.html", redirect_authenticated_user=True
    )
)


@access(post=Role.VIEWER)
def logout(request: Request) -> HttpResponse:
    return auth_views.LogoutView.as_view()(request)


@access(get=Role.VIEWER, post=Role.VIEWER)
def tokens(request: Request) -> HttpResponse:
    held = role_of(request.user) or Role.VIEWER
    form = TokenForm(request.POST or None, held=held)
    text = ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        token, text = ApiToken.issue(
            request.user,
            data["name"],
            Role(data["role"]),
            expires_at=data["expires_at"],
        )
        audit.record(audit.actor_of(request), "create token", token)
        form = TokenForm(held=held)
    context = {"form": form, "tokens": request.user.tokens.all(), "text": text}
    return render(request, "accounts/tokens.html", context)


@access(post=Role.VIEWER)
def revoke_token(request: Request, pk: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    audit.record(audit.actor_of(request), "revoke token", token)
    token.delete()
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("accounts:tokens")


@access(get=Role.ADMINISTRATOR)
def audit_trail(request: Request) -> HttpResponse:
    entries = AuditEntry.objects.all()
    term = request.GET.get("q", "").strip()
    if term:
        entries = entries.filter(object_label__icontains=term) | entries.filter(
            actor__icontains=term
        )
    page = Paginator(entries, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/audit.html", {"page": page, "q": term})


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
