"""Renames the states that were reported last, and the lock of the detection."""

from django.db import migrations


class Migration(migrations.Migration):
    """Renames the states that were reported last, and the lock of the detection."""

    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.RenameModel("Told", "LastNotified"),
        migrations.RenameModel("Watch", "DetectionLock"),
    ]
