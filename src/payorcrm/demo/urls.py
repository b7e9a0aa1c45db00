"""The demo's mailbox; included in demo mode only."""

from django.urls import path

from payorcrm.demo import views

app_name = "demo"

urlpatterns = [
    path("", views.mailbox, name="mailbox"),
    path("<uuid:message_id>/", views.message, name="message"),
    path("<uuid:message_id>/html/", views.message_html, name="message_html"),
    path("<uuid:message_id>/raw/", views.message_raw, name="message_raw"),
]
