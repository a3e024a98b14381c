"""The WSGI application: static files first, then Django."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

from shipmend.settings import PACKAGE

# Static files never reach Django: each has a content hash in its query string and may be kept for ever.
application = WhiteNoise(get_wsgi_application(), root=PACKAGE / "web" / "static", prefix="static/", max_age=31_536_000)
