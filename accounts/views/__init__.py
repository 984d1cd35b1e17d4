"""Pages of sign-in, one's own account, users and the audit trail."""

from accounts.views.signin import csrf_failure

__all__ = ["csrf_failure"]
