"""Django's settings, from the environment: the variables are in stayput.django.variables."""

import os
from pathlib import Path

import dj_database_url

from app.config import machine
from app.config.logs import LOGGING as LOGGING
from app.uploads.images import Limits
from stayput.django import storages, variables

BASE_DIR = Path(__file__).resolve().parents[2]
VALUES = variables.read(os.environ)

DEBUG = VALUES.debug
SECRET_KEY = VALUES.secret_key
STAYPUT_KEY = VALUES.stayput_key
STAYPUT_BUILD_FILE = BASE_DIR / "stayput-build.json"

ALLOWED_HOSTS = list(VALUES.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(VALUES.csrf_trusted_origins)
ROOT_URLCONF = "app.config.urls"
WSGI_APPLICATION = "app.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "gallery"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "stayput.django",
    "app.uploads",
]

MIDDLEWARE = [
    "stayput.django.health.HealthMiddleware",
    "app.uploads.limits.BodyLimitMiddleware",
    "app.config.problems.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "app.config.problems.SlashAdded",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

# The platform's edge ends TLS and says so. Where people come over https, plain http is sent there and cookies stay.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = VALUES.behind_tls
SECURE_HSTS_SECONDS = 31_536_000 if VALUES.behind_tls else 0

SQLITE = "django.db.backends.sqlite3"
DATABASE = {"ENGINE": SQLITE, "NAME": BASE_DIR / "db.sqlite3"}
if VALUES.database_url:
    try:
        DATABASE = dj_database_url.parse(VALUES.database_url)
    except ValueError:  # its text and its context may hold the password
        raise variables.WrongVariables(["DATABASE_URL cannot be read as an address"]) from None
if DATABASE["ENGINE"] == SQLITE:  # several processes write: wait for the lock, and take it at the beginning
    DATABASE |= {"CONN_MAX_AGE": None}  # an open file; the last one closed would write back and remove the journal
    DATABASE["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
else:
    DATABASE |= {"CONN_MAX_AGE": 0}  # many threads wait for slow senders: none keeps a connection for later
    DATABASE["OPTIONS"] = {"connect_timeout": 5} | DATABASE.get("OPTIONS", {})
DATABASES = {"default": DATABASE}

# Shared by all workers. The table is made by a migration.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

MEDIA_ROOT = Path(VALUES.media_root or BASE_DIR / "media")
MEDIA_URL = storages.media_url(VALUES)
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_URL = "/static/"
STORAGES = storages.storages(VALUES, media_root=MEDIA_ROOT)

UPLOAD_LIMITS = Limits()
FILE_UPLOAD_HANDLERS = ["app.uploads.spool.Spool"]
BODY_LIMIT = UPLOAD_LIMITS.upload_bytes + 2**16  # the form around the picture
DECODING_SLOTS = machine.decoding_slots(machine.memory(), machine.processors())
DECODING_PATIENCE = 20.0  # seconds an upload waits for its turn

STAYPUT_PROCESS = "app.uploads.images.process"  # what manage.py diagnose tries
STAYPUT_REHEARSAL = "app.uploads.rehearsal.upload"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "app.uploads.auth.UploadTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_RATES": {"uploads": "120/min"},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "NUM_PROXIES": 1,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pictures",
    "DESCRIPTION": "Photos in, two pictures of each out.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
}
