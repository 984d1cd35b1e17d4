from django.db import migrations
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce


def mark_compared(apps, editor):
    comparison = apps.get_model("directory", "Comparison")
    newest = comparison._base_manager.filter(peer=OuterRef("pk")).order_by("-at", "-id")
    outcome = Coalesce(Subquery(newest.values("outcome")[:1]), Value(""))
    apps.get_model("peers", "Peer")._base_manager.update(comparison_outcome=outcome)


class Migration(migrations.Migration):
    """Each peer says how it compared last, so that the list need not look for it."""

    dependencies = [("directory", "0001_initial"), ("peers", "0005_comparison_outcome")]

    operations = [migrations.RunPython(mark_compared, migrations.RunPython.noop)]
