"""Settings of django-allauth: what of it the console uses, and how strictly."""

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.sign_in_forms.SignInForm",
    "change_password": "accounts.sign_in_forms.PasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
# Accounts are made by administrators, providers and directories; nobody signs up, and
# no address is verified by mail.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# How long, in seconds, a right password waits for its second factor.
ACCOUNT_LOGIN_TIMEOUT = 300
# The library counts in the cache of one process; accounts.lockout counts in the
# database, before any way of checking a password.
ACCOUNT_RATE_LIMITS = False

MFA_FORMS = {
    "authenticate": "accounts.sign_in_forms.CodeForm",
    "authenticate_webauthn": "accounts.sign_in_forms.PasskeyForm",
    "login_webauthn": "accounts.sign_in_forms.PasskeySignInForm",
    "activate_totp": "accounts.sign_in_forms.SetUpAppForm",
    "add_webauthn": "accounts.sign_in_forms.NewPasskeyForm",
    "edit_webauthn": "accounts.sign_in_forms.RenamePasskeyForm",
}
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_RATE_LIMITS = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "cupadmin"
# Codes of the step before and after are right too: clocks differ a little.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 16
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_PASSKEY_LOGIN_ENABLED = True
# With a PIN or a fingerprint a passkey is password and second factor in one.
MFA_WEBAUTHN_USER_VERIFICATION = "required"

SOCIALACCOUNT_ADAPTER = "accounts.providers.adapter.SocialAccountAdapter"
# Nobody is known by a name or an address of mail, and no token of a provider is kept.
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
