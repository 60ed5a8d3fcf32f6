"""manage.py sweep"""

from typing import Any

from django.core.management.base import BaseCommand

from app.uploads.sweep import sweep


class Command(BaseCommand):
    help = "Finish or clean up pictures that a crash left between two states. Run it every few minutes, or by hand."

    def handle(self, *args: Any, **options: Any) -> str:
        done = sweep()
        return ", ".join(f"{count} {what}" for what, count in sorted(done.items())) or "nothing to do"
