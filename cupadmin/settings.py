"""Settings of the console. What may vary is read from CUPADMIN_* variables."""

import secrets
from importlib.util import find_spec
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from environs import Env

from cupadmin.hidden import HiddenUrl
from cupadmin.identity import read_ldap, read_oidc
from cupadmin.keys import fresh_field_keys, parse_field_keys, read_or_create

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = Env(prefix="CUPADMIN_")

DATA_DIR = Path(env.path("DATA_DIR", BASE_DIR / "var")).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- Keys -------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", "") or read_or_create(
    env.path("SECRET_KEY_FILE", DATA_DIR / "secret_key"), secrets.token_urlsafe(64)
)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
FIELD_KEYS = parse_field_keys(
    env.str("FIELD_KEYS", "")
    or read_or_create(
        env.path("FIELD_KEYS_FILE", DATA_DIR / "field_keys.json"), fresh_field_keys()
    )
)

# --- Where clusters are, and how often they are looked at ---------------------------
ALLOWED_NETWORKS: list[str] = env.list("ALLOWED_NETWORKS", [])
ALLOWED_PORTS = env.list("ALLOWED_PORTS", [], subcast=int)
DNS_SERVERS: list[str] = env.list("DNS_SERVERS", [])
# Who may read /metrics without a token.
METRICS_NETWORKS: list[str] = env.list("METRICS_NETWORKS", [])
SWEEP_INTERVAL = env.int("SWEEP_INTERVAL", 300)
TROUBLESHOOTER_INTERVAL = env.int("TROUBLESHOOTER_INTERVAL", 86_400)
JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", 90)

# --- Users of the clusters ------------------------------------------------------------
DIRECTORY_INTERVAL = env.int("DIRECTORY_INTERVAL", 6 * 3600)
DIRECTORY_SNAPSHOTS = env.int("DIRECTORY_SNAPSHOTS", 10)
DIRECTORY_TOLERANCE = env.int("DIRECTORY_TOLERANCE", 0)
DIRECTORY_SETTLING_MINUTES = env.int("DIRECTORY_SETTLING_MINUTES", 30)

# --- Django -----------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("TRUSTED_ORIGINS", [])
INTERNAL_IPS: list[str] = []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "cupadmin",
    "rest",
    "jobs",
    "accounts",
    "peers",
    "services",
    "directory",
    "diagnostics",
    "mesh",
    "notifications",
]

MIDDLEWARE = [
    "rest.request_ids.RequestIdMiddleware",
    "rest.clock.UtcMiddleware",
    "accounts.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.SessionMiddleware",
    "accounts.middleware.ScopeMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.DeclaredAccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.NoStoreMiddleware",
]

ROOT_URLCONF = "cupadmin.urls"
WSGI_APPLICATION = "cupadmin.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ]
            if not DEBUG
            else ["django.template.loaders.filesystem.Loader"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cupadmin.menus.menus",
            ],
        },
    }
]

DATABASES = {
    "default": env.dj_db_url(
        "DATABASE_URL", f"sqlite:///{DATA_DIR / 'cupadmin.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Immediate transactions queue for the lock instead of failing on upgrade.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Sign-in and sessions -----------------------------------------------------------
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator"
    },
]
AUTHENTICATION_BACKENDS = [
    "accounts.backends.LockoutBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# None unless the environment names one.
OIDC = read_oidc(env)
LDAP = read_ldap(env)
if LDAP and find_spec("django_auth_ldap"):
    AUTHENTICATION_BACKENDS.append("accounts.ldap_backend.DirectoryBackend")
if OIDC:
    AUTHENTICATION_BACKENDS.append("accounts.backends.ProviderBackend")
# Wrong sign-ins of one name from one address before it is locked, and for how long.
SIGN_IN_LIMIT = env.int("SIGN_IN_LIMIT", 10)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", 15)
# How long a typed password allows dangerous actions.
PROOF_MINUTES = env.int("PROOF_MINUTES", 5)
# Roles that must have a second factor.
REQUIRE_SECOND_FACTOR: list[str] = env.list("REQUIRE_SECOND_FACTOR", [])
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", 30)
SESSION_HOURS = env.int("SESSION_HOURS", 8)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", 0)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- Web hardening ------------------------------------------------------------------
HTTPS = env.bool("HTTPS", False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sid" if HTTPS else "cupadmin-sid"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "cupadmin-csrf"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "accounts.views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "cupadmin.hidden.SettingsFilter"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# A file to import may hold passwords: it stays in memory, in no temporary folder.
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
# How many proxies of ours stand in front; each must overwrite or append to
# X-Forwarded-For and set X-Forwarded-Proto.
PROXIES = env.int("PROXIES", int(env.bool("BEHIND_PROXY", False)))
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- REST -------------------------------------------------------------------------
# Requests a minute of one token or browser; 0 sets no limit.
API_RATE = env.int("API_RATE", 1200)
REST_FRAMEWORK = {
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
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "rest.problems.handle",
    "NUM_PROXIES": 0,  # ClientAddressMiddleware has done it
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "cupadmin",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "rest.schema.allow_null_once",
        "rest.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Role": "accounts.roles.Role",
        "JobState": "jobs.models.Job.State",
        "StepState": "jobs.models.JobStep.State",
        "NodeRole": "peers.models.Node.Role",
        "PeerOutcome": "peers.models.Outcome",
        "EntryOutcome": "peers.api.serializers.ENTRY_OUTCOMES",
    },
}

# --- Notifications --------------------------------------------------------------------
# Where links in mails and webhooks lead.
CONSOLE_URL = env.str("URL", "") or next(iter(CSRF_TRUSTED_ORIGINS), "")
WEBHOOK_NETWORKS: list[str] = env.list("WEBHOOK_NETWORKS", [])
EMAIL_URL = HiddenUrl(env.str("EMAIL_URL", ""))
if EMAIL_URL:
    vars().update(env.dj_email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "cupadmin@localhost")

# --- Celery: a doorbell only; what is to be done lies in the database -----------------
BROKER_URL = HiddenUrl(env.str("BROKER_URL", "") or "atomic-filesystem://localhost")
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "operate"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"folder": str(DATA_DIR / "broker"), "polling_interval": 0.1}
    if BROKER_URL.startswith("atomic-filesystem")
    else {
        "visibility_timeout": 900,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
    }
    if BROKER_URL.startswith("redis")
    else {}
)
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "ring-due-jobs": {"task": "jobs.tasks.ring_due", "schedule": 5.0},
    "clean-accounts": {"task": "accounts.tasks.clean", "schedule": 3600.0},
    "clean-peers": {"task": "peers.tasks.clean", "schedule": 600.0},
    "look-for-news": {"task": "notifications.tasks.look", "schedule": 30.0},
    "prune-jobs": {"task": "jobs.tasks.prune", "schedule": 3600.0},
    "snapshot-users": {
        "task": "directory.tasks.snapshot_when_due",
        "schedule": 60.0,
    },
    "sweep-peers": {"task": "diagnostics.tasks.sweep_when_due", "schedule": 15.0},
}

# --- Logging --------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(request_id)s %(name)s %(message)s"
        }
    },
    "filters": {"request_id": {"()": "rest.request_ids.RequestIdFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO").upper()},
    # At DEBUG these print request bodies, and a request body can hold a password.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("zeep", "urllib3", "asyncio", "kombu", "authlib", "requests")
    },
}
