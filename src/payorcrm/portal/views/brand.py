"""A merchant's logo, for pages and mails."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from payorcrm.merchants.models import Merchant


@require_safe
def logo(request: HttpRequest, merchant_slug: str, digest: str) -> HttpResponse:
    """Return the logo that has this digest; a changed logo has another address, so it may be kept for ever."""
    merchant = get_object_or_404(Merchant, slug=merchant_slug)
    if not merchant.logo or digest != merchant.logo_digest:
        raise Http404
    response = HttpResponse(bytes(merchant.logo), content_type=merchant.logo_type or "image/png")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
