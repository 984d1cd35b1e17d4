from django.urls import path

from accounts.views import (
    account,
    audit,
    groups,
    provider,
    proxy,
    saml,
    second_factor,
    users,
)

app_name = "accounts"

SAML = {"kind": "saml"}
PROXY = {"kind": "proxy"}

urlpatterns = [
    path("sign-in/provider/", provider.sign_in, name="provider"),
    path("sign-in/provider/return/", provider.come_back, name="provider_return"),
    path("sign-in/saml/", provider.sign_in, SAML, name="saml"),
    path("sign-in/saml/acs/", saml.receive_answer, name="saml_answer"),
    path("sign-in/saml/return/", saml.finish_sign_in, name="saml_return"),
    path("sign-in/saml/metadata/", saml.show_metadata, name="saml_metadata"),
    path("sign-in/proxy/", proxy.sign_in, name="proxy"),
    path("sign-out/provider/", provider.sign_out, name="provider_sign_out"),
    # proof of who it is
    path("proof/provider/", provider.prove_by_provider, name="prove_at_provider"),
    path("proof/saml/", provider.prove_by_provider, SAML, name="prove_at_saml"),
    path("proof/", provider.go_on, name="go_on"),
    # one's own account
    path("second-factor/connect/", provider.connect_provider, name="connect"),
    path(
        "second-factor/connect/proof/",
        provider.prove_to_connect,
        name="prove_to_connect",
    ),
    path("second-factor/disconnect/", provider.disconnect_provider, name="disconnect"),
    path(
        "second-factor/connect/saml/",
        provider.connect_provider,
        SAML,
        name="connect_saml",
    ),
    path(
        "second-factor/disconnect/saml/",
        provider.disconnect_provider,
        SAML,
        name="disconnect_saml",
    ),
    path("second-factor/connect/proxy/", proxy.connect_named, name="connect_proxy"),
    path(
        "second-factor/disconnect/proxy/",
        provider.disconnect_provider,
        PROXY,
        name="disconnect_proxy",
    ),
    path("sessions/", account.list_sessions, name="sessions"),
    path("sessions/end/", account.end_other_sessions, name="end_other_sessions"),
    path("sessions/<uuid:pk>/end/", account.end_session, name="end_session"),
    path("time-zone/", account.time_zone, name="time_zone"),
    path("tokens/", account.list_tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", account.revoke_token, name="revoke_token"),
    # users
    path("users/", users.list_users, name="users"),
    path("users/add/", users.add_user, name="add_user"),
    path("users/<int:pk>/", users.edit_user, name="edit_user"),
    path("users/<int:pk>/password/", users.set_password, name="set_password"),
    path(
        "users/<int:pk>/revoke-tokens/", users.revoke_tokens, name="revoke_user_tokens"
    ),
    path(
        "users/<int:pk>/reset-second-factor/",
        second_factor.reset_factor,
        name="reset_factor",
    ),
    path("users/groups/", groups.list_mappings, name="groups"),
    path("users/groups/<uuid:pk>/", groups.edit_mapping, name="edit_group"),
    path("users/groups/<uuid:pk>/delete/", groups.delete_mapping, name="delete_group"),
    # audit
    path("audit/", audit.find_entries, name="audit"),
    path("audit/export/", audit.export_entries, name="export_audit"),
    path("audit/<uuid:pk>/", audit.show_entry, name="audit_entry"),
]
