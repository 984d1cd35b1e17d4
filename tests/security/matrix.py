"""Who may do what: every route and method of pages and REST with the role it needs.

A method that is not listed does not exist. A new route is added here by hand, with a
thought about who should have it.
"""

from accounts.roles import Role

V, OP, A = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR

# Routes that answer without a sign-in.
OPEN = {
    "accounts:login",
    "accounts:second_step",
    "healthz",
    "metrics",
    "readyz",
}

MATRIX = {
    # the console itself
    "home": {"GET": V},
    "search": {"GET": V},
    # jobs
    "jobs:find": {"GET": V},
    "jobs:badge": {"GET": V},
    "jobs:show": {"GET": V},
    "jobs:target": {"GET": V},
    "jobs:cancel": {"POST": OP},
    "jobs:retry": {"POST": OP},
    # notifications
    "notifications:mine": {"GET": V, "POST": V},
    "notifications:badge": {"GET": V},
    "notifications:read": {"POST": V},
    "notifications:webhooks": {"GET": A, "POST": A},
    "notifications:edit_webhook": {"GET": A, "POST": A},
    "notifications:test_webhook": {"POST": A},
    "notifications:delete_webhook": {"POST": A},
    "notifications:maintenance": {"GET": V, "POST": OP},
    "notifications:end_maintenance": {"POST": OP},
    "notifications:cancel_maintenance": {"POST": OP},
    # accounts
    "accounts:logout": {"POST": V},
    "accounts:change_password": {"GET": V, "POST": V},
    "accounts:sessions": {"GET": V},
    "accounts:end_other_sessions": {"POST": V},
    "accounts:end_session": {"POST": V},
    "accounts:second_factor": {"GET": V},
    "accounts:begin_second_factor": {"POST": V},
    "accounts:confirm_second_factor": {"POST": V},
    "accounts:renew_codes": {"POST": V},
    "accounts:remove_factor": {"POST": V},
    "accounts:reset_factor": {"POST": A},
    "accounts:tokens": {"GET": V, "POST": V},
    "accounts:revoke_token": {"POST": V},
    "accounts:users": {"GET": A},
    "accounts:add_user": {"GET": A, "POST": A},
    "accounts:edit_user": {"GET": A, "POST": A},
    "accounts:set_password": {"GET": A, "POST": A},
    "accounts:revoke_user_tokens": {"POST": A},
    "accounts:audit": {"GET": A},
    "accounts:export_audit": {"GET": A},
    "accounts:audit_entry": {"GET": A},
    # mesh
    "mesh:matrix": {"GET": V},
    "mesh:set_up": {"GET": A, "POST": A},
    "mesh:complete": {"GET": A, "POST": A},
    "mesh:results": {"GET": V, "POST": A},
    "mesh:plan": {"GET": A, "POST": A},
    "mesh:adopt": {"GET": A, "POST": A},
    # peers
    "peers:clusters": {"GET": V},
    "peers:add_cluster": {"GET": A, "POST": A},
    "peers:show_cluster": {"GET": V},
    "peers:edit_cluster": {"GET": A, "POST": A},
    "peers:delete_cluster": {"GET": A, "POST": A},
    "peers:discover": {"POST": A},
    "peers:test": {"POST": OP},
    "peers:add_node": {"GET": A, "POST": A},
    "peers:show_node": {"GET": V},
    "peers:edit_node": {"GET": A, "POST": A},
    "peers:delete_node": {"GET": A, "POST": A},
    "peers:certificate": {"GET": OP},
    "peers:trust": {"POST": A},
    "peers:find": {"GET": V},
    "peers:export": {"GET": V},
    "peers:mask_preview": {"POST": V},
    "peers:save_search": {"POST": V},
    "peers:delete_search": {"POST": V},
    "peers:import": {"GET": A, "POST": A},
    "peers:import_preview": {"GET": A, "POST": A},
    "peers:export_file": {"GET": V},
    "peers:add_peer": {"GET": A, "POST": A},
    "peers:delete_selected": {"POST": A},
    "peers:edit_peer": {"GET": V, "POST": A},
    "peers:provisioning": {"GET": V},
    "peers:guide": {"GET": V},
    "peers:look": {"POST": OP},
    "peers:reveal": {"POST": A},
    "peers:delete_peer": {"GET": A, "POST": A},
    "peers:resync": {"GET": OP, "POST": OP},
    # diagnostics
    "diagnostics:troubleshooter": {"GET": V, "POST": OP},
    "diagnostics:run": {"GET": V},
    "diagnostics:rows": {"GET": V},
    "diagnostics:comparison": {"GET": V},
    "diagnostics:run_csv": {"GET": V},
    "diagnostics:run_json": {"GET": V},
    "diagnostics:peer_status": {"GET": V},
    "diagnostics:peer_history": {"GET": V},
    "diagnostics:check_peer": {"POST": OP},
    "diagnostics:attention": {"GET": V},
    "diagnostics:last_sweep": {"GET": V},
    # services
    "services:server": {"GET": V},
    "services:show": {"GET": V},
    "services:refresh": {"POST": OP},
    "services:grid": {"GET": V},
    "services:refresh_all": {"POST": OP},
    "services:agents": {"GET": V},
    "services:start_agents": {"GET": OP},
    "services:control": {"POST": OP},
    "services:summary": {"GET": V},
    # REST: nodes
    "api:nodes-services-refresh": {"POST": OP},
    # REST: mesh
    "api:mesh": {"GET": V},
    "api:mesh-plan": {"POST": A},
    "api:mesh-apply": {"POST": A},
    # REST: peers
    "api:peers-check-many": {"POST": OP},
    "api:peers-check": {"POST": OP},
    # REST: clusters
    "api:clusters-list": {"GET": V, "POST": A},
    "api:clusters-detail": {"GET": V, "PUT": A, "PATCH": A, "DELETE": A},
    "api:clusters-discover": {"POST": A},
    "api:clusters-test": {"POST": OP},
    # REST: nodes
    "api:nodes-list": {"GET": V, "POST": A},
    "api:nodes-detail": {"GET": V, "PUT": A, "PATCH": A, "DELETE": A},
    "api:nodes-certificate": {"GET": OP},
    "api:nodes-trust": {"POST": A},
    # REST: peers
    "api:peers-list": {"GET": V, "POST": A},
    "api:peers-detail": {"GET": V, "PUT": A, "PATCH": A, "DELETE": A},
    "api:peers-resync": {"POST": OP},
    # REST: services
    "api:services-list": {"GET": V},
    "api:services-control": {"POST": OP},
    "api:services-detail": {"GET": V},
    "api:services-restart": {"POST": OP},
    "api:services-start": {"POST": OP},
    "api:services-stop": {"POST": OP},
    # REST: jobs
    "api:jobs-list": {"GET": V},
    "api:jobs-detail": {"GET": V},
    "api:jobs-cancel": {"POST": OP},
    "api:jobs-retry": {"POST": OP},
    # REST: troubleshooter
    "api:troubleshooter-runs-list": {"GET": V, "POST": OP},
    "api:troubleshooter-runs-detail": {"GET": V},
    # REST: tokens
    "api:tokens-list": {"GET": V, "POST": V},
    "api:tokens-detail": {"GET": V, "DELETE": V},
    # REST: notifications
    "api:subscriptions-list": {"GET": V, "POST": V},
    "api:subscriptions-detail": {"GET": V, "PUT": V, "PATCH": V, "DELETE": V},
    "api:webhooks-list": {"GET": A, "POST": A},
    "api:webhooks-detail": {"GET": A, "PUT": A, "PATCH": A, "DELETE": A},
    "api:webhooks-test": {"POST": A},
    "api:maintenance-windows-list": {"GET": V, "POST": OP},
    "api:maintenance-windows-detail": {"GET": V, "PUT": OP, "PATCH": OP, "DELETE": OP},
    "api:maintenance-windows-end": {"POST": OP},
    "api:deliveries-list": {"GET": V},
    "api:deliveries-detail": {"GET": V},
    "api:deliveries-read": {"POST": V},
    # REST: audit
    "api:audit-entries-list": {"GET": A},
    "api:audit-entries-detail": {"GET": A},
    # the console itself
    "schema": {"GET": V},
    "docs": {"GET": V},
    # directory
    "directory:locate": {"GET": V},
    "directory:take": {"POST": OP},
    "directory:comparisons": {"GET": V},
    "directory:comparison": {"GET": V},
    "directory:leftovers": {"GET": V},
    "directory:duplicates": {"GET": V},
    "directory:moves": {"GET": V},
    "directory:mask_preview": {"GET": V},
    # REST: directory
    "api:directory-comparison": {"GET": V},
    "api:directory-duplicates": {"GET": V},
    "api:directory-leftovers": {"GET": V},
    "api:directory-locate": {"GET": V},
    "api:directory-snapshots-list": {"GET": V, "POST": OP},
    "api:directory-snapshots-detail": {"GET": V},
}
