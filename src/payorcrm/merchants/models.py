"""The merchant, its staff and its lines to payment processors."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.gateways.base import Credentials

# A picture at least this many times as wide as high, in tenths, is taken for a word mark.
WORD_MARK = 22
_DIGEST = "CASE WHEN length(%(expressions)s) > 0 THEN left(encode(sha256(%(expressions)s), 'hex'), 12) ELSE '' END"
# A PNG begins with eight fixed bytes; its size stands at 16 and 20 (W3C PNG, sections 5.2 and 11.2.1).
_IS_WORD_MARK = (
    r"CASE WHEN substring(%(expressions)s, 1, 8) = '\x89504e470d0a1a0a' AND length(%(expressions)s) >= 24 "
    "THEN ('x' || encode(substring(%(expressions)s, 17, 4), 'hex'))::bit(32)::bigint * 10 "
    f">= ('x' || encode(substring(%(expressions)s, 21, 4), 'hex'))::bit(32)::bigint * {WORD_MARK} ELSE false END"
)


class Merchant(models.Model):
    """The business that is owed money; everything else carries its id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    currency = models.CharField(max_length=3, default="USD")
    address = models.TextField(max_length=500, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    logo = models.BinaryField(null=True, blank=True)
    logo_type = models.CharField(max_length=20, blank=True)
    # PostgreSQL keeps these beside the logo, so that a page need not read the picture to name it.
    logo_digest = models.GeneratedField(
        expression=models.Func("logo", template=_DIGEST), output_field=models.CharField(max_length=12), db_persist=True
    )
    logo_says_name = models.GeneratedField(
        expression=models.Func("logo", template=_IS_WORD_MARK), output_field=models.BooleanField(), db_persist=True
    )
    accent_color = models.CharField(
        max_length=7,
        default="#0f62a8",
        validators=[RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "Write the colour as # and six digits, such as #0f62a8.")],
    )
    reply_to = models.EmailField(blank=True)
    confirmation_hours = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(1), MaxValueValidator(168)]
    )
    language = models.CharField(max_length=10, default="en")  # of mails to customers who have chosen none
    invites_new_customers = models.BooleanField(default=True, db_default=True)
    requires_second_factor = models.BooleanField(default=False, db_default=False)  # of the staff
    allows_part_payments = models.BooleanField(default=False, db_default=False)
    # Whom nobody vouches for sends a few mails a day over the installation's server.
    is_trusted = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="merchant_confirmation_hours", condition=models.Q(confirmation_hours__range=(1, 168))
            )
        ]
        indexes = [models.Index(fields=["id"], name="merchant_not_trusted", condition=models.Q(is_trusted=False))]

    def __str__(self) -> str:
        return self.name


class Setup(models.Model):
    """The checklist of a merchant that was opened here: which steps its people passed over, and when they closed it.

    What is done is not kept: the facts say it.
    """

    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, primary_key=True, related_name="setup")
    skipped = ArrayField(models.CharField(max_length=40), default=list, db_default=[], blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)


class Role(models.TextChoices):
    """What a member of staff may do."""

    OWNER = "owner", "Owner"
    COLLECTOR = "collector", "Collector"
    VIEWER = "viewer", "Viewer"


ROLES_THAT_CHANGE = (Role.OWNER, Role.COLLECTOR)


class Staff(models.Model):
    """One person's membership of one merchant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="staff")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "user"], name="staff_once_per_merchant"),
            models.CheckConstraint(name="staff_role", condition=models.Q(role__in=Role.values)),
        ]

    def can_change(self) -> bool:
        """Say whether the role may change anything at all."""
        return self.role in ROLES_THAT_CHANGE

    def can_change_settings(self) -> bool:
        """Say whether the role may change what the merchant is and how it is paid."""
        return self.role == Role.OWNER


class GatewayAccount(models.Model):
    """A merchant's keys at one processor; the secrets are sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="gateway_accounts")
    gateway = models.CharField(max_length=40)
    account_id = models.CharField(max_length=100, blank=True, default="", db_default="")  # the processor's own
    public_key = models.CharField(max_length=200)
    secret_key = EncryptedTextField()
    webhook_secret = EncryptedTextField()
    events_seen_at = models.DateTimeField(null=True, blank=True)
    # Of several, the one that was chosen for what customers enter from now on; else the first that takes it.
    takes_new_cards = models.BooleanField(default=False, db_default=False)
    takes_new_accounts = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "gateway"], name="gateway_once_per_merchant"),
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(takes_new_cards=True), name="one_gateway_for_new_cards"
            ),
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(takes_new_accounts=True), name="one_gateway_for_new_accounts"
            ),
        ]

    def is_account_of(self, account_id: str) -> bool:
        """Say whether a processor's account is this one, as far as both are known."""
        return "" in (self.account_id, account_id) or self.account_id == account_id

    def credentials(self) -> Credentials:
        """Return the keys as an adapter wants them."""
        return Credentials(public_key=self.public_key, secret_key=self.secret_key, webhook_secret=self.webhook_secret)
