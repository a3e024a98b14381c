"""Django's settings: one page, all of it derived from `shipmend.config`."""

from __future__ import annotations

import os
from pathlib import Path

from shipmend.config import Config

CONFIG = Config.load(os.environ)
PACKAGE = Path(__file__).parent

SECRET_KEY = CONFIG.secret_key()
DEBUG = CONFIG.debug
# The host name is only ever echoed to the reader who sent it; links that leave the instance use public_url.
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "shipmend.db",
    "shipmend.audit",
    "shipmend.catalog",
    "shipmend.accounts",
    "shipmend.jobs",
    "shipmend.history",
    "shipmend.delivery",
    "shipmend.web",
]

MIDDLEWARE = [
    "shipmend.watch.requests.watched",
    "shipmend.web.middleware.Pages",
]

ROOT_URLCONF = "shipmend.urls"
APPEND_SLASH = False

DATABASES = {"default": CONFIG.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"  # of Django's own tables; ours all name an IdField

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

SESSION_ENGINE = "shipmend.web.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CONFIG.public_url.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_TRUSTED_ORIGINS = [CONFIG.public_url] if CONFIG.public_url else []
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "shipmend.web.context.frame",
            ],
            "builtins": ["shipmend.web.templatetags.shipmend"],
        },
    },
]

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
STATIC_URL = "/static/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 << 20
"""The largest body of all, that of a batch; the server and the API hold each address to its own limit."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "shipmend.logs.Lines", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "shipmend.logs.Json"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": CONFIG.log_format}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # A refused page or call is the caller's business, told in the answer and in the call log.
    "loggers": {"django.request": {"level": "ERROR"}},
}
