"""Keeps how the mails that were foreseen for a changed rule differ from those of now, which a rehearsal has kept."""

from django.db.backends.utils import CursorWrapper

from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearsal_models import ChangeKind, KeptRehearsal

COUNTED = (*ChangeKind.values, "same")


def compare(cursor: CursorWrapper, kept: KeptRehearsal) -> dict[str, int]:
    """Compare `foreseen_mail` of this transaction with the rehearsal of now, and keep all that differs.

    Of what goes and what comes, the nearest days of one customer about one invoice at least are one mail that moves.
    Return how many mails change, by kind, and how many stay as they are.
    """
    assert kept.draft is not None
    was = Rule.objects.filter(id=kept.draft["id"]).exclude(template=kept.draft["template"])
    names = {"before": kept.compared_with_id, "after": kept.id, "rewritten": was.values_list("id", flat=True).first()}
    cursor.execute(MEET, names)
    while True:
        cursor.execute(MOVE)
        if not cursor.rowcount:
            break
        cursor.execute(FORGET_MOVED)
    cursor.execute(KEEP_CHANGES, names)
    cursor.execute(COUNT_CHANGES, names)
    counts = dict.fromkeys(COUNTED, 0) | dict(cursor.fetchall())
    cursor.execute(END_COMPARING)
    return counts


# Both sides of each recipient and day. The mails of the changed rules have their final ids already.
MEET = """
CREATE TEMPORARY TABLE mail_before ON COMMIT DROP AS
SELECT id AS before_id, day, customer_id, currency, rule_id AS before_rule, invoice_ids AS before_invoices
FROM reminders_rehearsedmail WHERE rehearsal_id = %(before)s;
CREATE TEMPORARY TABLE mail_after ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('reminders_rehearsedmail', 'id')) AS after_id, sent_on AS day,
    foreseen_mail.customer_id, currency, rule_id AS after_rule, invoice_ids AS after_invoices, amount
FROM foreseen_mail JOIN customers_customer AS customer ON customer.id = foreseen_mail.customer_id;
ANALYZE mail_before, mail_after;
CREATE TEMPORARY TABLE met ON COMMIT DROP AS
SELECT *, CASE
    WHEN before_id IS NULL THEN 'added'
    WHEN after_id IS NULL THEN 'gone'
    WHEN before_rule <> after_rule OR after_rule = %(rewritten)s OR before_invoices <> after_invoices AND (
        SELECT array_agg(id ORDER BY id) FROM unnest(before_invoices) AS named (id)
    ) <> (
        SELECT array_agg(id ORDER BY id) FROM unnest(after_invoices) AS named (id)
    ) THEN 'written'
    ELSE 'same'
END AS kind
FROM mail_before FULL JOIN mail_after USING (day, customer_id, currency);
ANALYZE met;
CREATE TEMPORARY TABLE moved (before_id bigint, after_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE alike ON COMMIT DROP AS
SELECT gone.before_id, added.after_id, abs(gone.day - added.day) AS distance, gone.day AS gone_on, added.day AS added_on
FROM met AS gone JOIN met AS added ON added.customer_id = gone.customer_id AND added.currency = gone.currency
WHERE gone.kind = 'gone' AND added.kind = 'added' AND gone.before_invoices && added.after_invoices;
"""
# Those that are each other's nearest. One order for both sides: there are always some, as long as any are left.
MOVE = """
INSERT INTO moved
SELECT before_id, after_id
FROM (
    SELECT before_id, after_id,
        row_number() OVER (PARTITION BY before_id ORDER BY distance, gone_on, added_on) AS of_gone,
        row_number() OVER (PARTITION BY after_id ORDER BY distance, gone_on, added_on) AS of_added
    FROM alike
) AS ranked
WHERE of_gone = 1 AND of_added = 1
"""
FORGET_MOVED = """
DELETE FROM alike USING moved WHERE moved.before_id = alike.before_id;
DELETE FROM alike USING moved WHERE moved.after_id = alike.after_id
"""
# Of the changed side only what differs is kept.
KEEP_CHANGES = """
INSERT INTO reminders_rehearsedchange (rehearsal_id, kind, customer_id, before_id, after_id)
SELECT %(after)s, kind, found.customer_id, before_id, after_id
FROM (
    SELECT kind, day, customer_id, currency, before_id, after_id
    FROM met
    WHERE kind <> 'same' AND NOT EXISTS (SELECT FROM moved WHERE moved.before_id = met.before_id)
        AND NOT EXISTS (SELECT FROM moved WHERE moved.after_id = met.after_id)
    UNION ALL
    SELECT 'moved', least(gone.day, added.day), gone.customer_id, gone.currency, gone.before_id, added.after_id
    FROM moved
    JOIN met AS gone ON gone.before_id = moved.before_id
    JOIN met AS added ON added.after_id = moved.after_id
) AS found
JOIN customers_customer AS customer ON customer.id = found.customer_id
ORDER BY day, lower(customer.company_name), found.customer_id, currency;
INSERT INTO reminders_rehearsedmail (id, rehearsal_id, day, customer_id, rule_id, currency, amount, invoice_ids)
SELECT mail.after_id, %(after)s, day, mail.customer_id, after_rule, currency, amount, after_invoices
FROM mail_after AS mail JOIN reminders_rehearsedchange AS change ON change.after_id = mail.after_id
WHERE change.rehearsal_id = %(after)s
"""
COUNT_CHANGES = """
SELECT kind, count(*) FROM reminders_rehearsedchange WHERE rehearsal_id = %(after)s GROUP BY kind
UNION ALL
SELECT kind, count(*) FROM met WHERE kind = 'same' GROUP BY kind
"""
END_COMPARING = "DROP TABLE mail_before, mail_after, met, moved, alike"
