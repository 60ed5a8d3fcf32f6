"""Pictures."""

# as Django writes them

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Image",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("processing", "Processing"),
                            ("ready", "Ready"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("main", models.FileField(max_length=200, upload_to="")),
                ("thumbnail", models.FileField(max_length=200, upload_to="")),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("bytes", models.PositiveIntegerField()),
                ("thumbnail_bytes", models.PositiveIntegerField()),
                ("listed", models.BooleanField(default=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("-created", "-id"),
                "indexes": [models.Index(fields=["-created", "-id"], name="newest_first")],
            },
        ),
    ]
