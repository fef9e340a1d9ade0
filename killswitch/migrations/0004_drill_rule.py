"""When drills are due, and who may tune that."""

import datetime

import django.core.validators
import django.utils.timezone
from django.db import migrations, models

from opsconsole.accounts.grants import grant


def make_rule(apps, schema_editor):
    apps.get_model("killswitch", "DrillRule").objects.get_or_create(pk=1)


def grant_roles(apps, schema_editor):
    view = ["view_drillrule"]
    grant(
        apps,
        app_label="killswitch",
        codenames={
            "viewer": view,
            "auditor": view,
            "operator": view,
            "supervisor": [*view, "tune_drills"],
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('killswitch', '0003_alarms'),
    ]

    operations = [
        migrations.CreateModel(
            name='DrillRule',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('enabled', models.BooleanField(default=True)),
                ('every', models.CharField(choices=[('month', 'Once in each month'), ('days', 'After a number of days')], default='month', max_length=16)),
                ('day', models.PositiveSmallIntegerField(default=15, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(28)])),
                ('days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)])),
                ('at', models.TimeField(default=datetime.time(10, 0))),
                ('zone', models.CharField(blank=True, max_length=64)),
                ('remind_days', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MaxValueValidator(28)])),
                ('comment', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(editable=False, null=True)),
                ('updated_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('since', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('told', models.CharField(blank=True, choices=[('soon', 'Soon'), ('overdue', 'Overdue')], editable=False, max_length=16)),
                ('told_due', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'permissions': [('tune_drills', 'Can tune when drills are due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='drill_rule_is_one_row')],
            },
        ),
        migrations.RunPython(make_rule, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
