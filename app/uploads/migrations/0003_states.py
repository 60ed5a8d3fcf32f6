"""States of a picture, direct uploads, and idempotency keys."""

# as Django writes it

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0002_cache_table"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="changed",
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="image",
            name="direct",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="image",
            name="idempotency_key",
            field=models.CharField(max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="image",
            name="notes",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="image",
            name="owner",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="image",
            name="received_sha256",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="image",
            name="bytes",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="image",
            name="height",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="image",
            name="thumbnail_bytes",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="image",
            name="width",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="image",
            constraint=models.UniqueConstraint(fields=("owner", "idempotency_key"), name="one_picture_a_key"),
        ),
    ]
