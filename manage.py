#!/usr/bin/env python3
"""The site's command line."""

import io
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from stayput.django import modules

    if isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8-sig")  # what is piped in may begin with a byte-order mark
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(f"manage.py: {problem}")
    except ImportError as problem:
        sys.exit(f"manage.py: {modules.explained(problem)}")


if __name__ == "__main__":
    main()
