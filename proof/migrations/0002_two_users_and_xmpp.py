import clusters.validation
import django.core.validators
import django.db.models.deletion
import accounts.secrets
from django.db import migrations, models


def copy_certificates(apps, schema_editor):
    old = apps.get_model('proof', 'OldCertificate')
    new = apps.get_model('proof', 'PresenceCertificate')
    for row in old._base_manager.all():
        made = new(
            node_id=row.node_id,
            kind='cup',
            fingerprint=row.fingerprint,
            not_after=row.not_after,
        )
        made.save()
        new._base_manager.filter(pk=made.pk).update(confirmed_at=row.confirmed_at)


class Migration(migrations.Migration):

    dependencies = [
        ('clusters', '0002_address_scheme'),
        ('proof', '0001_initial'),
    ]

    operations = [
        migrations.RenameModel('PresenceCertificate', 'OldCertificate'),
        migrations.CreateModel(
            name='PresenceCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('cup', 'Presence Web Service and SIP over TLS'), ('cup-xmpp', 'XMPP')], default='cup', max_length=10)),
                ('fingerprint', models.CharField(max_length=64)),
                ('not_after', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(auto_now=True)),
                ('node', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presence_certificates', to='clusters.node')),
            ],
            options={
                'ordering': ['node__name', 'kind'],
                'constraints': [models.UniqueConstraint(fields=('node', 'kind'), name='one_certificate_of_a_kind')],
            },
        ),
        migrations.RunPython(copy_certificates, migrations.RunPython.noop),
        migrations.DeleteModel('OldCertificate'),
        migrations.AddField(
            model_name='canary',
            name='watcher_userid',
            field=models.CharField(blank=True, help_text='Watches the canaries of other clusters, so that the first is only watched. Leave empty to use the first for both.', max_length=132, validators=[clusters.validation.validate_credential], verbose_name='second canary user'),
        ),
        migrations.AddField(
            model_name='canary',
            name='watcher_digest_password',
            field=accounts.secrets.SecretField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='canary',
            name='watcher_home_node',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='clusters.node'),
        ),
        migrations.AddField(
            model_name='canary',
            name='watcher_xmpp_password',
            field=accounts.secrets.SecretField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='canary',
            name='xmpp_password',
            field=accounts.secrets.SecretField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='canary',
            name='xmpp_port',
            field=models.PositiveIntegerField(default=5222, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)], verbose_name='port of XMPP'),
        ),
        migrations.AddField(
            model_name='proof',
            name='message_ms',
            field=models.FloatField(null=True),
        ),
        migrations.AlterField(
            model_name='canary',
            name='way',
            field=models.CharField(blank=True, choices=[('', 'By release: SIP on 7.x, the Presence Web Service since 8.0'), ('pws', 'Presence Web Service'), ('sip', 'SIP'), ('xmpp', 'XMPP, with a message there and back')], default='', max_length=4, verbose_name='interface'),
        ),
    ]
