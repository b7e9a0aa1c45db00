"""An invited person chooses a password: from the button of the mail, or after signing in with the mail's password."""

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.invite import InvitationExpired, InvitationUsed, accept_invitation
from payorcrm.customers.models import Invitation
from payorcrm.portal.access import invitation_of_link, invitation_of_session, merchant_at
from payorcrm.portal.arrive import arrive, sign_in
from payorcrm.portal.entrance import entrance_of, remember_entrance, sign_in_address
from payorcrm.portal.invited import end_first_sign_in, opened_invitation
from payorcrm.portal.sign_in_forms import NewPasswordForm
from payorcrm.portal.user_sessions import end_sessions
from payorcrm.portal.visitor import private_page


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def welcome(request: HttpRequest, merchant_slug: str, token: str) -> HttpResponse:
    """Show where to choose a password; POST sets it and signs in. A link that is over offers the other ways."""
    merchant = merchant_at(request, merchant_slug)
    try:
        invitation = invitation_of_link(request, merchant, token, now())
    except (InvitationExpired, InvitationUsed) as over:
        shown = {"merchant": merchant, "is_used": isinstance(over, InvitationUsed), "why": over}
        return render(request, "portal/sign_in/welcome_over.html", shown, status=over.status)
    form = NewPasswordForm(invitation.access.user, request.POST or None)
    user = _accept(invitation, form) if form.is_valid() else None
    if user is None:
        return _password_page(request, invitation, form)
    answer = sign_in(request, user, merchant)
    remember_entrance(answer, merchant)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest) -> HttpResponse:
    """Let a user who signed in with an invitation's password choose their own; until then nothing else opens."""
    opened = opened_invitation(request)
    if opened is None:
        return redirect("home_after_sign_in" if request.user.is_authenticated else sign_in_address(request))
    invitation = invitation_of_session(request, opened, now())
    if invitation is None:
        return _sign_out(request)
    form = NewPasswordForm(invitation.access.user, request.POST or None)
    user = _accept(invitation, form) if form.is_valid() else None
    if user is None:
        return _password_page(request, invitation, form)
    end_first_sign_in(request)
    update_session_auth_hash(request, user)
    end_sessions(user, but=request.session.session_key)
    arrive(request, user)
    return redirect(entrance_of(invitation.access.customer.merchant))


def _accept(invitation: Invitation, form: NewPasswordForm) -> User | None:
    """Set the password; what the business refuses about it is said beside the field."""
    try:
        return accept_invitation(invitation=invitation, password=form.cleaned_data["password1"], now=now())
    except ValidationError as refused:
        form.add_error("password1", refused)
        return None


def _sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.warning(
        request, _("This invitation has ended. Please use the newest mail, or ask for one under “Forgot password”.")
    )
    return redirect(sign_in_address(request))


def _password_page(request: HttpRequest, invitation: Invitation, form: NewPasswordForm) -> HttpResponse:
    shown = {"customer": invitation.access.customer, "user_name": invitation.access.user.email, "form": form}
    return render(request, "portal/sign_in/choose_password.html", shown)
