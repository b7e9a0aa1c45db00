"""Signing in and passwords. Of allauth's pages only those that people here need; the others do not exist.

Changing an address by oneself is not among them: the address is what merchants and confirmations know a person by.
"""

from allauth.account import views
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path


def nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    """Stand in for a page whose address allauth wants to name."""
    raise Http404


urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("signup/", views.signup, name="account_signup"),
    path("email/", nothing_here, name="account_email"),
    path("confirm-email/", nothing_here, name="account_email_verification_sent"),
    path("confirm-email/<str:key>/", nothing_here, name="account_confirm_email"),
]
