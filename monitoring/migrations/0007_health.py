"""Components of health, those that every console has, and who may read and tune them."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from opsconsole.accounts.grants import grant

VIEW = ["view_healthcomponent"]
CRITICAL = {"priority": "CRITICAL"}
# docs/health.md says why.
BUILT_IN = {
    "redis": ("Redis", "redis", CRITICAL | {"budget_seconds": 1.0}),
    "database": ("Database", "database", CRITICAL),
    "disk-space": ("Disk Space", "disk", {}),
    "memory": ("Memory", "memory", {}),
    "cpu": ("CPU", "cpu", {"priority": "MEDIUM", "failures": 4, "essential": False}),
    "celery-worker": ("Celery Worker", "worker", CRITICAL | {"settings": {"queue": "default"}}),
    "urgent-worker": ("Urgent Worker", "worker", CRITICAL | {"settings": {"queue": "critical"}}),
    "beat": ("Celery Beat", "beat", CRITICAL),
    "outbox": ("Alert Outbox", "outbox", CRITICAL),
    "stream-hub": ("Stream Hub", "hub", CRITICAL),
}


def make_built_in(apps, schema_editor):
    """Rows that are there stay as they are."""
    components = apps.get_model("monitoring", "HealthComponent").objects
    for slug, (name, kind, values) in BUILT_IN.items():
        components.get_or_create(slug=slug, defaults={"name": name, "kind": kind, "essential": True, **values})


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="monitoring",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": VIEW,
            "supervisor": [*VIEW, "tune_health"],
            "trading-system": VIEW,
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0006_breakers'),
    ]

    operations = [
        migrations.CreateModel(
            name='HealthComponent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('name', models.CharField(max_length=100, unique=True)),
                ('kind', models.CharField(choices=[('redis', 'Redis'), ('database', 'Database'), ('disk', 'Disk space'), ('memory', 'Memory'), ('cpu', 'CPU'), ('worker', 'Celery worker'), ('beat', 'Celery beat'), ('outbox', 'Outbox of alerts'), ('hub', 'Stream hub'), ('client', 'Trading process'), ('certificate', 'Certificate'), ('http', 'HTTP target'), ('tcp', 'TCP target')], max_length=16)),
                ('enabled', models.BooleanField(default=True)),
                ('essential', models.BooleanField(default=False)),
                ('interval_seconds', models.PositiveIntegerField(default=10, validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(86400)])),
                ('budget_seconds', models.FloatField(default=3.0, validators=[django.core.validators.MinValueValidator(0.1), django.core.validators.MaxValueValidator(60)])),
                ('failures', models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('recoveries', models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('priority', models.CharField(choices=[('LOW', 'Low'), ('MEDIUM', 'Medium'), ('HIGH', 'High'), ('CRITICAL', 'Critical')], default='HIGH', max_length=16)),
                ('settings', models.JSONField(blank=True, default=dict)),
                ('secrets', models.TextField(blank=True, editable=False)),
                ('host', models.CharField(blank=True, max_length=255)),
                ('comment', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(editable=False, null=True)),
                ('updated_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('status', models.CharField(choices=[('healthy', 'Healthy'), ('degraded', 'Degraded'), ('unhealthy', 'Unhealthy'), ('unknown', 'Unknown')], default='unknown', editable=False, max_length=16)),
                ('since', models.DateTimeField(editable=False, null=True)),
                ('well', models.SmallIntegerField(default=0, editable=False)),
                ('up', models.SmallIntegerField(default=0, editable=False)),
                ('result', models.CharField(choices=[('healthy', 'Healthy'), ('degraded', 'Degraded'), ('unhealthy', 'Unhealthy'), ('unknown', 'Unknown')], default='unknown', editable=False, max_length=16)),
                ('message', models.CharField(blank=True, editable=False, max_length=500)),
                ('response_ms', models.FloatField(editable=False, null=True)),
                ('metadata', models.JSONField(default=dict, editable=False)),
                ('checked_at', models.DateTimeField(editable=False, null=True)),
                ('ran_on', models.CharField(blank=True, editable=False, max_length=255)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('claim', models.UUIDField(editable=False, null=True)),
                ('claimed_until', models.DateTimeField(editable=False, null=True)),
                ('told', models.CharField(blank=True, choices=[('healthy', 'Healthy'), ('degraded', 'Degraded'), ('unhealthy', 'Unhealthy'), ('unknown', 'Unknown')], editable=False, max_length=16)),
                ('summed_until', models.DateTimeField(editable=False, null=True)),
                ('retired_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['name'],
                'permissions': [('tune_health', 'Can tune health checks')],
                'indexes': [models.Index(condition=models.Q(('enabled', True), ('retired_at', None)), fields=['due_at'], name='health_due')],
            },
        ),
        migrations.CreateModel(
            name='ProbeJob',
            fields=[
                ('token', models.UUIDField(primary_key=True, serialize=False)),
                ('queue', models.CharField(max_length=64)),
                ('sent_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('done_by', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'indexes': [models.Index(fields=['sent_at'], name='health_job_sent')],
            },
        ),
        migrations.CreateModel(
            name='Pulse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('at', models.DateTimeField()),
                ('host', models.CharField(max_length=255)),
                ('pid', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField()),
                ('details', models.JSONField(default=dict)),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='health_pulse_at')],
            },
        ),
        migrations.CreateModel(
            name='HealthChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('before', models.CharField(choices=[('healthy', 'Healthy'), ('degraded', 'Degraded'), ('unhealthy', 'Unhealthy'), ('unknown', 'Unknown')], max_length=16)),
                ('after', models.CharField(choices=[('healthy', 'Healthy'), ('degraded', 'Degraded'), ('unhealthy', 'Unhealthy'), ('unknown', 'Unknown')], max_length=16)),
                ('message', models.CharField(blank=True, max_length=500)),
                ('lasted_seconds', models.FloatField(null=True)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='monitoring.healthcomponent')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['component', '-id'], name='health_change_component'), models.Index(fields=['at'], name='health_change_at')],
            },
        ),
        migrations.CreateModel(
            name='HealthDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('healthy', models.FloatField(default=0)),
                ('degraded', models.FloatField(default=0)),
                ('unhealthy', models.FloatField(default=0)),
                ('unknown', models.FloatField(default=0)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='monitoring.healthcomponent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('component', 'day'), name='health_one_row_a_day')],
            },
        ),
        migrations.RunPython(make_built_in, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
