"""Between a right password and the session: the second factor, if there is one."""

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from accounts import second_factor
from accounts.adapters import SIGN_IN_STARTED


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """Not asked for where the identity provider has asked for one."""

    def _should_handle(self, request: HttpRequest) -> bool:
        backend = request.session.get(SIGN_IN_STARTED, {}).get("backend", "")
        if second_factor.is_required_elsewhere(backend):
            return False
        needed: bool = super()._should_handle(request)
        return needed
