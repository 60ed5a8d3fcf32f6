"""`manage.py env_example` prints .env.example."""

from typing import Any

from django.core.management.base import BaseCommand

from stayput.django.variables import env_example


class Command(BaseCommand):
    help = "Print .env.example, made from the table of variables."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(env_example(), ending="")
