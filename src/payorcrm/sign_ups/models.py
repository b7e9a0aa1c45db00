"""What somebody asked to open, kept until the mail to their address is answered."""

from django.db import models

from payorcrm.core.ids import uuid7


class SignUp(models.Model):
    """A business that somebody wants to open, and the password they chose. No user and no merchant exists yet."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    business = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    password = models.CharField(max_length=128)  # its digest, as `User` keeps it
    asked_at = models.DateTimeField(db_index=True)
    opened_at = models.DateTimeField(null=True, blank=True)
