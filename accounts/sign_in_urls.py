"""The pages of django-allauth that the console has, under the names that it looks up.

What is not listed here does not exist. Each page is wrapped in `@access` or
`open_to_all` in accounts.views.
"""

from django.urls import path

from accounts.views import account, second_factor, signin

urlpatterns = [
    path("sign-in/", signin.login, name="account_login"),
    path("sign-in/code/", signin.second_step, name="mfa_authenticate"),
    path("sign-in/passkey/", signin.passkey, name="mfa_login_webauthn"),
    path("sign-out/", signin.logout, name="account_logout"),
    path("password/", account.change_password, name="account_change_password"),
    # the second factor
    path("second-factor/", second_factor.show, name="mfa_index"),
    path("second-factor/app/", second_factor.set_up_app, name="mfa_activate_totp"),
    path(
        "second-factor/app/remove/",
        second_factor.remove_app,
        name="mfa_deactivate_totp",
    ),
    path(
        "second-factor/recovery-codes/",
        second_factor.codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "second-factor/recovery-codes/new/",
        second_factor.new_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "second-factor/passkeys/add/",
        second_factor.add_passkey,
        name="mfa_add_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/rename/",
        second_factor.rename_passkey,
        name="mfa_edit_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        second_factor.remove_passkey,
        name="mfa_remove_webauthn",
    ),
]
