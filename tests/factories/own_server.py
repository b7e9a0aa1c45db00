"""A merchant with a mail server of its own, for tests."""

from typing import Any

from payorcrm.mail.models import LineSecurity, MailSender
from payorcrm.merchants.models import Merchant
from tests.factories.models import MerchantFactory
from tests.factories.smtp import ScriptedServer


def own_sender(server: ScriptedServer | None, merchant: Merchant | None = None, **fields: Any) -> MailSender:
    """Let a merchant send over a server; without one, over a port where nobody answers."""
    place = {"host": "127.0.0.1", "port": server.port if server else 1}
    wanted = {"uses_own_server": True, "from_address": "us@harbor.example", "security": LineSecurity.OPPORTUNISTIC}
    return MailSender.objects.create(merchant=merchant or MerchantFactory(), **wanted | place | fields)
