from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0002_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='RollUp',
            fields=[
                ('hour', models.DateTimeField(primary_key=True, serialize=False)),
                ('rolled_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'monitoring_rollup',
            },
        ),
    ]
