"""Two views: store what a processor or a mail provider sent, answer 200, let a job apply it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payorcrm.core.clock import now
from payorcrm.mail.track import keep_mail_events
from payorcrm.merchants.queries import gateway_of
from payorcrm.payments.apply_event import keep_events
from payorcrm.webhooks import access
from payorcrm.webhooks.read_mail_events import read_mail_events


@csrf_exempt  # the processor's signature stands in for the token
@require_POST
def receive(request: HttpRequest, gateway: str, merchant_slug: str) -> HttpResponse:
    """Keep an event whose signature is right. Raises WebhookNotGenuine."""
    account = access.gateway_account(gateway, merchant_slug)
    event = gateway_of(account).read_webhook(request.headers, request.body)
    keep_events(account=account, events=[event], now=now())
    return HttpResponse(status=200)


@csrf_exempt  # the provider's secret stands in for the token
@require_POST
def receive_mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """Keep what the mail provider of this installation reports of mails. Raises ReportNotGenuine."""
    moment = now()
    keep_mail_events(provider=provider, events=read_mail_events(request, provider, now=moment), now=moment)
    return HttpResponse(status=200)
