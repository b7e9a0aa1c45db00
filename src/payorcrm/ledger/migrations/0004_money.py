"""Accounts and entries of refunds and of money that came offline; the next migration looks at earlier rows."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_alter_posting_merchant"),
        ("merchants", "0003_logo_facts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="entry",
            name="entry_kind",
        ),
        migrations.RemoveConstraint(
            model_name="posting",
            name="posting_account",
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="posting",
            name="account",
            field=models.CharField(
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
        AddConstraintNotValid(
            model_name="entry",
            constraint=models.CheckConstraint(
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
        ),
        AddConstraintNotValid(
            model_name="posting",
            constraint=models.CheckConstraint(
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
        ),
    ]
