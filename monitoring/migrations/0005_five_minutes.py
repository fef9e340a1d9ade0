import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

TABLE = """
CREATE TABLE monitoring_five (
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

    dependencies = [
        ('monitoring', '0004_triggers'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE monitoring_five")],
            state_operations=[
                migrations.CreateModel(
                    name='FiveMinutes',
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
                        'db_table': 'monitoring_five',
                    },
                ),
            ],
        ),
        # Hours that are summed up already get their five minutes, too.
        migrations.RunSQL("UPDATE monitoring_rollup SET rolled_at = NULL", migrations.RunSQL.noop),
    ]
