"""Takes what a stranger wants to open. The answer is a mail, whatever is known about the address."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction

from payorcrm.mail.compose import queue_mail
from payorcrm.merchants.open import MerchantDetails, check_details
from payorcrm.sign_ups.models import SignUp

KIND = "sign_up"
LIFE = timedelta(days=1)


def ask_to_sign_up(*, details: MerchantDetails, name: str, email: str, password: str, now: datetime) -> SignUp:
    """Keep the wish and mail its address; page and time are the same for an address that has a sign-in already.

    Raises NotAMerchant.
    """
    check_details(details)
    with transaction.atomic():
        SignUp.objects.filter(asked_at__lt=now - LIFE).delete()
        sign_up = SignUp.objects.create(
            business=details.name,
            slug=details.slug,
            time_zone=details.time_zone,
            currency=details.currency,
            name=name,
            email=email,
            password=make_password(password),
            asked_at=now,
        )
        queue_mail(kind=KIND, about_id=sign_up.id, merchant=None, customer_id=None, to_address=email, now=now)
    return sign_up
