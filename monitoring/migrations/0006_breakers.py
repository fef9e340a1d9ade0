"""Circuit breakers, and what each role may do with them."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from opsconsole.accounts.grants import grant

VIEW = ["view_circuitbreaker"]
OPERATE = [*VIEW, "reset_circuitbreaker", "force_circuitbreaker"]


# Every opening is told by itself; this one says that it does not go away. docs/triggers.md says why it does not stop trading.
TRIGGER = {
    "metric": "circuit_breaker_open_for_seconds",
    "aggregate": "LARGEST",
    "threshold": 300,
    "category": "SYSTEM_ERROR",
    "priority": "HIGH",
    "stop_reason": "API_FAILURE",
}


def make_trigger(apps, schema_editor):
    trigger, _ = apps.get_model("monitoring", "Trigger").objects.get_or_create(name="api-failure", defaults=TRIGGER)
    apps.get_model("monitoring", "TriggerState").objects.get_or_create(trigger=trigger)


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="monitoring",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": OPERATE,
            "supervisor": [*OPERATE, "tune_circuitbreaker"],
            "trading-system": [*VIEW, "report_circuitbreaker"],
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('killswitch', '0003_alarms'),
        ('monitoring', '0005_five_minutes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BreakerProcess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('instance', models.CharField(max_length=32)),
                ('first_seen', models.DateTimeField()),
                ('reported_at', models.DateTimeField()),
                ('last_report', models.CharField(blank=True, max_length=64)),
                ('applied', models.BigIntegerField(default=0)),
                ('last_seq', models.BigIntegerField(default=0)),
                ('clock_offset', models.FloatField(null=True)),
                ('clock_at', models.DateTimeField(null=True)),
                ('dropped', models.BigIntegerField(default=0)),
                ('stream', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='killswitch.tradingclient')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='BreakerVersion',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('value', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='breaker_version_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='CircuitBreaker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=128, unique=True)),
                ('first_seen', models.DateTimeField(editable=False)),
                ('version', models.BigIntegerField(default=0, editable=False)),
                ('failure_threshold', models.PositiveIntegerField(blank=True, help_text='Opens after so many failures with no success between them. 0: never for that.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000)])),
                ('success_threshold', models.PositiveIntegerField(blank=True, help_text='So many successful probes close it.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)])),
                ('timeout_seconds', models.FloatField(blank=True, help_text='How long it is open before it is probed.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(604800.0)])),
                ('timeout_multiplier', models.FloatField(blank=True, help_text='Each opening that follows without a success lasts so many times as long.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('max_timeout_seconds', models.FloatField(blank=True, help_text='The longest that it is open before it is probed.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(604800.0)])),
                ('timeout_jitter', models.FloatField(blank=True, help_text='The share by which each open time is drawn shorter or longer.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ('window_type', models.CharField(blank=True, choices=[('count', 'the last calls'), ('time', 'the calls of the last seconds')], help_text='What the rates are taken of.', max_length=8)),
                ('window_size', models.PositiveIntegerField(blank=True, help_text='Calls, or seconds, of the window.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)])),
                ('minimum_number_of_calls', models.PositiveIntegerField(blank=True, help_text='Rates count from so many calls on.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)])),
                ('failure_rate_threshold', models.FloatField(blank=True, help_text='Opens when so many percent of the calls failed. 0: never for that.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)])),
                ('slow_call_rate_threshold', models.FloatField(blank=True, help_text='Opens when so many percent were slow. 0: never for that.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)])),
                ('slow_call_duration_seconds', models.FloatField(blank=True, help_text='A call that takes longer is slow.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(604800.0)])),
                ('permitted_calls_in_half_open', models.PositiveIntegerField(blank=True, help_text='Probes under way at a time.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)])),
                ('max_half_open_seconds', models.FloatField(blank=True, help_text='Probing is over, and failed, when none has ended within this time.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(604800.0)])),
                ('deadline_seconds', models.FloatField(blank=True, help_text='A call that takes longer is a failure; an asynchronous one is cancelled.', null=True, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(604800.0)])),
                ('quorum', models.PositiveSmallIntegerField(default=0, help_text='0: each process for itself. Else: when so many processes are open, all are, and one probes for all.', validators=[django.core.validators.MaxValueValidator(1000)])),
                ('comment', models.CharField(blank=True, max_length=200)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('updated_at', models.DateTimeField(editable=False, null=True)),
                ('updated_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('hold', models.CharField(blank=True, choices=[('OPEN', 'forced open'), ('CLOSED', 'forced closed')], editable=False, max_length=8)),
                ('hold_reason', models.TextField(blank=True, editable=False)),
                ('hold_by', models.CharField(blank=True, editable=False, max_length=150)),
                ('hold_at', models.DateTimeField(editable=False, null=True)),
                ('hold_until', models.DateTimeField(editable=False, null=True)),
                ('reset_version', models.BigIntegerField(editable=False, null=True)),
                ('shared', models.CharField(blank=True, choices=[('CLOSED', 'closed'), ('HALF_OPEN', 'half-open'), ('OPEN', 'open')], editable=False, max_length=16)),
                ('shared_generation', models.PositiveIntegerField(default=0, editable=False)),
                ('shared_at', models.DateTimeField(editable=False, null=True)),
                ('shared_version', models.BigIntegerField(default=0, editable=False)),
                ('shared_until', models.DateTimeField(editable=False, null=True)),
                ('shared_openings', models.PositiveIntegerField(default=0, editable=False)),
                ('probe_instance', models.CharField(blank=True, editable=False, max_length=32)),
                ('probe_until', models.DateTimeField(editable=False, null=True)),
                ('opened_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['name'],
                'permissions': [('reset_circuitbreaker', 'Can reset circuit breakers'), ('force_circuitbreaker', 'Can hold circuit breakers open or closed, and release them'), ('tune_circuitbreaker', 'Can tune circuit breakers'), ('report_circuitbreaker', 'Can report circuit breakers')],
                'indexes': [models.Index(condition=models.Q(('version__gt', 0)), fields=['version'], name='breaker_version'), models.Index(condition=models.Q(('hold_until__isnull', False)), fields=['hold_until'], name='breaker_hold'), models.Index(condition=models.Q(('opened_at__isnull', False)), fields=['opened_at'], name='breaker_opened')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('hold', ''), ('hold_at', None), ('hold_until', None)), models.Q(models.Q(('hold', ''), _negated=True), ('hold_at__isnull', False)), _connector='OR'), name='breaker_hold_has_its_time')],
            },
        ),
        migrations.CreateModel(
            name='BreakerTransition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client', models.CharField(max_length=64)),
                ('instance', models.CharField(max_length=32)),
                ('seq', models.BigIntegerField()),
                ('from_state', models.CharField(choices=[('CLOSED', 'closed'), ('HALF_OPEN', 'half-open'), ('OPEN', 'open')], max_length=16)),
                ('to_state', models.CharField(choices=[('CLOSED', 'closed'), ('HALF_OPEN', 'half-open'), ('OPEN', 'open')], max_length=16)),
                ('at', models.DateTimeField()),
                ('in_previous_s', models.FloatField()),
                ('why', models.CharField(max_length=32)),
                ('cause_type', models.CharField(blank=True, max_length=200)),
                ('cause_text', models.CharField(blank=True, max_length=500)),
                ('counts', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField()),
                ('breaker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transitions', to='monitoring.circuitbreaker')),
            ],
        ),
        migrations.CreateModel(
            name='BreakerState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('CLOSED', 'closed'), ('HALF_OPEN', 'half-open'), ('OPEN', 'open')], max_length=16)),
                ('forced', models.CharField(blank=True, choices=[('OPEN', 'forced open'), ('CLOSED', 'forced closed')], max_length=8)),
                ('since', models.DateTimeField()),
                ('failing_since', models.DateTimeField(null=True)),
                ('generation', models.BigIntegerField(default=0)),
                ('applied', models.BigIntegerField(default=0)),
                ('reported_at', models.DateTimeField()),
                ('config', models.JSONField(default=dict)),
                ('own_config', models.JSONField(default=dict)),
                ('success', models.BigIntegerField(default=0)),
                ('failure', models.BigIntegerField(default=0)),
                ('slow', models.BigIntegerField(default=0)),
                ('ignored', models.BigIntegerField(default=0)),
                ('rejected', models.BigIntegerField(default=0)),
                ('calls', models.BigIntegerField(default=0)),
                ('failure_rate', models.FloatField(null=True)),
                ('slow_rate', models.FloatField(null=True)),
                ('failure_type', models.CharField(blank=True, max_length=200)),
                ('failure_text', models.CharField(blank=True, max_length=500)),
                ('failure_at', models.DateTimeField(null=True)),
                ('metered_at', models.DateTimeField(null=True)),
                ('open_s', models.FloatField(default=0)),
                ('metered_open_s', models.FloatField(default=0)),
                ('metered_rejected', models.BigIntegerField(default=0)),
                ('unmetered', models.JSONField(default=dict)),
                ('process', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='states', to='monitoring.breakerprocess')),
                ('breaker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='states', to='monitoring.circuitbreaker')),
            ],
        ),
        migrations.CreateModel(
            name='BreakerCommand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('reset', 'Reset'), ('reset_all', 'Reset All'), ('force_open', 'Force Open'), ('force_close', 'Force Close'), ('release', 'Release'), ('expire', 'Expire'), ('tune', 'Tune')], max_length=16)),
                ('version', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('actor_kind', models.CharField(choices=[('user', 'User'), ('token', 'Token'), ('client', 'Client'), ('system', 'System'), ('database', 'Database')], max_length=16)),
                ('by', models.CharField(max_length=150)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('breaker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='commands', to='monitoring.circuitbreaker')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='BreakerApplied',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client', models.CharField(max_length=64)),
                ('instance', models.CharField(max_length=32)),
                ('version', models.BigIntegerField()),
                ('at', models.DateTimeField(null=True)),
                ('command', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='processes', to='monitoring.breakercommand')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('at', None)), fields=['instance', 'version'], name='breaker_applied_open')],
                'constraints': [models.UniqueConstraint(fields=('command', 'client', 'instance'), name='breaker_applied_once')],
            },
        ),
        migrations.AddIndex(
            model_name='breakerprocess',
            index=models.Index(fields=['reported_at'], name='breaker_process_reported'),
        ),
        migrations.AddConstraint(
            model_name='breakerprocess',
            constraint=models.UniqueConstraint(fields=('name', 'instance'), name='breaker_process'),
        ),
        migrations.AddIndex(
            model_name='breakertransition',
            index=models.Index(fields=['breaker', '-at', '-id'], name='breaker_transition_newest'),
        ),
        migrations.AddIndex(
            model_name='breakertransition',
            index=models.Index(condition=models.Q(('from_state', 'OPEN')), fields=['breaker', 'at'], name='breaker_left_open'),
        ),
        migrations.AddIndex(
            model_name='breakertransition',
            index=models.Index(fields=['at'], name='breaker_transition_at'),
        ),
        migrations.AddConstraint(
            model_name='breakertransition',
            constraint=models.UniqueConstraint(fields=('instance', 'seq', 'client'), name='breaker_transition_once'),
        ),
        migrations.AddConstraint(
            model_name='breakerstate',
            constraint=models.UniqueConstraint(fields=('breaker', 'process'), name='breaker_state_of_process'),
        ),
        migrations.AddIndex(
            model_name='breakercommand',
            index=models.Index(fields=['breaker', '-id'], name='breaker_command_newest'),
        ),
        migrations.AddIndex(
            model_name='breakercommand',
            index=models.Index(fields=['at'], name='breaker_command_at'),
        ),
        migrations.AddField(
            model_name='series',
            name='shown_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(make_trigger, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
