"""Django as a WSGI application. `opsconsole.asgi` runs it in a pool of threads, beside the streams."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsconsole.settings")

application = get_wsgi_application()
