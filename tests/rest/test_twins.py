"""What a page changes, a script can: each has a twin, or stands here with why not."""

import pytest

from tests.security.matrix import MATRIX

CEREMONY = "A browser proves here who sits before it."
OWN_PAGES = "How the pages of one person look."
CHANGES_NOTHING = "It sends what is typed, and changes nothing."

# A page that changes something, and the operations that do the same.
TWINS = {
    "overview:check_now": "POST api:sweeps",
    "overview:acknowledge": "POST api:problems-acknowledge",
    "overview:snooze": "POST api:problems-snooze",
    "overview:reopen": "POST api:problems-reopen",
    "jobs:cancel": "POST api:jobs-cancel",
    "jobs:retry": "POST api:jobs-retry",
    "notifications:mine": "POST api:subscriptions-list, PATCH api:subscriptions-detail",
    "notifications:read": "POST api:deliveries-read",
    "notifications:test_mail": "POST api:subscriptions-test",
    "notifications:webhooks": "POST api:webhooks-list",
    "notifications:edit_webhook": "PATCH api:webhooks-detail",
    "notifications:test_webhook": "POST api:webhooks-test",
    "notifications:delete_webhook": "DELETE api:webhooks-detail",
    "notifications:maintenance": "POST api:maintenance-windows-list",
    "notifications:end_maintenance": "POST api:maintenance-windows-end",
    "notifications:cancel_maintenance": "DELETE api:maintenance-windows-detail",
    "accounts:end_other_sessions": "POST api:sessions-end-others",
    "accounts:end_session": "DELETE api:sessions-detail",
    "accounts:reset_factor": "POST api:users-reset-second-factor",
    "accounts:tokens": "POST api:tokens-list",
    "accounts:revoke_token": "DELETE api:tokens-detail",
    "accounts:add_user": "POST api:users-list",
    "accounts:edit_user": "PATCH api:users-detail",
    "accounts:set_password": "POST api:users-password",
    "accounts:revoke_user_tokens": "POST api:users-revoke-tokens",
    "accounts:groups": "POST api:group-mappings-list",
    "accounts:edit_group": "PATCH api:group-mappings-detail",
    "accounts:delete_group": "DELETE api:group-mappings-detail",
    "mesh:set_up": "POST api:mesh-plan",
    "mesh:complete": "POST api:mesh-plan",
    "mesh:results": "POST api:mesh-plan",
    "mesh:plan": "POST api:mesh-apply",
    "mesh:rotate": "POST api:peers-bulk-plan, POST api:peers-bulk-apply",
    "mesh:add_neighbours": "POST api:clusters-list, POST api:nodes-list",
    "mesh:running": "POST api:mesh-adopt",
    "mesh:read_again": "POST api:sweeps",
    "mesh:adopt": "POST api:mesh-adopt",
    "sizing:edit_profile": "PATCH api:sizing",
    "sizing:edit_platform": "PATCH api:sizing-platform",
    "exchange:read": "POST api:mesh-certificates-read",
    "exchange:read_cluster": "POST api:mesh-certificates-read",
    "proof:prove": "POST api:peers-prove",
    "proof:canary": "PATCH api:clusters-detail",
    "proof:trust": "POST api:nodes-presence-certificate",
    "clusters:certificates": "POST api:nodes-trust",
    "clusters:add_cluster": "POST api:clusters-list",
    "clusters:edit_cluster": "PATCH api:clusters-detail",
    "clusters:delete_cluster": "DELETE api:clusters-detail",
    "clusters:discover": "POST api:clusters-discover",
    "clusters:peer_table": "POST api:clusters-peer-table",
    "clusters:recognise": "POST api:clusters-recognise",
    "clusters:test": "POST api:clusters-test",
    "clusters:describe_pages": "POST api:clusters-describe-pages",
    "clusters:add_node": "POST api:nodes-list",
    "clusters:edit_node": "PATCH api:nodes-detail",
    "clusters:delete_node": "DELETE api:nodes-detail",
    "clusters:trust": "POST api:nodes-trust",
    "peers:import": "POST api:imports",
    "peers:import_preview": "POST api:imports-apply",
    "peers:add_peer": "POST api:peers-list",
    "peers:bulk_choose": "POST api:peers-bulk-plan",
    "peers:bulk_edit": "POST api:peers-bulk-plan",
    "peers:bulk_apply": "POST api:peers-bulk-apply",
    "peers:edit_peer": "PATCH api:peers-detail",
    "peers:delete_peer": "DELETE api:peers-detail",
    "peers:look": "POST api:peers-read-again",
    "peers:attest": "POST api:peers-attest",
    "peers:take_over": "POST api:peers-take-over",
    "peers:write_again": "POST api:peers-write-again",
    "peers:resync": "POST api:peers-resync",
    "peers:force_sync": "POST api:peers-manual-sync",
    "diagnostics:troubleshooter": "POST api:troubleshooter-runs-list",
    "diagnostics:check_peer": "POST api:peers-check",
    "diagnostics:check_selected": "POST api:peers-check-many",
    "services:refresh": "POST api:nodes-services-refresh",
    "services:refresh_all": "POST api:services-refresh",
    "services:control": "POST api:services-control",
    "directory:take": "POST api:directory-snapshots-list",
}
WITHOUT = {
    "account_logout": "A token has no session; DELETE sessions/ID/ ends one.",
    "account_change_password": CEREMONY,
    "mfa_activate_totp": CEREMONY,
    "mfa_deactivate_totp": CEREMONY,
    "mfa_view_recovery_codes": CEREMONY,
    "mfa_generate_recovery_codes": CEREMONY,
    "mfa_add_webauthn": CEREMONY,
    "mfa_edit_webauthn": CEREMONY,
    "mfa_remove_webauthn": CEREMONY,
    "accounts:prove_to_connect": CEREMONY,
    "accounts:disconnect": CEREMONY,
    "accounts:disconnect_saml": CEREMONY,
    "accounts:connect_proxy": CEREMONY,
    "accounts:disconnect_proxy": CEREMONY,
    "accounts:time_zone": OWN_PAGES,
    "ui:save_view": OWN_PAGES,
    "ui:delete_view": OWN_PAGES,
    "peers:mask_preview": CHANGES_NOTHING,
    "peers:advise": CHANGES_NOTHING,
    "peers:reveal": "No password leaves the console by REST.",
}


def changing_pages():
    return {
        name
        for name, methods in MATRIX.items()
        if not name.startswith("api:") and set(methods) - {"GET"}
    }


def test_each_page_that_changes_something_has_a_twin_or_a_reason():
    assert changing_pages() == set(TWINS) | set(WITHOUT)
    assert not set(TWINS) & set(WITHOUT)


@pytest.mark.parametrize("page", TWINS)
def test_a_twin_exists_and_needs_the_role_of_the_page(page):
    for operation in TWINS[page].split(", "):
        method, name = operation.split()
        assert MATRIX[name][method] == MATRIX[page]["POST"], operation
