"""A forgotten password: ask for a mail, whose answer is always the same, and choose a new one by its link."""

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from payorcrm.core.clock import now
from payorcrm.customers.answer_ask import ask_for_password
from payorcrm.portal.access import merchant_at, user_of_reset_link
from payorcrm.portal.arrive import sign_in
from payorcrm.portal.entrance import remember_entrance
from payorcrm.portal.sign_in_forms import EmailForm, NewPasswordForm
from payorcrm.portal.tell_user import PASSWORD_RESET, tell_user
from payorcrm.portal.user_sessions import end_sessions
from payorcrm.portal.visitor import private_page


@require_http_methods(["GET", "HEAD", "POST"])
def forgot_password(request: HttpRequest, merchant_slug: str) -> HttpResponse:
    """Take an address; a job finds out whose it is and answers by mail."""
    merchant = merchant_at(request, merchant_slug)
    form = EmailForm(request.POST or None)
    if not form.is_valid():
        return render(request, "portal/sign_in/forgot_password.html", {"merchant": merchant, "form": form})
    email = form.cleaned_data["email"]
    if not ratelimit.consume(request, action="ask_for_access", key=email.lower()):
        return ratelimit.respond_429(request)
    ask_for_password(merchant=merchant, email=email, now=now())
    return render(request, "portal/sign_in/asked.html", {"merchant": merchant, "email": email})


@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def new_password(request: HttpRequest, merchant_slug: str, key: str) -> HttpResponse:
    """Show where to choose a new password; POST sets it, ends every session and signs in."""
    merchant = merchant_at(request, merchant_slug)
    if not ratelimit.consume(request, action="choose_password"):
        return ratelimit.respond_429(request)
    user = user_of_reset_link(merchant, key)
    if user is None:
        return render(request, "portal/sign_in/reset_over.html", {"merchant": merchant}, status=410)
    form = NewPasswordForm(user, request.POST or None)
    if not form.is_valid():
        return render(request, "portal/sign_in/choose_password.html", {"user_name": user.email, "form": form})
    get_adapter().set_password(user, form.cleaned_data["password1"])
    end_sessions(user)
    tell_user(request, user, PASSWORD_RESET)
    answer = sign_in(request, user, merchant)
    remember_entrance(answer, merchant)
    return answer
