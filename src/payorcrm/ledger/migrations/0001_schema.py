"""The journal: entries and their postings."""

from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [("merchants", "0001_schema")]
    replaces = [
        ("ledger", "0001_initial"),
        ("ledger", "0003_alter_posting_merchant"),
        ("ledger", "0004_money"),
        ("ledger", "0005_money_valid"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="Entry",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("invoices_issued", "Invoices issued"),
                                ("invoices_changed", "Invoices changed"),
                                ("settled_elsewhere", "Settled elsewhere"),
                                ("invoice_voided", "Invoice voided"),
                                ("invoice_written_off", "Invoice written off"),
                                ("payment", "Payment"),
                                ("payment_returned", "Payment returned"),
                                ("payment_reversed", "Payment reversed"),
                                ("allocation_moved", "Payment applied otherwise"),
                                ("refund", "Refund"),
                            ],
                            max_length=32,
                        ),
                    ),
                    ("source_kind", models.CharField(max_length=32)),
                    ("source_id", models.UUIDField()),
                    ("posted_at", models.DateTimeField(db_index=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            fields=("kind", "source_kind", "source_id"), name="entry_once_per_source"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "kind__in",
                                    [
                                        "invoices_issued",
                                        "invoices_changed",
                                        "settled_elsewhere",
                                        "invoice_voided",
                                        "invoice_written_off",
                                        "payment",
                                        "payment_returned",
                                        "payment_reversed",
                                        "allocation_moved",
                                        "refund",
                                    ],
                                )
                            ),
                            name="entry_kind",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Posting",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="+",
                            to="merchants.merchant",
                        ),
                    ),
                    ("entry", models.ForeignKey(on_delete=models.PROTECT, related_name="postings", to="ledger.entry")),
                    (
                        "account",
                        models.CharField(
                            choices=[
                                ("receivable", "Accounts receivable"),
                                ("invoiced", "Invoiced"),
                                ("clearing", "Money at the processor"),
                                ("bank", "Bank and cash"),
                                ("settled_elsewhere", "Settled elsewhere"),
                                ("unapplied", "Unapplied payments"),
                                ("voided", "Voided"),
                                ("written_off", "Written off"),
                                ("credited", "Credits to customers"),
                                ("given_back_twice", "Refunded and returned, too"),
                            ],
                            max_length=32,
                        ),
                    ),
                    ("customer_id", models.UUIDField(null=True)),
                    ("amount", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
                ],
                options={
                    "indexes": [models.Index(fields=["merchant", "account", "customer_id"], name="posting_by_account")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("amount", 0), _negated=True), name="posting_not_zero"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "account__in",
                                    [
                                        "receivable",
                                        "invoiced",
                                        "clearing",
                                        "bank",
                                        "settled_elsewhere",
                                        "unapplied",
                                        "voided",
                                        "written_off",
                                        "credited",
                                        "given_back_twice",
                                    ],
                                )
                            ),
                            name="posting_account",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("account", "receivable"), _negated=True),
                                ("customer_id__isnull", False),
                                _connector="OR",
                            ),
                            name="posting_receivable_has_customer",
                        ),
                    ],
                },
            ),
        ),
    ]
