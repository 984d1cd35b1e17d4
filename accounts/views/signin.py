"""Sign-in and sign-out."""

from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from accounts.access import Role, access, open_to_all
from accounts.forms import SignInForm
from accounts.http import Request

login = open_to_all(
    auth_views.LoginView.as_view(
        template_name="accounts/login.html",
        authentication_form=SignInForm,
        redirect_authenticated_user=True,
    )
)


@access(post=Role.VIEWER)
def logout(request: Request) -> HttpResponse:
    return auth_views.LogoutView.as_view()(request)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
