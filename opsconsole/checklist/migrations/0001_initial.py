"""The checklist's rule and its days, and who may sign off and tune."""

import datetime
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
import opsconsole.checklist.models
from django.conf import settings
from django.db import migrations, models

from opsconsole.accounts.grants import grant


def make_rule(apps, schema_editor):
    apps.get_model("checklist", "ChecklistRule").objects.get_or_create(pk=1)


def grant_roles(apps, schema_editor):
    view = ["view_checklistday", "view_checklistrule"]
    grant(
        apps,
        app_label="checklist",
        codenames={
            "viewer": view,
            "auditor": view,
            "operator": [*view, "sign_checklist"],
            "supervisor": [*view, "sign_checklist", "tune_checklist"],
        },
    )


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("accounts", "0002_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChecklistRule',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('enabled', models.BooleanField(default=True)),
                ('by', models.TimeField(default=datetime.time(9, 30))),
                ('zone', models.CharField(blank=True, max_length=64)),
                ('days', models.JSONField(default=opsconsole.checklist.models.monday_to_friday)),
                ('cache_hit_pct', models.FloatField(default=90.0)),
                ('comment', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(editable=False, null=True)),
                ('updated_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('since', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'permissions': [('tune_checklist', 'Can tune when the checklist is due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='checklist_rule_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='ChecklistDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True)),
                ('signed_at', models.DateTimeField(null=True)),
                ('actor_kind', models.CharField(blank=True, choices=[('user', 'User'), ('token', 'Token'), ('client', 'Client'), ('system', 'System'), ('database', 'Database')], max_length=16)),
                ('signed_by', models.CharField(blank=True, max_length=150)),
                ('comment', models.TextField(blank=True)),
                ('lines', models.JSONField(default=list, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('not_green', models.PositiveSmallIntegerField(null=True)),
                ('told_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-day'],
                'permissions': [('sign_checklist', 'Can sign off the daily checklist')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('not_green', None), ('signed_at', None), ('signed_by', '')), models.Q(('not_green__isnull', False), ('signed_at__isnull', False)), _connector='OR'), name='checklist_signed_with_what_was_red')],
            },
        ),
        migrations.RunPython(make_rule, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
