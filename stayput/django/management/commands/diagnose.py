"""`manage.py diagnose` tells what works here and what does not; exit code 1 when something does not."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from stayput.django import diagnose, script


class Command(BaseCommand):
    help = (
        "Tell what works here and what does not: configuration, storage, pictures, an upload. Takes all it writes away."
    )
    requires_system_checks = ()  # it runs them itself

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")
        parser.add_argument("--script", action="store_true", help="print the copy to pipe into manage.py shell")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["script"]:
            self.stdout.write(script.piped(), ending="")
        elif options["json"]:
            lines = [asdict(line) for line in diagnose.diagnose()]
            well = all(line["ok"] is not False for line in lines)
            self.stdout.write(json.dumps({"ok": well, "lines": lines}))
            sys.exit(not well)
        else:
            sys.exit(not diagnose.tell(sys.stdout.write, sys.stdout.encoding))
