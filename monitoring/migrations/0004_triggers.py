"""Triggers, the rows that a console begins with, and who may read and tune them."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from opsconsole.accounts.grants import grant

VIEW = ["view_trigger"]
LOSS = {
    "metric": "portfolio_daily_pnl_usd",
    "aggregate": "SUM",
    "comparison": "BELOW",
    "confirmations": 2,
    "stale_seconds": 300,
    "action": "STOP",
    "category": "RISK_WARNING",
    "stop_reason": "DAILY_LOSS_LIMIT",
}
COST = {"metric": "ai_cost_usd_total", "category": "COST_ALERT", "stop_reason": "COST_ALERT"}
# docs/triggers.md says why.
DEFAULTS = {
    "daily-loss-usd": LOSS | {"threshold": -20_000, "second_threshold": -30_000, "clear_threshold": -16_000},
    "daily-loss-pct": LOSS
    | {"percent_of": "portfolio_value_usd", "threshold": -5, "second_threshold": -6, "clear_threshold": -4},
    "volatility-breaches": {
        "metric": "volatility_breach_total",
        "aggregate": "INCREASE",
        "window_seconds": 900,
        "threshold": 5,
        "stop_reason": "VOLATILITY",
    },
    "risk-score": {
        "metric": "risk_score",
        "aggregate": "LARGEST",
        "threshold": 80,
        "second_threshold": 95,
        "clear_threshold": 70,
        "confirmations": 2,
    },
    "drawdown": {
        "metric": "portfolio_max_drawdown_pct",
        "aggregate": "LARGEST",
        "threshold": 20,
        "clear_threshold": 18,
        "confirmations": 2,
    },
    "ai-cost-day": COST | {"aggregate": "INCREASE_DAY", "threshold": 10},
    "ai-cost-month": COST | {"aggregate": "INCREASE_MONTH", "threshold": 200},
    "ai-cost-velocity": COST
    | {
        "aggregate": "INCREASE",
        "window_seconds": 300,
        "threshold": 2,
        "clear_threshold": 1,
        "priority": "HIGH",
    },
    "portfolio-data": {
        "metric": "portfolio_value_usd",
        "aggregate": "SMALLEST",
        "comparison": "BELOW",
        "threshold": 0,
        "confirmations": 2,
        "stale_seconds": 60,
        "category": "DATA_QUALITY",
        "priority": "HIGH",
        "stop_reason": "DATA_QUALITY",
    },
}


def make_defaults(apps, schema_editor):
    """Rows that are there stay as they are."""
    triggers = apps.get_model("monitoring", "Trigger").objects
    states = apps.get_model("monitoring", "TriggerState").objects
    for name, values in DEFAULTS.items():
        trigger, _ = triggers.get_or_create(name=name, defaults=values)
        states.get_or_create(trigger=trigger)


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="monitoring",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": VIEW,
            "supervisor": [*VIEW, "tune_trigger"],
            "trading-system": VIEW,
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0003_rollup'),
    ]

    operations = [
        migrations.CreateModel(
            name='Trigger',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=64, unique=True)),
                ('enabled', models.BooleanField(default=True)),
                ('metric', models.CharField(max_length=100)),
                ('client', models.CharField(blank=True, max_length=100)),
                ('labels', models.JSONField(blank=True, default=dict)),
                ('aggregate', models.CharField(choices=[('LARGEST', 'largest of the newest values'), ('SMALLEST', 'smallest of the newest values'), ('SUM', 'sum of the newest values'), ('INCREASE', 'increase within the window'), ('INCREASE_DAY', 'increase within the trading day'), ('INCREASE_MONTH', 'increase within the month')], default='SUM', max_length=16)),
                ('window_seconds', models.PositiveIntegerField(default=3600, validators=[django.core.validators.MinValueValidator(60), django.core.validators.MaxValueValidator(2592000)])),
                ('percent_of', models.CharField(blank=True, max_length=100)),
                ('comparison', models.CharField(choices=[('ABOVE', 'at or above the threshold'), ('BELOW', 'at or below the threshold')], default='ABOVE', max_length=8)),
                ('threshold', models.FloatField()),
                ('second_threshold', models.FloatField(blank=True, null=True)),
                ('clear_threshold', models.FloatField(blank=True, null=True)),
                ('confirmations', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('stale_seconds', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(2592000)])),
                ('on_missing', models.CharField(choices=[('ALERT', 'alert'), ('STOP', 'stop trading')], default='ALERT', max_length=8)),
                ('on_error', models.CharField(choices=[('ALERT', 'alert'), ('STOP', 'stop trading')], default='ALERT', max_length=8)),
                ('action', models.CharField(choices=[('ALERT', 'alert'), ('STOP', 'stop trading')], default='ALERT', max_length=8)),
                ('category', models.CharField(choices=[('SYSTEM_ERROR', 'System Error'), ('TRADING_SIGNAL', 'Trading Signal'), ('RISK_WARNING', 'Risk Warning'), ('PORTFOLIO_UPDATE', 'Portfolio Update'), ('DATA_QUALITY', 'Data Quality'), ('COST_ALERT', 'Cost Alert'), ('PERFORMANCE', 'Performance')], default='RISK_WARNING', max_length=32)),
                ('priority', models.CharField(blank=True, choices=[('LOW', 'Low'), ('MEDIUM', 'Medium'), ('HIGH', 'High'), ('CRITICAL', 'Critical')], max_length=16)),
                ('stop_reason', models.CharField(choices=[('MANUAL', 'Manual'), ('DAILY_LOSS_LIMIT', 'Daily Loss Limit'), ('SYSTEM_ERROR', 'System Error'), ('DATA_QUALITY', 'Data Quality'), ('VOLATILITY', 'Volatility'), ('API_FAILURE', 'Api Failure'), ('RISK_THRESHOLD', 'Risk Threshold'), ('COST_ALERT', 'Cost Alert')], default='RISK_THRESHOLD', max_length=32)),
                ('stop_scope', models.CharField(default='global', max_length=100)),
                ('stop_mode', models.CharField(choices=[('HALTED', 'Halted'), ('REDUCE_ONLY', 'Reduce Only')], default='HALTED', max_length=16)),
                ('comment', models.CharField(blank=True, max_length=200)),
                ('version', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(editable=False, null=True)),
                ('updated_by', models.CharField(blank=True, editable=False, max_length=150)),
            ],
            options={
                'ordering': ['name'],
                'permissions': [('tune_trigger', 'Can tune triggers')],
            },
        ),
        migrations.CreateModel(
            name='TriggerState',
            fields=[
                ('trigger', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='state', serialize=False, to='monitoring.trigger')),
                ('condition', models.CharField(choices=[('WAITING', 'Waiting'), ('CLEAR', 'Clear'), ('CONFIRMING', 'Confirming'), ('TRIPPED', 'Tripped')], default='WAITING', max_length=16)),
                ('confirmed', models.PositiveIntegerField(default=0)),
                ('far', models.BooleanField(default=False)),
                ('tripped_at', models.DateTimeField(null=True)),
                ('value', models.FloatField(null=True)),
                ('value_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, choices=[('MISSING', 'missing'), ('STALE', 'stale'), ('ERROR', 'error')], max_length=8)),
                ('problem_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('evaluated_at', models.DateTimeField(null=True)),
                ('stop_due', models.TextField(blank=True)),
                ('stop_due_reason', models.CharField(blank=True, max_length=32)),
            ],
        ),
        migrations.AddIndex(
            model_name='trigger',
            index=models.Index(condition=models.Q(('enabled', True)), fields=['metric'], name='trigger_by_metric'),
        ),
        migrations.AddIndex(
            model_name='triggerstate',
            index=models.Index(condition=models.Q(('stop_due', ''), _negated=True), fields=['trigger'], name='trigger_stop_due'),
        ),
        migrations.RunPython(make_defaults, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
