"""WSGI entry point, for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from cupadmin.shared_counters import share_counters
from cupadmin.start import error_sentences

os.environ.setdefault("CUPADMIN_PROCESS", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
with error_sentences():
    share_counters(settings.DATA_DIR)
    application = get_wsgi_application()

    import wire  # Django first, for its settings
    from accounts.checks import self_test  # needs the apps
    from cupadmin.console_watch import start_console_watch
    from cupadmin.versions import refuse_other_database
    from jobs import presence
    from jobs.models import Process

    refuse_other_database()
    self_test()
    presence.start_presence(Process.Kind.WEB)
    start_console_watch()
# A page makes some ten thousand objects and no cycles that matter.
wire.spare_collector()
