"""The application with the addresses of `bench.bare`, for a web server to load."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "payorcrm.config.settings")
settings.ROOT_URLCONF = "bench.bare"
application = get_wsgi_application()
