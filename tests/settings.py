"""The site's settings as the tests use them: local disk, a database file of their own, no manifest of static files."""

import os
import tempfile
from pathlib import Path

os.environ.update({"SECRET_KEY": "for-tests", "STAYPUT_KEY": "stayput-for-tests", "USE_S3": "False"})

from app.config.settings import *  # noqa: F403

MEDIA_ROOT = Path(tempfile.gettempdir()) / f"site-tests-{os.getpid()}"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT), "base_url": "/media/"},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
