"""Settings of the console. What may vary is read from CUPADMIN_* variables."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from environs import Env

from accounts.identity_settings import (
    read_ldap,
    read_oidc,
    read_proxy_header,
    read_saml,
)
from accounts.masking import HiddenUrl
from base.secret_settings import parse_secret, read_secret, split_secrets, take_secret
from cupadmin import __version__
from cupadmin.databases import (
    postgres_options,
    process_kind,
    read_limits,
    sqlite_options,
)
from cupadmin.keys import fresh_field_keys, fresh_secret_key, key_text, parse_field_keys
from cupadmin.log_settings import read_logging
from cupadmin.private_files import close_database, private_directory
from cupadmin.rest_settings import REST_FRAMEWORK as REST_FRAMEWORK
from cupadmin.rest_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from cupadmin.schedule import SCHEDULE
from cupadmin.setting_values import (
    CENTURY_OF_DAYS,
    MILLION,
    YEAR_OF_HOURS,
    YEAR_OF_MINUTES,
    YEAR_OF_SECONDS,
    email_settings,
    read_address,
    read_hosts,
    read_name_servers,
    read_networks,
    read_number,
    read_origins,
    read_ports,
    read_sender,
    read_sites,
    read_time_zone,
    read_words,
    refuse_unknown_broker,
    refuse_unknown_engine,
)
from cupadmin.sign_in_settings import *  # noqa: F403
from cupadmin.tree import COMMAND as COMMAND
from cupadmin.tree import TREE, default_data_directory

django_stubs_ext.monkeypatch()

BASE_DIR = TREE
VERSION = __version__

env = Env(prefix="CUPADMIN_")
number = partial(read_number, env)

# Of an installation that is no checkout.
COMMIT: str = env.str("COMMIT", "")

DATA_DIR = private_directory(env.path("DATA_DIR", default_data_directory()), BASE_DIR)

# --- Keys -------------------------------------------------------------------------
SECRET_KEY = key_text(env, "SECRET_KEY", DATA_DIR / "secret_key", fresh_secret_key())
SECRET_KEY_FALLBACKS = split_secrets(read_secret(env, "SECRET_KEY_FALLBACKS"))
FIELD_KEYS = parse_field_keys(
    key_text(env, "FIELD_KEYS", DATA_DIR / "field_keys.json", fresh_field_keys())
)
# Of the first user. Only the command that makes the user needs it.
ADMIN_PASSWORD = take_secret(env, "ADMIN_PASSWORD")

# --- Where clusters are, and how often they are looked at ---------------------------
ALLOWED_NETWORKS = read_networks(env, "ALLOWED_NETWORKS")
ALLOWED_PORTS = read_ports(env, "ALLOWED_PORTS")
DNS_SERVERS = read_name_servers(env, "DNS_SERVERS")
# A process that could not run for so long is replaced: `jobs/pulse.py`, which reads it
# before there are settings.
STALL_SECONDS = number("STALL_SECONDS", 30, 5, 3_600)
# Who may read /metrics without a token.
METRICS_NETWORKS = read_networks(env, "METRICS_NETWORKS")
SWEEP_INTERVAL = number("SWEEP_INTERVAL", 300, 0, YEAR_OF_SECONDS)
PEER_CHECK_TIMEOUT = number("PEER_CHECK_TIMEOUT", 20, 1, 3_600)
TROUBLESHOOTER_INTERVAL = number("TROUBLESHOOTER_INTERVAL", 86_400, 0, YEAR_OF_SECONDS)
# The budget of scheduled proofs of presence; none where it is 0.
PROOFS_PER_HOUR = number("PROOFS_PER_HOUR", 60, 0, MILLION)
# Sites that have workers of their own; those of all others are the common ones.
SITES = read_sites(env, "SITES")
# What the worker of `run` serves; by default the queues of all and of every site.
QUEUES = read_words(env, "QUEUES")

# --- What grows, and how much of it stays ---------------------------------------------
JOB_RETENTION_DAYS = number("JOB_RETENTION_DAYS", 90, 1, CENTURY_OF_DAYS)
# The law often wants it; 0 keeps everything.
AUDIT_RETENTION_DAYS = number("AUDIT_RETENTION_DAYS", 1095, 0, CENTURY_OF_DAYS)
HISTORY_RETENTION_DAYS = number("HISTORY_RETENTION_DAYS", 366, 1, CENTURY_OF_DAYS)
MESSAGE_RETENTION_DAYS = number("MESSAGE_RETENTION_DAYS", 30, 1, CENTURY_OF_DAYS)
# Of each peer, in full; the history counts them before they go.
KEPT_CHECKS = number("KEPT_CHECKS", 500, 10, MILLION)
KEPT_PROOFS = number("KEPT_PROOFS", 500, 10, MILLION)
KEPT_RUNS = number("KEPT_RUNS", 100, 2, MILLION)
# Of each process of `make run`: its log file, and how many older ones.
LOG_MEGABYTES = number("LOG_MEGABYTES", 20, 1, MILLION)
LOG_FILES = number("LOG_FILES", 4, 0, 1_000)

# --- Users of the clusters ------------------------------------------------------------
CERTIFICATES_INTERVAL = number("CERTIFICATES_INTERVAL", 86_400, 0, YEAR_OF_SECONDS)
DIRECTORY_INTERVAL = number("DIRECTORY_INTERVAL", 21_600, 0, YEAR_OF_SECONDS)
DIRECTORY_SNAPSHOTS = number("DIRECTORY_SNAPSHOTS", 10, 1, MILLION)
DIRECTORY_TOLERANCE = number("DIRECTORY_TOLERANCE", 0, 0, MILLION)
DIRECTORY_SETTLING_MINUTES = number(
    "DIRECTORY_SETTLING_MINUTES", 30, 0, YEAR_OF_MINUTES
)

# --- Django -----------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = read_hosts(env, "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_origins(env, "TRUSTED_ORIGINS")
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "cupadmin",
    "rest",
    "jobs",
    "accounts",
    "ui",
    "clusters",
    "peers",
    "services",
    "directory",
    "diagnostics",
    "mesh",
    "notifications",
    "sizing",
    "history",
    "proof",
    "exchange",
    "overview",
]

MIDDLEWARE = [
    "cupadmin.console_metrics.MetricsMiddleware",
    "base.request_ids.RequestIdMiddleware",
    "cupadmin.views.HealthMiddleware",
    "base.utc.UtcMiddleware",
    "accounts.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cupadmin.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "cupadmin.slashes.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SignInMiddleware",
    "accounts.middleware.SessionMiddleware",
    "accounts.middleware.ProxyHeaderMiddleware",
    "accounts.time_zones.TimeZoneMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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
                "ui.menus.menu_context",
            ],
        },
    }
]

DATABASE_URL = HiddenUrl(
    read_secret(env, "DATABASE_URL") or f"sqlite:///{DATA_DIR / 'cupadmin.sqlite3'}"
)
DATABASES = {
    "default": parse_secret("DATABASE_URL", dj_database_url.parse, DATABASE_URL)
}
refuse_unknown_engine(DATABASES["default"]["ENGINE"])
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    close_database(Path(DATABASES["default"]["NAME"]))
    limits = read_limits(env, process_kind(), sqlite=True)
    DATABASES["default"]["OPTIONS"] = sqlite_options(limits)
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    limits = read_limits(env, process_kind())
    DATABASES["default"]["OPTIONS"] = postgres_options(
        limits, DATABASES["default"].get("OPTIONS", {})
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What must be remembered lies in the database, which all processes share.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

LANGUAGE_CODE = "en-us"
TIME_ZONE = read_time_zone(env, "TIME_ZONE")
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
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2PasswordHasher",
    "accounts.hashers.PBKDF2PasswordHasher",
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
SAML = read_saml(env)
LDAP = read_ldap(env)
PROXY_HEADER = read_proxy_header(env, read_networks(env, "PROXY_NETWORKS"))
if LDAP and find_spec("django_auth_ldap"):
    AUTHENTICATION_BACKENDS.append("accounts.ldap_backend.DirectoryBackend")
if OIDC:
    AUTHENTICATION_BACKENDS.append("accounts.backends.ProviderBackend")
if SAML and find_spec("onelogin"):
    AUTHENTICATION_BACKENDS.append("accounts.backends.SamlBackend")
if PROXY_HEADER:
    AUTHENTICATION_BACKENDS.append("accounts.backends.ProxyBackend")
# Wrong sign-ins of one name from one address before it is locked, and for how long.
SIGN_IN_LIMIT = number("SIGN_IN_LIMIT", 10, 1, MILLION)
SIGN_IN_LOCK_MINUTES = number("SIGN_IN_LOCK_MINUTES", 15, 1, YEAR_OF_MINUTES)
# How long a typed password allows dangerous actions.
PROOF_MINUTES = number("PROOF_MINUTES", 5, 1, YEAR_OF_MINUTES)
# Roles that must have a second factor.
REQUIRE_SECOND_FACTOR = read_words(env, "REQUIRE_SECOND_FACTOR")
SESSION_ENGINE = "accounts.session_store"
SESSION_IDLE_MINUTES = number("SESSION_IDLE_MINUTES", 30, 1, YEAR_OF_MINUTES)
SESSION_HOURS = number("SESSION_HOURS", 8, 1, YEAR_OF_HOURS)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
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
DEFAULT_EXCEPTION_REPORTER_FILTER = "accounts.masking.SettingsFilter"
# What Django writes, static files among it, is private as the data directory is.
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# A file to import may hold passwords: it stays in memory, in no temporary folder.
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
# How many proxies of ours stand in front; each must overwrite or append to
# X-Forwarded-For and set X-Forwarded-Proto.
PROXIES = number("PROXIES", int(env.bool("BEHIND_PROXY", False)), 0, 100)
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
API_RATE = number("API_RATE", 1200, 0, MILLION)

# --- Notifications --------------------------------------------------------------------
# Where links in mails and webhooks lead.
CONSOLE_URL = read_address(env, "URL") or next(iter(CSRF_TRUSTED_ORIGINS), "")
WEBHOOK_NETWORKS = read_networks(env, "WEBHOOK_NETWORKS")
EMAIL_URL = HiddenUrl(read_secret(env, "EMAIL_URL"))
if EMAIL_URL:
    vars().update(parse_secret("EMAIL_URL", email_settings, EMAIL_URL))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = read_sender(env, "EMAIL_FROM", "cupadmin@localhost")

# --- Celery: a doorbell only; what is to be done lies in the database -----------------
BROKER_URL = HiddenUrl(
    read_secret(env, "BROKER_URL") or "atomic-filesystem://localhost"
)
refuse_unknown_broker(BROKER_URL)
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
# Of beat, which else never finds a broker again that was started again; pages and jobs
# ring without (`jobs/dispatch.py`).
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_max": 0.2}
CELERY_TASK_DEFAULT_QUEUE = "operate"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
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
CELERY_BEAT_SCHEDULE = SCHEDULE

# --- Logging --------------------------------------------------------------------------
LOGGING = read_logging(env)
