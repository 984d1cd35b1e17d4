from django.urls import path

from accounts.views import audit, own, provider, second_factor, signin, users

app_name = "accounts"

urlpatterns = [
    path("sign-in/", signin.login, name="login"),
    path("sign-in/code/", signin.second_step, name="second_step"),
    path("sign-in/provider/", provider.sign_in, name="provider"),
    path("sign-in/provider/return/", provider.come_back, name="provider_return"),
    path("sign-out/provider/", provider.sign_out, name="provider_sign_out"),
    path("sign-out/", signin.logout, name="logout"),
    # proof of who it is
    path("proof/provider/", provider.prove, name="prove_at_provider"),
    path("proof/", provider.go_on, name="go_on"),
    # one's own account
    path("second-factor/connect/", provider.connect, name="connect"),
    path(
        "second-factor/connect/proof/",
        provider.prove_to_connect,
        name="prove_to_connect",
    ),
    path("second-factor/disconnect/", provider.disconnect, name="disconnect"),
    path("password/", own.change_password, name="change_password"),
    path("sessions/", own.sessions, name="sessions"),
    path("sessions/end/", own.end_other_sessions, name="end_other_sessions"),
    path("sessions/<uuid:pk>/end/", own.end_session, name="end_session"),
    path("second-factor/", second_factor.show, name="second_factor"),
    path("second-factor/set-up/", second_factor.begin, name="begin_second_factor"),
    path("second-factor/confirm/", second_factor.confirm, name="confirm_second_factor"),
    path("second-factor/recovery-codes/", second_factor.renew, name="renew_codes"),
    path("second-factor/switch-off/", second_factor.remove, name="remove_factor"),
    path("tokens/", own.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", own.revoke_token, name="revoke_token"),
    # users
    path("users/", users.find, name="users"),
    path("users/add/", users.add, name="add_user"),
    path("users/<int:pk>/", users.edit, name="edit_user"),
    path("users/<int:pk>/password/", users.set_password, name="set_password"),
    path(
        "users/<int:pk>/revoke-tokens/", users.revoke_tokens, name="revoke_user_tokens"
    ),
    path(
        "users/<int:pk>/reset-second-factor/", second_factor.reset, name="reset_factor"
    ),
    # audit
    path("audit/", audit.find, name="audit"),
    path("audit/export/", audit.export, name="export_audit"),
    path("audit/<uuid:pk>/", audit.show, name="audit_entry"),
]
