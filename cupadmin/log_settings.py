"""Log lines: one handler on standard error, as text or as JSON."""

from typing import Any

from environs import Env

from cupadmin.setting_values import read_choice

FORMATS = ("LINE", "JSON")
LINE = "%(asctime)s %(levelname)s %(request_id)s %(name)s %(message)s"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def read_logging(env: Env) -> dict[str, Any]:
    """Give LOGGING by CUPADMIN_LOG_FORMAT and CUPADMIN_LOG_LEVEL."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "format": LINE,
            },
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(levelname)s %(name)s %(message)s %(request_id)s %(job_id)s",
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
            },
        },
        "filters": {
            "request_id": {"()": "base.request_ids.RequestIdFilter"},
            "brief": {"()": "rest.outages.BriefFilter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": read_choice(env, "LOG_FORMAT", FORMATS, "LINE").lower(),
                "filters": ["request_id", "brief"],
            }
        },
        "root": {
            "handlers": ["stderr"],
            "level": read_choice(env, "LOG_LEVEL", LEVELS, "INFO"),
        },
        # At DEBUG these print request bodies, and a request body can hold a password.
        "loggers": {
            name: {"level": "WARNING"}
            for name in (
                "zeep",
                "urllib3",
                "asyncio",
                "kombu",
                "allauth",
                "requests",
                "onelogin",
            )
        }
        # A line for each request that waits for a thread.
        | {"waitress.queue": {"level": "ERROR"}}
        # Through the handler above, in its format.
        | {"gunicorn.error": {"handlers": [], "propagate": True}},
    }
