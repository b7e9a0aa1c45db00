"""A request and a payment can only ever name invoices of their own customer."""

from django.db import migrations

from payorcrm.core.schema import composite_foreign_key


def of_the_same_customer(table: str, column: str, target: str) -> migrations.RunSQL:
    return composite_foreign_key(
        table=table, columns=(column, "customer_id"), target=target, target_columns=("id", "customer_id")
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_schema"), ("invoices", "0001_schema")]

    operations = [
        of_the_same_customer("payments_paymentrequestline", "request_id", "payments_paymentrequest"),
        of_the_same_customer("payments_paymentrequestline", "invoice_id", "invoices_invoice"),
        of_the_same_customer("payments_allocation", "payment_id", "payments_payment"),
        of_the_same_customer("payments_allocation", "invoice_id", "invoices_invoice"),
    ]
