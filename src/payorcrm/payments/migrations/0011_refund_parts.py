"""What refunds take from each invoice is set aside when they are made; those under way get their parts now."""

import django.db.models.deletion
from django.db import migrations, models

# One after another, as they were made: the named invoice, what is unapplied, then the invoices due last.
SET_ASIDE = """
DO $$
DECLARE one record; share record; held bigint; left_over bigint; spare bigint;
BEGIN
  FOR one IN SELECT r.*, p.amount - p.refunded AS paid FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
              WHERE r.state IN ('submitting', 'pending') ORDER BY r.submitted_at, r.id LOOP
    left_over := one.amount;
    SELECT one.paid - coalesce((SELECT sum(amount) FROM payments_allocation WHERE payment_id = one.payment_id), 0)
           - coalesce((SELECT sum(r.amount - coalesce(t.amount, 0)) FROM payments_refund r
               LEFT JOIN (SELECT refund_id, sum(amount) AS amount FROM payments_refundpart GROUP BY 1) t ON t.refund_id = r.id
               WHERE r.payment_id = one.payment_id AND r.state IN ('submitting', 'pending')
                 AND (r.submitted_at, r.id) < (one.submitted_at, one.id)), 0) INTO spare;
    FOR share IN SELECT a.invoice_id, a.amount, a.invoice_id IS NOT DISTINCT FROM one.invoice_id AS is_named
                   FROM payments_allocation a JOIN invoices_invoice i ON i.id = a.invoice_id
                  WHERE a.payment_id = one.payment_id
                  ORDER BY a.invoice_id IS NOT DISTINCT FROM one.invoice_id DESC, i.due_on DESC, i.id DESC LOOP
      IF NOT share.is_named THEN
        left_over := left_over - least(left_over, greatest(spare, 0));
        spare := 0;
      END IF;
      SELECT coalesce(sum(t.amount), 0) INTO held FROM payments_refundpart t JOIN payments_refund r ON r.id = t.refund_id
       WHERE r.payment_id = one.payment_id AND t.invoice_id = share.invoice_id AND r.state IN ('submitting', 'pending');
      IF least(left_over, share.amount - held) > 0 THEN
        INSERT INTO payments_refundpart (refund_id, invoice_id, amount)
        VALUES (one.id, share.invoice_id, least(left_over, share.amount - held));
        left_over := left_over - least(left_over, share.amount - held);
      END IF;
    END LOOP;
  END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0010_manual"),
        ("payments", "0010_settled_less_refunds"),
    ]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="ask_after",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_count",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="RefundPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="invoices.invoice",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("refund", "invoice"), name="refund_part_once"),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_part_of_something"),
                ],
            },
        ),
        migrations.RunSQL(SET_ASIDE, migrations.RunSQL.noop),
    ]
