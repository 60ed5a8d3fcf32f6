"""`manage.py upload_token` prints a token that may upload for ten minutes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from stayput.django import tokens


class Command(BaseCommand):
    help = "Print an upload token that lives ten minutes, for: Authorization: Bearer TOKEN."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(tokens.sign(settings.STAYPUT_KEY, purpose="upload"))
