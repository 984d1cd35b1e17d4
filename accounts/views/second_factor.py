"""Second factor: one's own, and an administrator's reset of somebody else's."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.base.views import IndexView
from allauth.mfa.recovery_codes.views import (
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    RemoveWebAuthnView,
)
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.views.decorators.debug import sensitive_post_parameters

from accounts import (
    audit,
    identities,
    passkeys,
    proxy_header,
    second_factor,
    web_providers,
)
from accounts.access import Role, access, before_second_factor
from accounts.http import Request
from accounts.reauthentication import recent_proof
from accounts.recovery_codes import group_code

INDEX = reverse_lazy("mfa_index")


def own_page(view: Any, template: str, before: bool = False) -> Callable[..., Any]:
    """Open a page of the library to the person, after a fresh proof.

    Args:
        before: also while the role still needs a second factor that is missing.
    """
    page = view.as_view(template_name=f"accounts/{template}.html")
    page = sensitive_post_parameters("code", "credential")(page)
    page = recent_proof("change your second factor")(page)
    page = access(get=Role.VIEWER, post=Role.VIEWER)(page)
    guarded: Callable[..., Any] = before_second_factor(page) if before else page
    return guarded


class Framed:
    """A page that also opens before all else is."""

    request: Request

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        found["forced"] = second_factor.is_missing(self.request.user, self.request)
        found["frame"] = "base_plain.html" if found["forced"] else "base.html"
        found["passkeys_unusable"] = passkeys.why_unusable(self.request)
        return found


class NeedsSecondFactor:
    """A page of something that one may not have; then the index says so."""

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except Http404:
            return redirect(INDEX)
        return answer


class Atomic:
    """A change that is stored with its entry in the audit trail, or not at all."""

    success_url = INDEX

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return answer


class SecondFactorIndex(Framed, IndexView):  # type: ignore[misc]
    """What one has, and what one could set up."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        found["providers"] = [
            (provider, identities.of_kind(kind).filter(user=self.request.user).first())
            for kind, provider in web_providers.configured_providers().items()
        ]
        proxy = settings.PROXY_HEADER
        if proxy is not None:
            known = identities.of_kind("proxy").filter(user=self.request.user)
            found["proxy"], found["proxy_identity"] = proxy, known.first()
            found["proxy_subject"] = proxy_header.subject_in(self.request)
        codes = found["authenticators"].get("recovery_codes")
        found["left"] = len(codes.get_unused_codes()) if codes else 0
        return found


class SetUpApp(Framed, Atomic, ActivateTOTPView):  # type: ignore[misc]
    """Scan, then confirm with a first code."""


class RemoveApp(NeedsSecondFactor, Atomic, DeactivateTOTPView):  # type: ignore[misc]
    """Confirm that the app is to be asked for no longer."""

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "The authenticator app is removed.")
        return super().form_valid(form)


class RecoveryCodes(NeedsSecondFactor, Framed, ViewRecoveryCodesView):  # type: ignore[misc]
    """Recovery codes, shown once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = super().get_context_data(**kwargs)
        codes = found["unused_codes"]
        found["codes"] = (
            [group_code(code) for code in codes] if found["can_view_codes"] else []
        )
        return found

    def post(self, request: Request) -> HttpResponse:
        return redirect("mfa_view_recovery_codes")


class NewCodes(Atomic, GenerateRecoveryCodesView):  # type: ignore[misc]
    """Confirm that new codes are to void the earlier ones."""

    success_url = reverse_lazy("mfa_view_recovery_codes")


class AddPasskey(Framed, Atomic, AddWebAuthnView):  # type: ignore[misc]
    """Name it and let the browser make it."""


class RenamePasskey(Atomic, EditWebAuthnView):  # type: ignore[misc]
    """Another name for a passkey."""

    def form_valid(self, form: Any) -> HttpResponse:
        names = [form.instance.wrap().name, form.cleaned_data["name"]]
        actor, user = audit.actor_of(self.request), self.request.user
        audit.append_entry(actor, "rename passkey", user, {"passkey": names})
        return super().form_valid(form)


class RemovePasskey(Atomic, RemoveWebAuthnView):  # type: ignore[misc]
    """Confirm that a passkey is to sign in no longer."""

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "The passkey is removed.")
        return super().form_valid(form)


show = before_second_factor(
    access(get=Role.VIEWER)(
        SecondFactorIndex.as_view(template_name="accounts/second_factor.html")
    )
)
set_up_app = own_page(SetUpApp, "set_up_app", before=True)
remove_app = own_page(RemoveApp, "remove_app")
codes = own_page(RecoveryCodes, "recovery_codes", before=True)
new_codes = own_page(NewCodes, "new_recovery_codes")
add_passkey = own_page(AddPasskey, "add_passkey", before=True)
rename_passkey = own_page(RenamePasskey, "rename_passkey")
remove_passkey = own_page(RemovePasskey, "remove_passkey")


@access(post=Role.ADMINISTRATOR, all_clusters=True)
@recent_proof("reset the second factor of {}", User)
def reset_factor(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if second_factor.reset_factors(user, audit.actor_of(request)):
        messages.success(
            request, f"The second factor of {user} is reset; all sessions ended."
        )
    else:
        messages.info(request, f"{user} has no second factor.")
    return redirect("accounts:edit_user", pk)
