from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("alerts", "0005_delivery"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="settled_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="alert",
            name="content",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("state", "RESOLVED")), fields=["fingerprint", "-id"], name="alert_earlier"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("decision", "DEDUPED"), ("sent_at", None), ("state", "FIRING")),
                fields=["dedupe_until"],
                name="alert_untold",
            ),
        ),
        # Room in each page, so that counting a repeat touches no index.
        migrations.RunSQL(
            "ALTER TABLE alerts_alert SET (fillfactor = 75)", "ALTER TABLE alerts_alert RESET (fillfactor)"
        ),
    ]
