"""Addresses of signing up a business; there is no merchant yet."""

from django.urls import path

from payorcrm.backoffice.views import sign_up

app_name = "sign_up"
urlpatterns = [
    path("", sign_up.sign_up, name="sign_up"),
    path("details/", sign_up.details, name="details"),
    path("sent/", sign_up.sent, name="sent"),
    path("open/<str:token>/", sign_up.open_account, name="open"),
]
