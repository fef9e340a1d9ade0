import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Django cannot say PARTITION BY. Partitions come when there is something to keep in them (monitoring.metrics.partitions).
TABLE = """
CREATE TABLE {name} (
    series_id bigint NOT NULL,
    at timestamptz NOT NULL,
    total double precision NOT NULL,
    count bigint NOT NULL,
    low double precision,
    high double precision,
    last double precision,
    buckets bigint[],
    PRIMARY KEY (series_id, at)
) PARTITION BY RANGE (at)
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('client', models.CharField(max_length=100)),
                ('received_at', models.DateTimeField(db_index=True)),
                ('accepted', models.PositiveIntegerField()),
                ('rejected', models.JSONField(default=list)),
            ],
            options={
                'verbose_name_plural': 'batches',
            },
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.UUIDField(unique=True)),
                ('name', models.CharField(max_length=100)),
                ('client', models.CharField(max_length=100)),
                ('labels', models.JSONField(default=dict)),
                ('value', models.FloatField(default=0)),
                ('count', models.BigIntegerField(default=0)),
                ('buckets', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None)),
                ('first_at', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'series',
                'permissions': [('push_metrics', 'Can push metrics')],
                'indexes': [models.Index(fields=['name', 'client'], name='series_by_name')],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    TABLE.format(name="monitoring_minute"), "DROP TABLE monitoring_minute"
                ),
                migrations.RunSQL(TABLE.format(name="monitoring_hour"), "DROP TABLE monitoring_hour"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Minute',
                    fields=[
                        ('pk', models.CompositePrimaryKey('series_id', 'at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('total', models.FloatField(default=0)),
                        ('count', models.BigIntegerField(default=0)),
                        ('low', models.FloatField(null=True)),
                        ('high', models.FloatField(null=True)),
                        ('last', models.FloatField(null=True)),
                        ('buckets', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None)),
                        ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='monitoring.series')),
                    ],
                    options={
                        'db_table': 'monitoring_minute',
                    },
                ),
                migrations.CreateModel(
                    name='Hour',
                    fields=[
                        ('pk', models.CompositePrimaryKey('series_id', 'at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('total', models.FloatField(default=0)),
                        ('count', models.BigIntegerField(default=0)),
                        ('low', models.FloatField(null=True)),
                        ('high', models.FloatField(null=True)),
                        ('last', models.FloatField(null=True)),
                        ('buckets', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None)),
                        ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='monitoring.series')),
                    ],
                    options={
                        'db_table': 'monitoring_hour',
                    },
                ),
            ],
        ),
    ]
