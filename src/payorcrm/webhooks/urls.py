"""Where processors and mail providers report what happened."""

from django.urls import path

from payorcrm.webhooks.views import receive, receive_mail_events

app_name = "webhooks"
urlpatterns = [
    path("mail/<slug:provider>/", receive_mail_events, name="mail_events"),
    path("<slug:gateway>/<slug:merchant_slug>/", receive, name="receive"),
]
