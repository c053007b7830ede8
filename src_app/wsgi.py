"""The web application, for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from src_app.headers import with_headers
from src_app.readable import in_utf_8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "src_app.settings")

application = with_headers(in_utf_8(get_wsgi_application()))
