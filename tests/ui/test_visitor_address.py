"""The visitor's address is the one our own proxies saw, whatever the visitor writes into the header."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from payorcrm.ui.middleware import VisitorAddress


def address_seen(forwarded):
    seen = []

    def view(request):
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    VisitorAddress(view)(RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1"))
    return seen[0]


@pytest.mark.parametrize(
    ("count", "forwarded", "address"),
    [
        (0, "198.51.100.7", "10.0.0.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "192.0.2.66, 198.51.100.7", "198.51.100.7"),
        (2, "192.0.2.66, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        (2, "198.51.100.7", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1"),
        (1, None, "10.0.0.1"),
    ],
)
def test_only_what_trusted_proxies_added_counts(settings, count, forwarded, address):
    settings.TRUSTED_PROXY_COUNT = count

    assert address_seen(forwarded) == address
