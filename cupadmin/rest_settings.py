"""How REST answers, and how its schema is generated (drf-spectacular)."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.access.DeclaredAccess"],
    "DEFAULT_THROTTLE_CLASSES": ["rest.throttling.PerToken"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["rest.filters.StrictFilters", "rest.filters.Ordering"],
    "DEFAULT_SCHEMA_CLASS": "rest.schema.OperationSchema",
    "EXCEPTION_HANDLER": "rest.problems.handle_exception",
    "NUM_PROXIES": 0,  # ClientAddressMiddleware has done it
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "cupadmin",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # Fields that are only written are no part of answers, those that are only read no
    # part of requests.
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "rest.schema.allow_null_once",
        "rest.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Role": "accounts.roles.Role",
        "WebhookFormat": "notifications.models.Subscriber.Format",
        "JobState": "jobs.models.Job.State",
        "StepState": "jobs.models.JobStep.State",
        "NodeRole": "clusters.models.Node.Role",
        "PeerOutcome": "peers.models.PeerOutcome",
        "AddressScheme": "clusters.models.AddressScheme",
        "EntryOutcome": "peers.api.serializers.ENTRY_OUTCOMES",
        "EntryEvidence": "peers.api.serializers.EVIDENCE",
        "PeerTableState": "clusters.api.serializers.TABLE_STATES",
        "TrustState": "exchange.api.STATES",
        "NeighbourEvidence": "mesh.neighbours.PREFERENCE",
    },
}
