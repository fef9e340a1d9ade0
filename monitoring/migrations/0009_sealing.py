"""The component that every console has for the seal on its audit trail."""

from django.db import migrations, models


def make_component(apps, schema_editor):
    """A row that is there stays as it is. docs/health.md says why it has these values."""
    defaults = {"name": "Audit Sealing", "kind": "sealing", "essential": False}
    apps.get_model("monitoring", "HealthComponent").objects.get_or_create(slug="audit-sealing", defaults=defaults)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0008_watchdog'),
        ('audit', '0003_sealing'),
    ]

    operations = [
        migrations.AlterField(
            model_name='healthcomponent',
            name='kind',
            field=models.CharField(choices=[('redis', 'Redis'), ('database', 'Database'), ('disk', 'Disk space'), ('memory', 'Memory'), ('cpu', 'CPU'), ('worker', 'Celery worker'), ('beat', 'Celery beat'), ('outbox', 'Outbox of alerts'), ('hub', 'Stream hub'), ('sealing', 'Sealing of the audit trail'), ('client', 'Trading process'), ('certificate', 'Certificate'), ('http', 'HTTP target'), ('tcp', 'TCP target')], max_length=16),
        ),
        migrations.RunPython(make_component, migrations.RunPython.noop),
    ]
