"""The table of the shared cache, so that `migrate` is all a new database needs."""

from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command("createcachetable", "cache", database=schema_editor.connection.alias, verbosity=0)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE IF EXISTS cache")


class Migration(migrations.Migration):
    dependencies = (("uploads", "0001_initial"),)
    operations = (migrations.RunPython(create, drop),)
