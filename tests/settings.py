"""The site's settings as the tests use them: local disk, keys of their own, no manifest of static files."""

import os
import tempfile
from pathlib import Path

from stayput.django.variables import VARIABLES

for variable in VARIABLES:  # what the developer's shell holds must not decide a test
    os.environ.pop(variable.name, None)
os.environ.update({"SECRET_KEY": "for-tests", "STAYPUT_KEY": "stayput-for-tests"})

from app.config.settings import *  # noqa: E402, F403

MEDIA_ROOT = Path(tempfile.gettempdir()) / f"site-tests-{os.getpid()}"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": "/media/"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
