"""The table that counts uploads."""

# as Django writes it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0003_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sender",
            fields=[
                ("who", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("began", models.FloatField()),
                ("uploads", models.PositiveIntegerField()),
            ],
        ),
    ]
