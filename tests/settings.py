"""Settings of the tests: their own data folder, plain static files, quick hashing."""

import os
import tempfile

os.environ["CUPADMIN_DATA_DIR"] = tempfile.mkdtemp(prefix="cupadmin-tests-")
os.environ.setdefault("CUPADMIN_ALLOWED_NETWORKS", "127.0.0.0/8")

from cupadmin.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# live_server answers 404 for every hashed name.
STORAGES = {  # noqa: F405
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [  # noqa: F405
    name
    for name in MIDDLEWARE  # noqa: F405
    if not name.startswith("whitenoise")
]
STATIC_ROOT = None
# A file, not memory: jobs keep their lease from a second thread.
DATABASES["default"].setdefault("TEST", {})  # noqa: F405
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"]["NAME"] = DATA_DIR / "tests.sqlite3"  # noqa: F405
# Nobody listens; a ring must cost nothing and fail nothing.
CELERY_BROKER_URL = "memory://"
