import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # A number cannot become a UUID in place on every database; windows are short-lived.
    dependencies = [
        ("notifications", "0001_initial"),
        ("peers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.DeleteModel("Maintenance"),
        migrations.CreateModel(
            name="Maintenance",
            fields=[
                ("id", models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, serialize=False)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=200, blank=True)),
                ("cluster", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="maintenances", to="peers.cluster")),
                ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["begins_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(ends_at__gte=models.F("begins_at")),
                        name="window_ends_after_begin",
                    )
                ],
            },
        ),
    ]
