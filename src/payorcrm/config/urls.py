"""Every address of the site, by who looks at it."""

from django.conf import settings
from django.urls import include, path

from payorcrm.config.home import home

urlpatterns = [
    path("", home, name="home"),
    path("home/", home, name="home_after_sign_in"),
    path("account/", include("payorcrm.config.account_urls")),
    path("m/<slug:merchant_slug>/", include("payorcrm.backoffice.urls")),
    path("signup/", include("payorcrm.backoffice.sign_up_urls")),
    path("join/", include("payorcrm.backoffice.join_urls")),
    path("webhooks/", include("payorcrm.webhooks.urls")),
    path("", include("payorcrm.portal.urls")),
]
if settings.IS_DEMO:
    urlpatterns += [path("mailbox/", include("payorcrm.demo.urls"))]

handler400 = "payorcrm.ui.views.bad_request"
handler403 = "payorcrm.ui.views.forbidden"
handler404 = "payorcrm.portal.views.accounts.not_found"
handler500 = "payorcrm.ui.views.server_error"
