"""Second factor: one's own, and an administrator's reset of somebody else's."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from accounts import audit, second_factor
from accounts.access import Role, access
from accounts.forms import CodeForm
from accounts.http import Request
from accounts.models import SecondFactor
from accounts.proof import recent_proof

View = TypeVar("View", bound=Callable[..., Any])


def before_second_factor(view: View) -> View:
    """Open a page to those whose role needs a second factor that is not set up."""
    view.before_second_factor = True  # type: ignore[attr-defined]
    return view


@before_second_factor
@access(get=Role.VIEWER)
def show(request: Request) -> HttpResponse:
    return page(request, SecondFactor.objects.filter(user=request.user).first())


@before_second_factor
@access(post=Role.VIEWER)
@recent_proof
def begin(request: Request) -> HttpResponse:
    second_factor.begin(request.user)
    return redirect("accounts:second_factor")


@before_second_factor
@access(post=Role.VIEWER)
@sensitive_post_parameters("code")
def confirm(request: Request) -> HttpResponse:
    factor = SecondFactor.objects.filter(user=request.user, confirmed_at=None).first()
    if factor is None:
        return redirect("accounts:second_factor")
    form = CodeForm(request.POST)
    if form.is_valid():
        actor = audit.actor_of(request)
        codes = second_factor.confirm(factor, form.cleaned_data["code"], actor)
        if codes is not None:
            return page(request, factor, codes=codes)
        form.add_error("code", "This is not the code of now. Check the phone's clock.")
    return page(request, factor, form=form)


@access(post=Role.VIEWER)
@recent_proof
def renew(request: Request) -> HttpResponse:
    factor = second_factor.of(request.user)
    if factor is None:
        return redirect("accounts:second_factor")
    actor = audit.actor_of(request)
    codes = second_factor.renew_recovery_codes(factor, actor)
    return page(request, factor, codes=codes)


@access(post=Role.VIEWER)
@recent_proof
def remove(request: Request) -> HttpResponse:
    actor = audit.actor_of(request)
    if second_factor.remove(request.user, "switch off second factor", actor):
        messages.success(request, "Your second factor is switched off.")
    return redirect("accounts:second_factor")


@access(post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof
def reset(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if second_factor.reset(user, audit.actor_of(request)):
        messages.success(
            request, f"The second factor of {user} is reset; all sessions ended."
        )
    else:
        messages.info(request, f"{user} has no second factor.")
    return redirect("accounts:edit_user", pk)


def page(
    request: Request,
    factor: SecondFactor | None,
    codes: list[str] | None = None,
    form: CodeForm | None = None,
) -> HttpResponse:
    forced = second_factor.is_missing(request.user, request)
    context: dict[str, Any] = {
        "frame": "base_plain.html" if forced else "base.html",
        "forced": forced,
        "factor": factor,
        "codes": codes,
        "form": form or CodeForm(),
        "provider": settings.OIDC,
        "identity": request.user.identities.filter(provider="oidc").first(),
    }
    if factor is not None and factor.confirmed_at:
        context["left"] = second_factor.recovery_codes_left(factor)
    elif factor is not None:
        context["qr_code"] = second_factor.qr_code(factor)
        context["secret"] = factor.unseal("secret").reveal()
    return render(request, "accounts/second_factor.html", context)
