"""The library's forms: counted by our limit on attempts, deaf to odd input."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
)
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from accounts import audit, lockout
from accounts.backends import address_of
from accounts.recovery_codes import as_stored, digits_of

# What a passkey sends is about 1 kB; attestations of some keys are larger.
LARGEST_CREDENTIAL = 20_000
LONGEST_NAME = 60
MOST_PASSKEYS = 20
# A code is right for three steps of 30 seconds.
CODE_SECONDS = 90


def code_field(label: str = "Code") -> forms.CharField:
    attrs = {
        "autocomplete": "one-time-code",
        "inputmode": "numeric",
        "autofocus": True,
        "class": "mono",
    }
    return forms.CharField(
        label=label, max_length=40, widget=forms.TextInput(attrs=attrs)
    )


@contextmanager
def count_attempts(user: User) -> Iterator[None]:
    """Count an attempt like a password, and take it back when it was right."""
    name, address = user.get_username(), address_of(context.request)
    with lockouts_as_errors(user):
        lockout.reserve_attempt(name, address)
    yield
    lockout.forgive_attempt(name, address)


@contextmanager
def passkey_counted() -> Iterator[None]:
    """Count an attempt to sign in by passkey; take it back when it was right."""
    limited = lockout.passkey_limits(address_of(context.request))
    with lockouts_as_errors(None):
        lockout.count_attempt(limited)
    yield
    lockout.take_back([key for key, _ in limited])


@contextmanager
def lockouts_as_errors(user: User | None) -> Iterator[None]:
    try:
        yield
    except lockout.Locked as locked:
        if locked.first:
            audit.append_entry(
                audit.unknown_actor(context.request), "lock sign-in", user
            )
        raise ValidationError(locked.sentence) from locked


class SignInForm(LoginForm):  # type: ignore[misc]
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drop_placeholders(self)
        attrs = {"autofocus": True, "autocapitalize": "none"}
        self.fields["login"].widget.attrs |= attrs


class PasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """Another password of one's own; the present one is counted like a sign-in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drop_placeholders(self)
        self.fields["oldpassword"].label = "Current password"
        self.fields["password1"].label = "New password"
        self.fields["password2"].label = "New password, again"

    def clean_oldpassword(self) -> str:
        adapter, password = get_adapter(), self.cleaned_data["oldpassword"]
        if not adapter.reauthenticate(self.user, password):
            raise ValidationError("This is not your password.")
        lockout.forgive_attempt(self.user.get_username(), address_of(adapter.request))
        return str(password)


def is_unused(user: User, code: str) -> bool:
    """Use up a code of the app; the library remembers it in one process only."""
    return lockout.use_code_once("code", str(user.pk), code, CODE_SECONDS)


def drop_placeholders(form: Any) -> None:
    """Labels say it; our pages have no placeholders."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the authenticator app, or one for recovery: digits, both."""

    code = code_field()

    def clean_code(self) -> str:
        with count_attempts(self.user):
            self.cleaned_data["code"] = as_stored(self.user, self.cleaned_data["code"])
            code: str = super().clean_code()
            app = self.authenticator.type == Authenticator.Type.TOTP
            if app and not is_unused(self.user, code):
                self._emit_authentication_failed(self.authenticator)
                raise get_mfa_adapter().validation_error("incorrect_code")
        return code


class SetUpAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app; until it is right the session has its secret sealed."""

    code = code_field("Code that the app shows now")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session, adapter = context.request.session, get_mfa_adapter()
        if sealed := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = adapter.decrypt(sealed)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = adapter.encrypt(self.secret)

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()
        except ValidationError:
            raise ValidationError(
                "This is not the current code. Check the clock of the phone."
            ) from None
        is_unused(self.user, digits_of(code))
        return code


class CredentialField(forms.JSONField):
    """What a browser got from a passkey."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:
        too_long = isinstance(value, str) and len(value) > LARGEST_CREDENTIAL
        try:
            found = None if too_long else super().to_python(value)
        except RecursionError:
            found = None
        if not isinstance(found, dict):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found


@contextmanager
def odd_input_refused() -> Iterator[None]:
    """The library expects no lists where a browser sends text; a stranger may."""
    try:
        yield
    except ValidationError as refused:
        if getattr(refused, "code", "") == "incorrect_code":
            raise get_mfa_adapter().validation_error("wrong_passkey") from refused
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as odd:
        raise get_mfa_adapter().validation_error("wrong_passkey") from odd


@contextmanager
def refusals_recorded(action: str, user: User | None = None) -> Iterator[None]:
    try:
        with odd_input_refused():
            yield
    except ValidationError:
        audit.append_entry(audit.unknown_actor(context.request), action, user)
        raise


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey of somebody who is known: the second factor, or a fresh proof."""

    credential = CredentialField()

    def clean_credential(self) -> Any:
        with (
            count_attempts(self.user),
            refusals_recorded("refuse second factor", self.user),
        ):
            return super().clean_credential()


class PasskeySignInForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of user name, password and second factor."""

    credential = CredentialField()

    def clean_credential(self) -> Any:
        with passkey_counted():
            with refusals_recorded("refuse sign-in"):
                found = super().clean_credential()
            with refusals_recorded("refuse sign-in", found.user):
                # Else a passkey would outlive the account at directory or provider.
                if not found.user.has_usable_password():
                    raise get_mfa_adapter().validation_error("account_elsewhere")
        return found


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey, which is to sign in by itself as well."""

    name = forms.CharField(required=False, max_length=LONGEST_NAME)
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        passkeys = Authenticator.objects.filter(user=self.user, type="webauthn")
        if passkeys.count() >= MOST_PASSKEYS:
            raise get_mfa_adapter().validation_error("too_many_passkeys")
        self.cleaned_data["passwordless"] = True
        with odd_input_refused():
            found: dict[str, Any] = super().clean()
        return found


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]
    """Another name of a passkey."""

    name = forms.CharField(max_length=LONGEST_NAME)
