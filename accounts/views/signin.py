"""Sign-in and sign-out."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth import logout as auth_logout
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import second_factor
from accounts.access import Role, access, open_to_all
from accounts.backends import PROVIDER_BACKEND
from accounts.forms import CodeForm, SignInForm
from accounts.http import Request
from accounts.second_step import enter, finish, waiting
from accounts.views.second_factor import before_second_factor


class SignIn(auth_views.LoginView):
    """Name and password; the second factor follows on a page of its own."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # After signing out here one is still signed in at the provider.
        left = self.request.GET.get("left") == "provider"
        return super().get_context_data(provider=settings.OIDC, left=left, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponseRedirect:
        return enter(self.request, form.get_user(), self.get_success_url())


login = open_to_all(SignIn.as_view())


@open_to_all
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the code of somebody whose password was right."""
    waits = waiting(request)
    if waits is None:
        messages.info(request, "Sign in first; a code is asked for after that.")
        return redirect("accounts:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        error = second_factor.attempt(request, waits.factor, form.cleaned_data["code"])
        if not error:
            return finish(request, waits)
        form.add_error("code", error)
    return render(request, "accounts/second_step.html", {"form": form, "waits": waits})


@before_second_factor
@access(post=Role.VIEWER)
def logout(request: Request) -> HttpResponse:
    through = request.session.get(BACKEND_SESSION_KEY) == PROVIDER_BACKEND
    auth_logout(request)
    query = "?left=provider" if through else ""
    return HttpResponseRedirect(reverse("accounts:login") + query)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
