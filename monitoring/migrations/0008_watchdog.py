"""The watchdog's canaries, and the one row of its watch."""

from django.db import migrations, models


def make_watch(apps, schema_editor):
    apps.get_model("monitoring", "Watch").objects.get_or_create(pk=1)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0007_health'),
    ]

    operations = [
        migrations.CreateModel(
            name='Canary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent_at', models.DateTimeField()),
                ('worker_at', models.DateTimeField()),
                ('worker', models.CharField(blank=True, max_length=255)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('calling', 'Calling'), ('answered', 'Answered'), ('failed', 'Failed'), ('no_address', 'No Address'), ('overtaken', 'Overtaken')], default='waiting', max_length=16)),
                ('outbox_at', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='canary_waiting'), models.Index(fields=['worker_at'], name='canary_at')],
            },
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('late', models.CharField(blank=True, choices=[('beat', 'Beat'), ('worker', 'Worker'), ('outbox', 'Outbox'), ('outside', 'Address outside')], max_length=16)),
                ('since', models.DateTimeField(null=True)),
                ('looked_at', models.DateTimeField(null=True)),
                ('told', models.CharField(blank=True, choices=[('beat', 'Beat'), ('worker', 'Worker'), ('outbox', 'Outbox'), ('outside', 'Address outside')], max_length=16)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='watch_is_one_row')],
            },
        ),
        migrations.RunPython(make_watch, migrations.RunPython.noop),
    ]
