"""How the schema of the REST interface is generated (drf-spectacular)."""

from typing import Any

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
