"""Makes the requests of a run's mails: a part of the one statement of SQL that writes the run."""

# A request, with its lines, for each row of `asked`; its parameters are merchant and now.
INSERT_REQUESTS = """
requests AS (
    INSERT INTO payments_paymentrequest (id, merchant_id, customer_id, currency, created_at)
    SELECT request_id, %(merchant)s, customer_id, currency, %(now)s FROM asked
),
lines AS (
    INSERT INTO payments_paymentrequestline (request_id, invoice_id, customer_id)
    SELECT request_id, unnest(invoice_ids), customer_id FROM asked
)
"""
