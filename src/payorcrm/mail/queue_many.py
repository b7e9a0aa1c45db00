"""Queues the mails of a run: a part of the one statement of SQL that writes the run."""

# A mail for each row of `addressed`; its parameters are merchant, kind, is_bulk and now.
INSERT_MAILS = """
INSERT INTO mail_mail (id, merchant_id, customer_id, kind, about_id, to_address, to_name, also_to, cc, is_bulk,
    subject, state, attempt_count, send_after, queued_at, last_error)
SELECT mail_id, %(merchant)s, customer_id, %(kind)s, about_id, email, contact_name, also_to, cc, %(is_bulk)s,
    '', 'queued', 0, %(now)s, %(now)s, ''
FROM addressed
"""
