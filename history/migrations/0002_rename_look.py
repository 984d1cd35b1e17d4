"""Renames the lock of the events."""

from django.db import migrations


class Migration(migrations.Migration):
    """Renames the lock of the events."""

    dependencies = [("history", "0001_initial")]

    operations = [
        migrations.RenameModel("Look", "EventLock"),
    ]
