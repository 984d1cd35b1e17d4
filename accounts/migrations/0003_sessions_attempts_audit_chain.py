import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.validation


def number_entries(apps, schema_editor):
    entries = apps.get_model("accounts", "AuditEntry").objects
    number = 0
    for number, pk in enumerate(entries.order_by("at", "id").values_list("pk"), 1):
        entries.filter(pk=pk[0]).update(number=number)
    apps.get_model("accounts", "AuditHead").objects.update(number=number)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            "apitoken",
            "networks",
            models.JSONField(
                blank=True,
                default=list,
                help_text="Addresses or networks that may use it; none means any.",
                validators=[accounts.validation.validate_networks],
            ),
        ),
        migrations.CreateModel(
            name="Attempts",
            fields=[
                (
                    "key",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("count", models.PositiveIntegerField(default=0)),
                ("until", models.DateTimeField()),
                ("told", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=200)),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("proved_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-seen_at", "-id"]},
        ),
        migrations.AddField(
            "auditentry", "request_id", models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField(
            "auditentry", "job_id", models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField("auditentry", "number", models.BigIntegerField(null=True)),
        migrations.AddField("audithead", "number", models.BigIntegerField(default=0)),
        migrations.AddField(
            "audithead", "pruned_number", models.BigIntegerField(default=0)
        ),
        migrations.AddField(
            "audithead", "pruned_hash", models.CharField(blank=True, max_length=64)
        ),
        migrations.AlterModelOptions("auditentry", options={"ordering": ["-number"]}),
        migrations.RunPython(number_entries, migrations.RunPython.noop),
    ]
