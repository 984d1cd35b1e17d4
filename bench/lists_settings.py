"""The console's settings, and Django admin beside it."""

from cupadmin.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.admin", *INSTALLED_APPS]  # noqa: F405
# An engine for the admin beside the console's, which has none of its templates.
PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
TEMPLATES = [
    *TEMPLATES,  # noqa: F405
    {
        "NAME": "admin",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": PROCESSORS},
    },
]
STATIC_ROOT = None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ROOT_URLCONF = "bench.lists_urls"
