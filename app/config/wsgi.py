"""The site as a WSGI application."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from app.config.drain import Drained
from app.config.forms import readable
from stayput.django import modules

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.config.settings")

try:
    application = Drained(readable(get_wsgi_application()))
    from stayput.django import start

    start.check()
except ImproperlyConfigured as problem:
    sys.exit(f"site: {problem}")
except ImportError as problem:
    sys.exit(f"site: {modules.explained(problem)}")
