"""The site's addresses as they are in demo mode."""

from django.urls import include, path

from payorcrm.config import urls

urlpatterns = [*urls.urlpatterns, path("mailbox/", include("payorcrm.demo.urls"))]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
