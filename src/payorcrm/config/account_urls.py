"""Signing in and passwords. Of allauth's pages only those that people here need; the others do not exist.

Changing an address by oneself is not among them: the address is what merchants and confirmations know a person by.
"""

from allauth.account import views
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.google import views as google
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, re_path

from payorcrm.backoffice.second_factor import only_with_it
from payorcrm.portal.dress import dressed, only_with_google
from payorcrm.portal.views.add_passkey import add_passkey, remove_passkey
from payorcrm.portal.views.security import disconnect_google, security_of_staff


def nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    """Stand in for a page whose address allauth wants to name."""
    raise Http404


def to_security(request: HttpRequest, **_: str) -> HttpResponse:
    """Lead to the page that shows all ways to sign in."""
    return redirect("mfa_index")


urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", dressed(views.reauthenticate), name="account_reauthenticate"),
    path("password/change/", dressed(views.password_change), name="account_change_password"),
    path("password/set/", dressed(views.password_set), name="account_set_password"),
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
    path("security/", dressed(security_of_staff), name="mfa_index"),
    path("security/code/", dressed(second_step.authenticate), name="mfa_authenticate"),
    path("security/again/", dressed(second_step.reauthenticate), name="mfa_reauthenticate"),
    path("security/app/", dressed(only_with_it(app.activate_totp)), name="mfa_activate_totp"),
    path("security/app/remove/", dressed(only_with_it(app.deactivate_totp)), name="mfa_deactivate_totp"),
    path("security/codes/", dressed(only_with_it(recovery_codes.view_recovery_codes)), name="mfa_view_recovery_codes"),
    path(
        "security/codes/new/",
        dressed(only_with_it(recovery_codes.generate_recovery_codes)),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "security/codes/file/", only_with_it(recovery_codes.download_recovery_codes), name="mfa_download_recovery_codes"
    ),
    path("security/passkeys/", to_security, name="mfa_list_webauthn"),
    path("security/passkeys/add/", dressed(only_with_it(add_passkey)), name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/", dressed(only_with_it(webauthn.edit_webauthn)), name="mfa_edit_webauthn"),
    path("security/passkeys/<int:pk>/remove/", dressed(only_with_it(remove_passkey)), name="mfa_remove_webauthn"),
    path("security/passkeys/again/", dressed(webauthn.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("google/", only_with_google(google.oauth2_login), name="google_login"),
    path("google/callback/", only_with_google(google.oauth2_callback), name="google_callback"),
    path("google/disconnect/", only_with_google(disconnect_google), name="google_disconnect"),
    path("google/cancelled/", only_with_google(to_security), name="socialaccount_login_cancelled"),
    path("google/error/", only_with_google(to_security), name="socialaccount_login_error"),
    path("google/signup/", nothing_here, name="socialaccount_signup"),
    path("google/connections/", to_security, name="socialaccount_connections"),
]
